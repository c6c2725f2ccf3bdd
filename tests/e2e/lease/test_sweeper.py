"""Annexes with a lease checker that enforces nothing any more: the sweeper of the base stack ends them.

The sweeper gives a checker ten minutes and an orphan an hour. Here the environment of its function makes
it wait for seconds instead. It is invoked by hand, because its schedule runs every 15 minutes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from annex_lease.tags import TAG_NAME
from lab.operator import Operator
from lab.steps import wait_for
from tests.e2e.aws_clients import client

LEASE = timedelta(minutes=4)  # a busy machine needs more than two to set everything up
GRACE = timedelta(seconds=30)
WAIT_SECONDS = 5
BROKEN = ("noschedule", "nofunction", "norole")
LOST = "lost"
NAMES = (*BROKEN, LOST, "kept")
BASE = "AnnexBase-us-east-1"
SPEC = "[base]\nmax_removals = 20\n" + "".join(
    f'[annex.{name}]\nsize = 2\nlease = "{"1h" if name == "kept" else "4m"}"\nmax_lifetime = "2h"\n' for name in NAMES
)


def groups() -> dict[str, dict[str, Any]]:
    """The groups by the names of their annexes."""
    pages = client("autoscaling").get_paginator("describe_auto_scaling_groups").paginate()
    found: list[dict[str, Any]] = [dict(group) for page in pages for group in page["AutoScalingGroups"]]
    return {tag["Value"]: group for group in found for tag in group["Tags"] if tag["Key"] == TAG_NAME}


def alive() -> dict[str, set[str]]:
    """Ids of the instances that cost money, by the names of their annexes."""
    found: dict[str, set[str]] = {name: set() for name in NAMES}
    for reservation in client("ec2").describe_instances()["Reservations"]:
        for instance in reservation["Instances"]:
            tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
            if instance["State"]["Name"] not in ("shutting-down", "terminated") and tags.get(TAG_NAME) in found:
                found[tags[TAG_NAME]].add(instance["InstanceId"])
    return found


def resource(stack: str, kind: str, part: str = "") -> str:
    """Physical id of the stack's only resource of that type with `part` in its logical id."""
    listed = client("cloudformation").describe_stack_resources(StackName=stack)["StackResources"]
    (found,) = [r for r in listed if r["ResourceType"] == kind and part in r["LogicalResourceId"]]
    return str(found["PhysicalResourceId"])


def delete_schedule(name: str) -> None:
    client("scheduler").delete_schedule(Name=resource(f"Annex-{name}", "AWS::Scheduler::Schedule"))


def delete_function(name: str) -> None:
    function = resource(f"Annex-{name}", "AWS::Lambda::Function", "LeaseCheckerFunction")
    client("lambda").delete_function(FunctionName=function)


def delete_role(name: str) -> None:
    iam, role = client("iam"), resource(f"Annex-{name}", "AWS::IAM::Role", "LeaseCheckerFunctionRole")
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)
    iam.delete_role(RoleName=role)


def lose_group() -> str:
    """Detaches an instance from its group, deletes the checker and the group, and returns the instance's id."""
    delete_schedule(LOST)
    delete_function(LOST)
    group = groups()[LOST]
    lost = str(group["Instances"][0]["InstanceId"])
    autoscaling, name = client("autoscaling"), group["AutoScalingGroupName"]
    autoscaling.detach_instances(InstanceIds=[lost], AutoScalingGroupName=name, ShouldDecrementDesiredCapacity=True)
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
    return lost


@dataclass
class Sweeps:
    """Reports of the sweeper, and the inventory before and after."""

    lost: str
    function: str
    before: dict[str, set[str]] = field(default_factory=dict)
    dry: dict[str, Any] = field(default_factory=dict)
    after_dry: dict[str, set[str]] = field(default_factory=dict)
    first: dict[str, Any] = field(default_factory=dict)
    after_first: dict[str, set[str]] = field(default_factory=dict)
    second: dict[str, Any] = field(default_factory=dict)
    after_second: dict[str, set[str]] = field(default_factory=dict)
    third: dict[str, Any] = field(default_factory=dict)


def sweep(function: str, event: dict[str, str]) -> dict[str, Any]:
    answer = client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
    said = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, said
    return dict(said)


def protect(name: str) -> None:
    """Protect the instances from scale-in, so that the scheduled actions of the group do not end them."""
    group = groups()[name]
    client("autoscaling").set_instance_protection(
        AutoScalingGroupName=group["AutoScalingGroupName"],
        InstanceIds=[instance["InstanceId"] for instance in group["Instances"]],
        ProtectedFromScaleIn=True,
    )


def hasten(function: str) -> None:
    functions = client("lambda")
    known = functions.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    quick = dict.fromkeys(("SWEEP_SLACK_SECONDS", "SWEEP_WAIT_SECONDS"), str(WAIT_SECONDS))
    functions.update_function_configuration(FunctionName=function, Environment={"Variables": {**known, **quick}})


@pytest.fixture(scope="module")
def sweeps(operator_of: Callable[[str], Operator]) -> Sweeps:
    operator = operator_of(SPEC)
    # An administrator deploys the base by itself. It exists before every annex and does not depend on any.
    operator.cdk("deploy", BASE, "--require-approval", "never")
    operator.cdk("deploy", *(f"Annex-{name}" for name in NAMES), "--require-approval", "never", "--concurrency", "5")
    for name in NAMES:
        operator.annex("credential", "push", name)
    wait_for("instances in every annex", 60, lambda: all(len(found) == 2 for found in alive().values()))
    ends = max(groups()[name]["CreatedTime"] for name in (*BROKEN, LOST)) + LEASE
    for name in BROKEN:
        protect(name)
    delete_schedule("noschedule")
    delete_function("nofunction")
    delete_role("norole")
    function = resource(BASE, "AWS::Lambda::Function")
    hasten(function)
    seen = Sweeps(lose_group(), function)
    over = ends + GRACE + timedelta(seconds=2 * WAIT_SECONDS)
    while datetime.now(UTC) < over:
        time.sleep(2)
    seen.before = alive()
    seen.dry = sweep(function, {"sweep": "dry-run"})
    seen.after_dry = alive()
    seen.first, seen.after_first = sweep(function, {"sweep": "scheduled"}), alive()
    time.sleep(WAIT_SECONDS + 1)
    seen.second, seen.after_second = sweep(function, {"sweep": "scheduled"}), alive()
    seen.third = sweep(function, {"sweep": "dry-run"})
    return seen


def ended(report: dict[str, Any]) -> list[str]:
    return sorted(entry["annex"] for entry in report["ended"])


def test_without_a_sweeper_they_would_not_end(sweeps: Sweeps) -> None:
    assert {name: len(found) for name, found in sweeps.before.items()} == {**dict.fromkeys(NAMES, 2), LOST: 1}


def test_a_dry_run_says_what_would_be_done_and_does_nothing(sweeps: Sweeps) -> None:
    assert ended(sweeps.dry) == sorted(BROKEN)
    assert [entry["id"] for entry in sweeps.dry["marked"]] == [sweeps.lost]
    assert sweeps.dry["dry_run"] is True
    assert sweeps.after_dry == sweeps.before
    for name in ("ended", "marked", "removed", "unmarked"):
        # The order changes with the time, so that no annex keeps the others from being ended.
        assert sorted(map(str, sweeps.dry[name])) == sorted(map(str, sweeps.first[name]))


@pytest.mark.parametrize("name", BROKEN)
def test_an_annex_ends_without_its_own_checker(sweeps: Sweeps, name: str) -> None:
    assert name in ended(sweeps.first)
    assert sweeps.after_first[name] == set()
    assert groups()[name]["DesiredCapacity"] == 0
    assert [each["ProcessName"] for each in groups()[name]["SuspendedProcesses"]].count("Launch") == 1


def test_an_annex_whose_lease_lasts_is_left_alone(sweeps: Sweeps) -> None:
    assert sweeps.after_second["kept"] == sweeps.before["kept"]
    assert groups()["kept"]["DesiredCapacity"] == 2


def test_an_instance_that_lost_its_group_is_marked_and_then_ended(sweeps: Sweeps) -> None:
    assert sweeps.after_first[LOST] == {sweeps.lost}
    assert [entry["id"] for entry in sweeps.second["removed"]] == [sweeps.lost]
    assert sweeps.after_second[LOST] == set()


def test_a_stack_without_a_group_is_reported(sweeps: Sweeps) -> None:
    (report,) = [each for each in sweeps.first["reports"] if f"Annex-{LOST}" in each]
    assert "no Auto Scaling group" in report


def test_then_there_is_nothing_left_to_do(sweeps: Sweeps) -> None:
    assert [sweeps.third[name] for name in ("ended", "marked", "removed", "waiting")] == [[], [], [], []]


def test_what_alarms_watch_is_sent(sweeps: Sweeps) -> None:
    """Metrics come from the function's log; dry runs by hand send none."""
    now, metrics = datetime.now(UTC), client("cloudwatch")
    sums = {}
    for metric in ("SweeperEnded", "SweeperOrphans", "SweeperAborted"):
        points = metrics.get_metric_statistics(
            Namespace="HTCondorAnnex",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": sweeps.function}],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        sums[metric] = sum(point["Sum"] for point in points)
    assert sums == {"SweeperEnded": 3, "SweeperOrphans": 2, "SweeperAborted": 0}


def test_everything_can_be_removed(sweeps: Sweeps) -> None:
    """A broken checker does not answer CloudFormation; the guide on stopping by hand says to retain the lease then."""
    delete_function("norole")  # without a role it takes its whole time to fail
    cloudformation = client("cloudformation")
    stacks = [*(f"Annex-{name}" for name in NAMES), BASE]
    for stack in stacks:
        cloudformation.delete_stack(StackName=stack)
    for stack in stacks:
        if wait_for(f"end of {stack}", 700, partial(status, stack)) == "DELETE_FAILED":
            listed = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
            lease = [each["LogicalResourceId"] for each in listed if each["ResourceType"] == "Custom::AnnexLease"]
            cloudformation.delete_stack(StackName=stack, RetainResources=lease)
            assert wait_for(f"end of {stack}", 300, partial(status, stack)) == "DELETE_COMPLETE"
    assert groups() == {}
    assert not any(alive().values())


def status(stack: str) -> str | None:
    """DELETE_COMPLETE, DELETE_FAILED, or None while the stack is being deleted."""
    try:
        found = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    except ClientError:
        return "DELETE_COMPLETE"
    return found if found in ("DELETE_COMPLETE", "DELETE_FAILED") else None
