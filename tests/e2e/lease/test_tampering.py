"""Deployed annexes with a manipulated lease record or checker: none exists longer than it should."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from annex_lease.tags import TAG_NAME, TAG_UNTIL
from lab.operator import Operator
from lab.steps import wait_for
from tests.e2e.aws_clients import client
from tests.e2e.lease.checker_code import break_checker

LEASE = timedelta(minutes=4)  # a busy machine needs more than two to set everything up
NAMES = ("kept", "deleted", "rubbish", "absurd", "broken")
SPEC = "".join(f'[annex.{name}]\nsize = 1\nlease = "4m"\nmax_lifetime = "30m"\n' for name in NAMES)
CHECK_EVERY = timedelta(seconds=60)
SLACK = timedelta(seconds=10)  # of this machine, between a run of the checker and the test's look at its effect


@dataclass
class History:
    """Observations of each annex until well after every declared end."""

    operator: Operator
    declared: dict[str, datetime] = field(default_factory=dict)
    last_alive: dict[str, datetime] = field(default_factory=dict)
    extended: datetime | None = None


def group(name: str) -> dict[str, Any]:
    found = client("autoscaling").describe_auto_scaling_groups(Filters=[{"Name": f"tag:{TAG_NAME}", "Values": [name]}])[
        "AutoScalingGroups"
    ]
    (only,) = [g for g in found if {t["Key"]: t["Value"] for t in g["Tags"]}[TAG_NAME] == name]
    return dict(only)


def set_until(name: str, value: str | None) -> None:
    tag = {"ResourceId": group(name)["AutoScalingGroupName"], "ResourceType": "auto-scaling-group", "Key": TAG_UNTIL}
    if value is None:
        client("autoscaling").delete_tags(Tags=[tag])
    else:
        tags = [{**tag, "Value": value, "PropagateAtLaunch": False}]
        client("autoscaling").create_or_update_tags(Tags=tags)


@pytest.fixture(scope="module")
def history(operator_of: Callable[[str], Operator]) -> History:
    operator = operator_of(SPEC)
    operator.cdk("deploy", "--all", "--require-approval", "never", "--concurrency", "5")
    seen = History(operator)
    for name in NAMES:
        seen.declared[name] = group(name)["CreatedTime"] + LEASE
    break_checker("broken")
    for name in NAMES:
        # The command reports the broken checker; the credential is stored nevertheless.
        operator.run("annex", "credential", "push", name, check=name != "broken")
    sound = [name for name in NAMES if name != "broken"]
    wait_for("instance in each sound annex", 60, lambda: all(group(name)["Instances"] for name in sound))
    for name in sound:
        operator.annex("extend", name, "--for", "10m")
    set_until("deleted", None)
    set_until("rubbish", "tomorrow")
    set_until("absurd", "9999-12-31T23:59:59Z")
    seen.extended = datetime.fromisoformat(operator.status("kept")["lease"]["effective_end"])
    until = max(seen.declared.values()) + CHECK_EVERY + SLACK
    while datetime.now(UTC) < until:
        moment = datetime.now(UTC)
        for name in NAMES:
            if group(name)["Instances"] or group(name)["DesiredCapacity"]:
                seen.last_alive[name] = moment
        time.sleep(2)
    return seen


def test_an_extension_beyond_the_maximum_lifetime_gets_the_maximum(history: History) -> None:
    """The declared end is over by now: to fall back to it would end the fleet at once."""
    status = history.operator.status("absurd")["lease"]
    assert datetime.fromisoformat(status["effective_end"]) == datetime.fromisoformat(status["latest_end"])
    assert len(group("absurd")["Instances"]) == 1


@pytest.mark.parametrize("name", ["deleted", "rubbish"])
def test_an_invalid_extension_is_ignored(history: History, name: str) -> None:
    assert history.last_alive[name] <= history.declared[name] + CHECK_EVERY + SLACK
    assert history.last_alive[name] >= history.declared[name] - SLACK, "it ended before its time"
    assert group(name)["DesiredCapacity"] == 0
    assert group(name)["Instances"] == []


def test_a_sound_extension_holds(history: History) -> None:
    assert history.extended is not None
    assert history.extended > history.declared["kept"] + timedelta(minutes=4)
    assert len(group("kept")["Instances"]) == 1


def test_a_broken_checker_starts_nothing(history: History) -> None:
    assert "broken" not in history.last_alive
    assert history.operator.status("broken")["instances"] == []


def test_an_annex_that_was_stopped_is_empty_and_stays_so(history: History) -> None:
    history.operator.annex("stop", "kept")
    assert group("kept")["Instances"] == []
    # Neither the operator's lost override nor a deployment of the same spec starts it again.
    set_until("kept", None)
    history.operator.cdk("deploy", "Annex-kept", "--require-approval", "never", "--force")
    history.operator.run("annex", "credential", "push", "kept", check=False)
    time.sleep(5)
    assert group("kept")["DesiredCapacity"] == 0
    assert group("kept")["Instances"] == []


def test_destroy_leaves_nothing(history: History) -> None:
    # The broken checker is not repaired: its responder answers CloudFormation.
    history.operator.cdk("destroy", "--all", "--force", "--concurrency", "5", seconds=600)
    left = client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": TAG_NAME}])
    assert left["ResourceTagMappingList"] == []
    assert client("secretsmanager").list_secrets()["SecretList"] == []
