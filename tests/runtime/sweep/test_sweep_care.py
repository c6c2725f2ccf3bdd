"""Details of a run: its event, changes while it lists, resources that are only still listed, its log."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from annex_lease.sweep.sweeper import SweepError
from annex_lease.tags import TAG_UNTIL, format_time
from tests.runtime.sweep.sweep_cloud import HOUR, MINUTE, Region, annex_tags, refuse

LATE = HOUR + 30 * MINUTE  # the lease of an hour, its grace and the slack are over
GONE = "99999999-0000-4000-8000-000000000000"
ALLOWED = r'allowed \{"sweep": "scheduled"\} to act or \{"sweep": "dry-run"\} to look'


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    "event", [{}, {"sweep": "dry_run"}, {"sweep": "dry-run "}, {"sweep": None}, {"sweep": "scheduled", "dry": 1}, [], 5]
)
def test_a_misspelt_event_does_not_act(region: Region, event: object, capsys: pytest.CaptureFixture[str]) -> None:
    region.add_annex("a", region.add_stack("Annex-a"))
    region.changes.clear()
    with pytest.raises(ValueError, match=ALLOWED) as refused:
        region.sweep(LATE, event=event)
    assert f"received {event!r}, " in str(refused.value)
    assert region.changes == []
    (line,) = lines(capsys)
    assert line["outcome"] == "failed"
    assert "_aws" not in line


@pytest.mark.parametrize(("asked", "does"), [("scheduled", True), ("dry-run", False)])
def test_what_is_asked_is_done(region: Region, asked: str, does: bool) -> None:
    asg = region.add_annex("a", region.add_stack("Annex-a"))
    report = region.sweep(LATE, event={"sweep": asked})
    assert len(report["ended"]) == 1
    assert (region.group(asg)["DesiredCapacity"] == 0, report["dry_run"]) == (does, not does)


@pytest.mark.parametrize(
    ("until", "ended"), [(5 * HOUR, ["b"]), (LATE - 9 * MINUTE, ["b"]), (LATE - 10 * MINUTE, ["a", "b"])], ids=str
)
def test_an_extension_that_comes_while_it_lists_counts(region: Region, until: timedelta, ended: list[str]) -> None:
    groups = {name: region.add_annex(name, region.add_stack(f"Annex-{name}")) for name in ("a", "b")}
    region.meanwhile = lambda: region.tag_group(groups["a"], TAG_UNTIL, format_time(region.born + until))
    report = region.sweep(LATE)
    assert sorted(entry["annex"] for entry in report["ended"]) == ended
    assert [entry["annex"] for entry in report["skipped"]] == [name for name in ("a", "b") if name not in ended]
    for name, asg in groups.items():
        group = region.group(asg)
        assert (group["DesiredCapacity"], len(group["SuspendedProcesses"])) == ((0, 1) if name in ended else (2, 0))


def test_a_lease_that_can_be_read_while_it_lists_is_kept(region: Region) -> None:
    asg = region.add_annex("a", region.add_stack("Annex-a"), hours=9, without=["annex:lease-duration"])
    region.sweep(2 * HOUR)
    region.meanwhile = lambda: region.tag_group(asg, "annex:lease-duration", str(9 * 3600))
    report = region.sweep(3 * HOUR)
    assert (report["removed"], [entry["group"] for entry in report["skipped"]]) == ([], [asg])
    assert len(region.members(asg)) == 2


def test_a_group_that_went_while_it_lists_is_nothing_to_end(region: Region) -> None:
    asg = region.add_annex("a", region.add_stack("Annex-a"))
    autoscaling = region.clients.autoscaling
    region.meanwhile = lambda: autoscaling.delete_auto_scaling_group(AutoScalingGroupName=asg, ForceDelete=True)
    report = region.sweep(LATE)
    assert (report["ended"], [entry["group"] for entry in report["skipped"]]) == ([], [asg])


def test_a_group_that_cannot_be_read_again_is_an_error_and_left(region: Region) -> None:
    groups = {name: region.add_annex(name, region.add_stack(f"Annex-{name}")) for name in ("a", "b")}
    refuse(region.clients.autoscaling, "DescribeAutoScalingGroups", where=groups["a"])
    with pytest.raises(SweepError, match=f"{groups['a']}: not ended, because it could not be read again: .*AccessDe"):
        region.sweep(LATE)
    assert [region.group(groups["b"])["DesiredCapacity"]] == [0]


def test_a_log_group_that_is_only_still_listed_is_not_there(region: Region) -> None:
    tags = annex_tags("a", GONE)
    region.clients.logs.create_log_group(logGroupName="/log/ghost-of-another", tags={})
    left = region.add_leftovers(tags)
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    ghost = "arn:aws:logs:us-east-1:123456789012:log-group:/log/ghost"
    region.ghosts = [{"ResourceARN": ghost, "Tags": listed}]
    marked = [entry["id"] for entry in region.sweep(2 * HOUR)["marked"]]
    assert left["log-group"] in marked
    assert ghost not in marked
    region.clients.logs.create_log_group(logGroupName="/log/ghost", tags=tags)
    region.ghosts = []
    assert [entry["id"] for entry in region.sweep(2 * HOUR)["marked"]] == [ghost]


def test_everything_that_is_destroyed_has_a_line_of_its_own(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    asg = region.add_annex("a", region.add_stack("Annex-a"), hours=2)
    members = sorted(region.members(asg))
    orphan = region.add_instance(annex_tags("b", GONE))
    region.sweep(HOUR + MINUTE)
    region.sweep(3 * HOUR, event={"sweep": "dry-run"})
    capsys.readouterr()
    report = region.sweep(3 * HOUR)
    ended, removed, last = lines(capsys)
    assert (ended["did"], ended["group"], ended["instances"], ended["errors"]) == ("ended", asg, members, [])
    assert (ended["part"], ended["parts"]) == (1, 1)
    assert (removed["did"], removed["id"], removed["kind"]) == ("removed", orphan, "instance")
    assert ("did" in last, last["outcome"], last["ended"][0]["instances"]) == (False, "done", 2)
    assert report["ended"][0]["instances"] == members


def test_what_failed_has_its_line_too(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    asg = region.add_annex("a", region.add_stack("Annex-a"))
    refuse(region.clients.autoscaling, "UpdateAutoScalingGroup")
    with pytest.raises(SweepError):
        region.sweep(LATE)
    tried, last = lines(capsys)
    assert tried["group"] == asg
    assert "EmptyGroup: " in tried["errors"][0]
    assert last["errors"] == tried["errors"]


def test_a_sweeper_that_never_marks_reports_that_it_would_abort(
    region: Region, capsys: pytest.CaptureFixture[str]
) -> None:
    left = region.add_leftovers(annex_tags("a", GONE))
    region.changes.clear()
    calm = region.sweep(2 * HOUR, SWEEP_DRY_RUN="1")
    assert calm["aborted"] is None
    assert [entry["id"] for entry in calm["would_remove_later"]] == list(left.values())
    capsys.readouterr()
    report = region.sweep(2 * HOUR, SWEEP_DRY_RUN="1", SWEEP_MAX_REMOVALS="4")
    assert report["aborted"].startswith("5 resources would be removed")
    assert lines(capsys)[-1]["SweeperAborted"] == 1
    assert region.changes == []
    assert region.sweep(2 * HOUR, SWEEP_MAX_REMOVALS="4")["would_remove_later"] == []


def test_an_ended_group_of_a_deleted_stack_hides_nothing(region: Region) -> None:
    uuid = region.add_stack("Annex-a")
    asg = region.add_annex("a", uuid)
    region.sweep(LATE)
    assert region.members(asg) == set()
    left = region.add_leftovers(annex_tags("a", uuid))
    del left["instance"]
    for instance in region.instances():
        region.clients.ec2.terminate_instances(InstanceIds=[instance])
    assert region.sweep(2 * HOUR)["reports"] == []
    del region.stacks["Annex-a"]
    reported = region.sweep(3 * HOUR)
    # Its annex was ended an hour ago already; the stack keeps the others.
    assert [entry["id"] for entry in reported["removed"]] == [left.pop("volume")]
    assert reported["reports"] == [
        f"group {asg} belongs to a stack that does not exist: it is ended and empty; delete it"
    ]
    assert {entry["id"] for entry in region.sweep(4 * HOUR)["removed"]} == set(left.values())
    assert region.group(asg)["DesiredCapacity"] == 0
