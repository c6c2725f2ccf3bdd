"""One Region of an AWS in process (moto)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from annex_lease.aws import Clients
from tests.runtime.moto_aws import aws_in_process
from tests.runtime.sweep.sweep_cloud import Region


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> Iterator[Region]:
    with aws_in_process(monkeypatch):
        yield Region(Clients())
