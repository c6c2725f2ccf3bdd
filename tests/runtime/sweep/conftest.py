"""An AWS in process (moto), and one Region of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws
from sweep_cloud import Region

from annex_lease.sweep.clients import SweepClients


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> Iterator[Region]:
    for key, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    }.items():
        monkeypatch.setenv(key, value)
    with mock_aws():
        yield Region(SweepClients())
