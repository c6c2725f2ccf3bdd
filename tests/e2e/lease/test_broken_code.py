"""A lease checker with code that cannot be imported: a deployment fails, an update of a living annex is taken back and
its lease is still enforced, a destroy leaves nothing.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from annex_lease.tags import TAG_NAME
from lab.operator import REPOSITORY, Operator
from lab.steps import StepError, wait_for
from tests.e2e.aws_clients import client
from tests.e2e.lease.checker_code import BROKEN, break_checker

SPEC = "".join(f'[annex.{name}]\nsize = 1\nlease = "20m"\nmax_lifetime = "30m"\n' for name in ("live", "stillborn"))
# CloudFormation would wait for the checker's answer for 15 minutes. The responder checks twice, 15 s apart.
# Five minutes in a row, the one in which the code broke not among them, and the time that an evaluation takes.
ALARM_SECONDS = 7.5 * 60
DESTROY_SECONDS = DEPLOY_SECONDS = 180.0


@pytest.fixture(scope="module")
def operator(operator_of: Callable[[str], Operator]) -> Operator:
    return operator_of(SPEC)


def living() -> list[str]:
    """Ids of all instances of the account that may still be billed."""
    alive = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
    found = client("ec2").describe_instances(Filters=alive)["Reservations"]
    return [instance["InstanceId"] for reservation in found for instance in reservation["Instances"]]


def left(annex: str) -> list[str]:
    """All resources with the annex's name."""
    found = client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": TAG_NAME, "Values": [annex]}])
    return [each["ResourceARN"] for each in found["ResourceTagMappingList"]]


def status(stack: str) -> str:
    found = client("cloudformation").describe_stacks()["Stacks"]
    return next((str(each["StackStatus"]) for each in found if each["StackName"] == stack), "gone")


def alarm(part: str) -> str:
    """State of the only alarm with this part in its name."""
    (found,) = (each for each in client("cloudwatch").describe_alarms()["MetricAlarms"] if part in each["AlarmName"])
    return str(found["StateValue"])


def changes() -> list[str]:
    """Changes of the alarms' states, the newest first, each with its time and its reason."""
    history = client("cloudwatch").describe_alarm_history(HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    return [f"{each['Timestamp']} {each['HistorySummary']} {each.get('HistoryData', '')}" for each in history]


def alarmed() -> list[str]:
    """Changes that published anything: one to OK does not, and neither does the creation of an alarm."""
    quiet = ("to OK", "from INSUFFICIENT_DATA to INSUFFICIENT_DATA")
    return [each for each in changes() if not any(text in each for text in quiet)]


def broken_release(directory: Path) -> Path:
    """App of a release with a lease checker that raises when it is imported."""
    for package in ("annex_spec", "annex_lease", "annex_constructs", "stacks"):
        shutil.copytree(REPOSITORY / package, directory / package, ignore=shutil.ignore_patterns("__pycache__"))
    (directory / "annex_lease" / "handler.py").write_text(BROKEN)
    return Path(shutil.copy(REPOSITORY / "app.py", directory))


def _refuse_an_update(operator: Operator, app: Path) -> None:
    """Deploy a release that differs in the checker's code alone: it fails, and the code before it is there again."""
    with pytest.raises(StepError, match="broken on purpose"):
        operator.cdk(
            "deploy", "Annex-live", "--require-approval", "never", "--app", f"{sys.executable} {app}", seconds=600
        )
    assert status("Annex-live") == "UPDATE_ROLLBACK_COMPLETE"
    assert len(living()) == 1, "the update touches no instance"
    before = json.loads(operator.annex("check", "live", "--json"))
    assert (before["phase"], before["errors"]) == ("active", []), "the code before it answers"
    operator.annex("extend", "live", "--for", "25m")
    assert json.loads(operator.annex("check", "live", "--json"))["end"] > before["end"], "and enforces the lease"


def test_an_instance_does_not_outlive_a_destroy_with_a_broken_checker(operator: Operator, tmp_path: Path) -> None:
    operator.cdk("deploy", "Annex-live", "--require-approval", "never")
    operator.annex("credential", "push", "live")
    wait_for("the instance", 60, lambda: len(living()) == 1)
    wait_for("the first checks", 90, lambda: alarm("Unenforced") == "OK")
    assert alarmed() == [], f"a deployment is no reason for an alarm: {changes()}"
    _refuse_an_update(operator, broken_release(tmp_path))
    break_checker("live")
    wait_for("the alarm about failed checks", ALARM_SECONDS, lambda: alarm("Unenforced") == "ALARM")
    began = time.monotonic()
    operator.cdk("destroy", "Annex-live", "--force", seconds=600)
    took = time.monotonic() - began
    assert living() == []
    assert status("Annex-live") == "gone"
    assert left("live") == []
    assert took < DESTROY_SECONDS
    print(f"destroyed in {took:.0f} s")


def test_a_broken_release_is_not_deployed_and_says_why(operator: Operator, tmp_path: Path) -> None:
    app = broken_release(tmp_path)
    began = time.monotonic()
    with pytest.raises(StepError, match="broken on purpose"):
        operator.cdk(
            *("deploy", "Annex-stillborn", "--require-approval", "never", "--app", f"{sys.executable} {app}"),
            seconds=600,
        )
    took = time.monotonic() - began
    assert status("Annex-stillborn") == "ROLLBACK_COMPLETE"
    assert living() == []
    assert [arn for arn in left("stillborn") if ":stack/" not in arn] == [], "only the stack is left, with the reason"
    assert took < DEPLOY_SECONDS
    print(f"refused in {took:.0f} s")
    operator.cdk("destroy", "Annex-stillborn", "--force")
    assert status("Annex-stillborn") == "gone"
    assert left("stillborn") == []
