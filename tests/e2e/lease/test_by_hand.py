"""The plain AWS commands of "Stop an annex by hand", run as shown, end an annex without cdk and without annex."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from lab.operator import REPOSITORY, Operator
from lab.steps import wait_for
from tests.e2e.aws_clients import client

SPEC = '[annex.demo]\nsize = 2\nlease = "20m"\nmax_lifetime = "30m"\n'
POOL_ROOT = "/run/annex-lab/pool"  # the pool's root file system, which has the AWS CLI of the machine image


def commands() -> str:
    """The only console block of the page, without its prompts."""
    page = Path(REPOSITORY / "docs/how-to/stop-by-hand.md").read_text()
    (block,) = re.findall(r"```console\n(.*?)```", page, re.S)
    return "set -eu\n" + re.sub(r"^\$ ", "", block, flags=re.M)


def listed() -> list[str]:
    groups = client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return [i["InstanceId"] for group in groups for i in group["Instances"]]


def test_plain_aws_commands_end_an_annex(operator_of: Callable[[str], Operator]) -> None:
    operator = operator_of(SPEC)
    operator.cdk("deploy", "Annex-demo", "--require-approval", "never")
    operator.annex("credential", "push", "demo")
    wait_for("two instances", 30, lambda: len(listed()) == 2)

    # The CLI of the image trusts the lab's authority itself; the file of the operator's variable does not exist there.
    operator.run("chroot", POOL_ROOT, "env", "-u", "AWS_CA_BUNDLE", "bash", "-c", commands())

    def gone() -> bool:
        stacks = client("cloudformation").describe_stacks()["Stacks"]
        return "Annex-demo" not in {stack["StackName"] for stack in stacks}

    wait_for("end of the stack", 300, gone)
    assert client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == []
    tag = {"Key": "annex:name", "Value": "demo"}
    reservations = client("ec2").describe_instances()["Reservations"]
    ours = [i for reservation in reservations for i in reservation["Instances"] if tag in i["Tags"]]
    assert [i["State"]["Name"] for i in ours] == ["terminated"] * 2
