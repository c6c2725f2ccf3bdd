"""A deployed annex without checker, responder, schedule and role: EC2 Auto Scaling ends it, with no code of ours.

There is no sweeper either: the account has no `AnnexBase`. The minimum is one instance, so an instance that leaves by
itself cannot lower the capacity: only the scheduled actions can.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from annex_lease.tags import TAG_NAME
from lab.operator import Operator
from lab.steps import wait_for
from tests.e2e.aws_clients import client

NAME = "alone"
LEASE, LIFETIME = timedelta(minutes=4), timedelta(minutes=6)
SPEC = f'[annex.{NAME}]\nsize = 1\nlease = "4m"\nmax_lifetime = "6m"\ngrace = "0s"\n'
RUNS_LATE = timedelta(seconds=10)  # of the lab's clock; AWS may take two minutes


def group() -> dict[str, Any]:
    filters = [{"Name": f"tag:{TAG_NAME}", "Values": [NAME]}]
    (only,) = client("autoscaling").describe_auto_scaling_groups(Filters=filters)["AutoScalingGroups"]
    return dict(only)


def sizes() -> tuple[int, int, int]:
    found = group()
    return found["MinSize"], found["DesiredCapacity"], found["MaxSize"]


def resources(kind: str) -> list[str]:
    """Physical ids of the stack's resources of this type."""
    found = client("cloudformation").describe_stack_resources(StackName=f"Annex-{NAME}")["StackResources"]
    return [each["PhysicalResourceId"] for each in found if each["ResourceType"] == kind]


def take_the_enforcers_away() -> None:
    """Delete all functions, schedules and the rights of all functions' roles."""
    for name in resources("AWS::Scheduler::Schedule"):
        client("scheduler").delete_schedule(Name=name.rsplit("/", 1)[-1])
    for name in resources("AWS::Lambda::Function"):
        client("lambda").delete_function(FunctionName=name)
    iam = client("iam")
    for role in resources("AWS::IAM::Role"):
        if "lambda.amazonaws.com" not in str(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]):
            continue
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            iam.delete_role_policy(RoleName=role, PolicyName=policy)


def sleep_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


@pytest.fixture(scope="module")
def created(operator_of: Callable[[str], Operator]) -> datetime:
    """The annex, with an instance and no enforcer; the time of its creation."""
    operator = operator_of(SPEC)
    operator.cdk("deploy", f"Annex-{NAME}", "--require-approval", "never")
    operator.annex("credential", "push", NAME)
    wait_for("instance", 60, lambda: bool(group()["Instances"]))
    take_the_enforcers_away()
    client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=group()["AutoScalingGroupName"], MinSize=1)
    moment: datetime = group()["CreatedTime"]
    assert datetime.now(UTC) < moment + LEASE - timedelta(seconds=20), "this machine is too busy for a lease so short"
    return moment


def test_the_fleet_is_gone_after_the_end(created: datetime) -> None:
    sleep_until(created + LEASE - timedelta(seconds=5))
    assert sizes()[:2] == (1, 1), "nothing ends it before its time"
    sleep_until(created + LEASE + RUNS_LATE)
    assert sizes()[:2] == (0, 0)
    wait_for("end of the instance", 60, lambda: not group()["Instances"])


def test_what_is_started_by_hand_is_gone_after_the_latest_end(created: datetime) -> None:
    name = group()["AutoScalingGroupName"]
    client("autoscaling").resume_processes(AutoScalingGroupName=name, ScalingProcesses=["Launch"])
    client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=name, MinSize=1, DesiredCapacity=1)
    wait_for("instance", 60, lambda: bool(group()["Instances"]))
    sleep_until(created + LIFETIME + timedelta(minutes=1) + RUNS_LATE)
    assert sizes() == (0, 0, 0)
    wait_for("end of the instance", 60, lambda: not group()["Instances"])
