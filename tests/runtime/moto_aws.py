"""An AWS in process (moto), made to do as AWS does where the lease depends on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import boto3
import botocore.session
import pytest
from botocore.loaders import Loader, create_loader
from moto import mock_aws
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup

_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
}


@cache
def _models() -> Loader:
    """Service models of botocore, read once for all tests: reading takes most of the making of a client."""
    return create_loader()


def _forget_clients() -> None:
    """Lets the next clients be new ones, which no other test listens to, made of models that are read already."""
    session = botocore.session.get_session()
    session.register_component("data_loader", _models())
    boto3.setup_default_session(botocore_session=session)


@contextmanager
def aws_in_process(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Iterator[None]:
    """An account, empty, with these environment variables besides its own."""
    for key, value in {**_ACCOUNT, **environment}.items():
        monkeypatch.setenv(key, value)
    launch = FakeAutoScalingGroup.replace_autoscaling_group_instances

    def launch_unless_suspended(group: FakeAutoScalingGroup, count: int, tags: dict[str, str]) -> None:
        # moto launches and replaces whether Launch is suspended or not; AWS does not.
        if "Launch" not in {process["ProcessName"] for process in group.suspended_processes}:
            launch(group, count, tags)

    monkeypatch.setattr(FakeAutoScalingGroup, "replace_autoscaling_group_instances", launch_unless_suspended)
    protect = AutoScalingBackend.set_instance_protection

    def protect_then_scale_in(backend: AutoScalingBackend, name: str, ids: list[str], protected: bool) -> None:
        # A scale-in that protection held up continues when it is removed (EC2 Auto Scaling User Guide, "Use instance
        # scale-in protection"); moto forgets it.
        protect(backend, name, ids, protected)
        group = backend.autoscaling_groups[name]
        group.set_desired_capacity(group.desired_capacity)

    monkeypatch.setattr(AutoScalingBackend, "set_instance_protection", protect_then_scale_in)
    with mock_aws():
        _forget_clients()  # moto has just set up another session
        yield
