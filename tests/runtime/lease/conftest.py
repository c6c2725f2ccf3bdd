"""An AWS in process (moto), groups in it, and a server that takes the answers to CloudFormation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from answer_server import AnswerServer
from lease_cloud import Cloud
from moto import mock_aws
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup

from annex_lease.gateway import Clients
from annex_lease.policy import LeasePolicy


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    for key, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    }.items():
        monkeypatch.setenv(key, value)
    launch = FakeAutoScalingGroup.replace_autoscaling_group_instances

    def launch_unless_suspended(group: FakeAutoScalingGroup, count: int, tags: dict[str, str]) -> None:
        # moto launches and replaces whether Launch is suspended or not; AWS does not.
        if "Launch" not in {process["ProcessName"] for process in group.suspended_processes}:
            launch(group, count, tags)

    monkeypatch.setattr(FakeAutoScalingGroup, "replace_autoscaling_group_instances", launch_unless_suspended)
    protect = AutoScalingBackend.set_instance_protection

    def protect_then_scale_in(backend: AutoScalingBackend, name: str, ids: list[str], protected: bool) -> None:
        # A scale-in that protection held up goes on when it is taken away (EC2 Auto Scaling User Guide, "Use instance
        # scale-in protection"); moto forgets it.
        protect(backend, name, ids, protected)
        group = backend.autoscaling_groups[name]
        group.set_desired_capacity(group.desired_capacity)

    monkeypatch.setattr(AutoScalingBackend, "set_instance_protection", protect_then_scale_in)
    with mock_aws():
        yield Cloud(Clients())


@pytest.fixture
def group(cloud: Cloud) -> str:
    """A group of two, leased for an hour, with a reach of two; its name."""
    cloud.add_group("pa", LeasePolicy("pa", 2, 7200, 900, duration_seconds=3600))
    return "pa"


@pytest.fixture
def answers() -> Iterator[AnswerServer]:
    server = AnswerServer()
    yield server
    server.close()
