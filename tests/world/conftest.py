"""The worlds, and a server in the place of CloudFormation's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws
from moto.autoscaling.models import FakeAutoScalingGroup

from annex_lease.aws import Clients
from tests.world.cloudformation import answering
from tests.world.worlds import ModelWorld, MotoWorld


@pytest.fixture(scope="session", autouse=True)
def _cloudformation() -> Iterator[None]:
    with answering():
        yield


@pytest.fixture
def model() -> ModelWorld:
    return ModelWorld()


@pytest.fixture(scope="session")
def _clients() -> Iterator[Clients]:
    """Clients for every AWS in process: making them takes longer than a scenario."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(key, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        clients = Clients()
        assert clients.autoscaling and clients.ec2 and clients.secretsmanager and clients.sns  # made now
    # An AWS of its own for each test: an AWS within another one would be the same.
    yield clients


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch, _clients: Clients) -> Iterator[MotoWorld]:
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    launch = FakeAutoScalingGroup.replace_autoscaling_group_instances

    def launch_unless_suspended(group: FakeAutoScalingGroup, count: int, tags: dict[str, str]) -> None:
        # moto launches and replaces whether Launch is suspended or not; AWS does not.
        if "Launch" not in {process["ProcessName"] for process in group.suspended_processes}:
            launch(group, count, tags)

    monkeypatch.setattr(FakeAutoScalingGroup, "replace_autoscaling_group_instances", launch_unless_suspended)
    with mock_aws():
        yield MotoWorld(_clients)
