"""An AWS in process (moto), groups in it, and a server that takes the answers to CloudFormation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from annex_lease.aws import Clients
from annex_lease.policy import LeasePolicy
from tests.runtime.lease.answer_server import AnswerServer
from tests.runtime.lease.lease_cloud import Cloud
from tests.runtime.moto_aws import aws_in_process


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with aws_in_process(monkeypatch):
        yield Cloud(Clients())


@pytest.fixture
def group(cloud: Cloud) -> str:
    """A group of two, leased for an hour, with a maximum lifetime of two; its name."""
    cloud.add_group("pa", LeasePolicy("pa", 2, 7200, 900, duration_seconds=3600))
    return "pa"


@pytest.fixture
def answers() -> Iterator[AnswerServer]:
    server = AnswerServer()
    yield server
    server.close()
