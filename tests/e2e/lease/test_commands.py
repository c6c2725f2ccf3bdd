"""The operator's commands on a deployed annex, from its plan to the check that nothing is left of it.

No step waits for a clock: `annex stop` ends the lease, and every command calls the real lease checker.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from lab.operator import REPOSITORY, Operator
from lab.steps import wait_for
from tests.e2e.aws_clients import client

SPEC = """
[annex.demo]
size = 2
lease = "30m"
max_lifetime = "4h"
max_instance_hours = 10
price_per_hour = 0.085
"""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    def data(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="module")
def annex(operator_of: Callable[[str], Operator]) -> Callable[..., Done]:
    """Operator of the deployed annex at the command line."""
    operator = operator_of(SPEC)

    def run(*words: str) -> Done:
        command = operator.command("annex", *words)
        environment = operator.environment()
        done = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        print(f"$ annex {' '.join(words)}\n{done.stdout}{done.stderr}[{done.returncode}]\n")
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    assert run("leftovers", "demo").code == 0
    operator.cdk("deploy", "Annex-demo", "--require-approval", "never")
    return run


@pytest.fixture(scope="module")
def operator(operator_of: Callable[[str], Operator], annex: Callable[..., Done]) -> Operator:
    return operator_of(SPEC)


Annex = Callable[..., Done]


def living() -> int:
    states = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    reservations = client("ec2").describe_instances(Filters=states)["Reservations"]
    return sum(len(reservation["Instances"]) for reservation in reservations)


def test_plan(annex: Annex) -> None:
    planned = annex("plan", "demo")
    assert planned.code == 0
    # 2 instances for 4h45m are 9.5, less than the 10 + 2 x 45m that the money allows.
    assert "at most 9.5 instance-hours = 0.81 at 0.085 per instance-hour" in planned.out


def test_the_credential_starts_it(annex: Annex) -> None:
    assert annex("status", "demo", "--json").data()["phase"] == "waiting"
    pushed = annex("credential", "push", "demo")
    assert pushed.code == 0
    wait_for("two instances", 30, lambda: living() == 2)
    status = annex("status", "demo", "--json").data()
    assert status["phase"] in ("granted", "active")
    assert status["instance_hours"]["limit"] == 10
    assert status["lease"]["next_warning"]


def test_a_dry_run_changes_nothing(annex: Annex) -> None:
    before = client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    dry = annex("check", "demo", "--dry-run", "--json")
    assert (dry.code, dry.data()["dry_run"]) == (0, True)
    assert client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"] == before
    assert annex("check", "demo").code == 0


def test_everything_of_a_running_annex_is_found(annex: Annex) -> None:
    found = annex("leftovers", "demo", "--json")
    assert found.code == 1
    kinds = {each["kind"] for each in found.data()["leftovers"]}
    assert {"instance", "Auto Scaling group", "stack", "secret", "function", "schedule", "log group"} <= kinds
    assert {"role", "instance profile", "launch template", "security group", "VPC", "subnet", "route table"} <= kinds
    assert "internet gateway" in kinds
    assert {each["annex"] for each in found.data()["leftovers"]} == {"demo"}
    assert found.data()["errors"] == []


def test_what_was_stopped_is_not_woken_by_an_extension_but_renewed(annex: Annex) -> None:
    stopped = annex("stop", "demo")
    assert (stopped.code, living()) == (0, 0)
    late = annex("extend", "demo", "--for", "1h")
    assert late.code == 1
    assert "run `annex renew demo`" in late.err
    assert annex("status", "demo", "--json").data()["phase"] == "ended"
    assert living() == 0
    renewed = annex("renew", "demo", "--for", "1h")
    assert renewed.code == 0
    wait_for("two instances again", 30, lambda: living() == 2)
    assert annex("renew", "demo", "--for", "1h").code == 0
    beyond = annex("renew", "demo", "--for", "5h")
    assert beyond.code == 2
    assert "exceeds the maximum lifetime" in beyond.err
    assert living() == 2


def test_nothing_is_left_after_destroy_and_that_is_proved(annex: Annex, operator: Operator) -> None:
    operator.cdk("destroy", "Annex-demo", "--force")
    assert annex("leftovers").code == 0
    tag = {"Key": "annex:name", "Value": "demo"}
    ec2 = client("ec2")
    tags = [{"ResourceType": "security-group", "Tags": [tag]}]
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = ec2.create_security_group(GroupName="left", Description="left", VpcId=vpc, TagSpecifications=tags)[
        "GroupId"
    ]
    found = annex("leftovers", "demo")
    assert found.code == 1
    assert group in found.out
    ec2.delete_security_group(GroupId=group)
    proved = annex("leftovers", "--all")
    assert proved.code == 0
    assert "nothing is left of any annex" in proved.out
    # The lab's tagging service still lists deleted resources, as AWS's does for a while; other tests read it too.
    ec2.delete_tags(Resources=[group], Tags=[tag])
    tagging = client("resourcegroupstaggingapi")
    assert tagging.get_resources(TagFilters=[{"Key": "annex:name"}])["ResourceTagMappingList"] == []
