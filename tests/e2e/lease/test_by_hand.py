"""The plain AWS commands of "Stop an annex by hand", run as shown: without cdk and without annex."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from lab.operator import Operator
from lab.steps import wait_for
from tests.e2e.aws_clients import client
from tests.e2e.by_hand import block, by_hand

SPEC = '[annex.demo]\nsize = 2\nlease = "20m"\nmax_lifetime = "30m"\n'
PAGE = "how-to/stop-by-hand.md"


def listed() -> list[str]:
    groups = client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return [i["InstanceId"] for group in groups for i in group["Instances"]]


@pytest.fixture(scope="module")
def annex(operator_of: Callable[[str], Operator]) -> Operator:
    """Operator of an annex that runs."""
    operator = operator_of(SPEC)
    operator.cdk("deploy", "Annex-demo", "--require-approval", "never")
    operator.annex("credential", "push", "demo")
    wait_for("two instances", 30, lambda: len(listed()) == 2)
    return operator


def test_the_groups_of_all_regions_are_listed(annex: Operator) -> None:
    [group] = client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    # Who looks for the Region has named none.
    commands = f"unset AWS_REGION AWS_DEFAULT_REGION\n{block(PAGE, 'sh')}"
    assert by_hand(annex, commands) == f"us-east-1 {group['AutoScalingGroupName']}\n"


def test_one_tag_moves_the_end(annex: Operator) -> None:
    find_group, _ = block(PAGE, "console").split("aws autoscaling update-auto-scaling-group", 1)
    before = annex.status("demo")["lease"]["effective_end"]
    moved = (datetime.now(UTC) + timedelta(minutes=25)).strftime("%Y-%m-%dT%H:%M:00Z")
    by_hand(annex, find_group + re.sub(r"Value=[^\"]*", f"Value={moved}", block(PAGE, "sh", 1)))
    annex.annex("check", "demo")
    after = annex.status("demo")["lease"]["effective_end"]
    assert datetime.fromisoformat(after) == datetime.fromisoformat(moved) != datetime.fromisoformat(before)


def test_plain_aws_commands_end_an_annex(annex: Operator) -> None:
    by_hand(annex, block(PAGE, "console"))

    def gone() -> bool:
        stacks = client("cloudformation").describe_stacks()["Stacks"]
        return "Annex-demo" not in {stack["StackName"] for stack in stacks}

    wait_for("end of the stack", 300, gone)
    assert client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    tag = {"Key": "annex:name", "Value": "demo"}
    reservations = client("ec2").describe_instances()["Reservations"]
    ours = [i for reservation in reservations for i in reservation["Instances"] if tag in i["Tags"]]
    assert [i["State"]["Name"] for i in ours] == ["terminated"] * 2
