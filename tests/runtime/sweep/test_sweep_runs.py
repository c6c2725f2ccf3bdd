"""Whole runs against an AWS in process: expired annexes end, orphans are removed, everything else stays."""

from __future__ import annotations

import json

import pytest

from annex_lease.sweep.sweeper import SweepError
from tests.runtime.sweep.sweep_cloud import HOUR, MINUTE, Region, annex_tags, ids, refuse

LATE = HOUR + 30 * MINUTE  # the lease of an hour, its grace and the slack are over
DRY = {"sweep": "dry-run"}
GONE = "99999999-0000-4000-8000-000000000000"
LISTS = ("ended", "removed", "marked", "unmarked")


def test_only_the_expired_annex_ends_among_similar_names(region: Region) -> None:
    uuids = {
        name: region.add_stack(f"Annex-{name}", f"HTCondor annex {name}: execution points")
        for name in ("a", "pa", "paper")
    }
    groups = {name: region.add_annex(name, uuid, hours=1 if name == "pa" else 9) for name, uuid in uuids.items()}
    same_name = region.add_annex("pa", region.add_stack("Other"), hours=9)
    foreign = region.add_foreign_group()
    before = region.instances()
    over = region.members(groups["pa"])
    detached = region.add_instance(annex_tags("pa", uuids["pa"]))
    report = region.sweep(LATE)
    assert [entry["group"] for entry in report["ended"]] == [groups["pa"]]
    assert region.instances() == before - over
    assert detached not in region.instances()
    assert all(len(region.members(each)) == 2 for each in (groups["a"], groups["paper"], same_name))
    assert len(region.members(foreign)) == 1
    ended = region.group(groups["pa"])
    assert (ended["MinSize"], ended["DesiredCapacity"]) == (0, 0)
    assert {process["ProcessName"] for process in ended["SuspendedProcesses"]} == {"Launch"}
    region.changes.clear()
    assert region.sweep(LATE + 15 * MINUTE)["ended"] == []
    assert region.changes == []


def test_before_the_slack_is_over_the_checker_is_left_to_it(region: Region) -> None:
    region.add_annex("a", region.add_stack("Annex-a"))
    region.changes.clear()
    assert region.sweep(HOUR + 9 * MINUTE)["ended"] == []
    assert region.changes == []
    assert len(region.sweep(HOUR + 9 * MINUTE, SWEEP_SLACK_SECONDS="60")["ended"]) == 1


def test_a_dry_run_lists_what_a_run_does_and_changes_nothing(region: Region) -> None:
    region.add_annex("a", region.add_stack("Annex-a"))
    region.add_leftovers(annex_tags("b", GONE))
    for after in (2 * HOUR, 3 * HOUR):
        region.changes.clear()
        dry = region.sweep(after, event=DRY)
        assert dry == {**region.sweep(after, SWEEP_DRY_RUN="1"), "would_remove_later": []}
        assert region.changes == []
        real = region.sweep(after)
        assert {name: dry[name] for name in LISTS} == {name: real[name] for name in LISTS}
        assert any(real[name] for name in LISTS)
        assert region.changes != []


def test_more_than_may_be_removed_is_not(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.add_leftovers(annex_tags("b", GONE))
    region.add_annex("a", region.add_stack("Annex-a"), hours=3)
    region.sweep(2 * HOUR)
    before = region.left()
    capsys.readouterr()
    report = region.sweep(3 * HOUR, SWEEP_MAX_REMOVALS="4")
    assert "5 resources would be removed" in report["aborted"]
    line = json.loads(capsys.readouterr().out)
    assert (line["SweeperAborted"], line["SweeperOrphans"]) == (1, 5)
    assert region.left() == before
    # The limit does not hold for an annex whose own record says that its lease is over.
    assert len(region.sweep(3 * HOUR + 30 * MINUTE, SWEEP_MAX_REMOVALS="0")["ended"]) == 1


def test_every_page_is_read(region: Region) -> None:
    uuids = [region.add_stack(f"Annex-n{n}") for n in range(101)]  # a page holds 100
    groups = [region.add_annex(f"n{n}", uuid, size=1) for n, uuid in enumerate(uuids)]
    orphans = [region.add_leftovers(annex_tags("b", GONE))["log-group"] for _ in range(3)]
    report = region.sweep(2 * HOUR)
    assert sorted(entry["group"] for entry in report["ended"]) == sorted(groups)
    assert set(orphans) <= set(ids(report, "marked"))
    assert all(not region.members(each) for each in groups)


def test_an_annex_that_fails_does_not_keep_the_others(region: Region) -> None:
    names = ("a", "b", "c")
    groups = {name: region.add_annex(name, region.add_stack(f"Annex-{name}")) for name in names}
    orphan = region.add_instance(annex_tags("d", GONE))
    refuse(region.clients.autoscaling, "UpdateAutoScalingGroup", where=groups["b"])
    with pytest.raises(SweepError, match=f"{groups['b']}: EmptyGroup: .*AccessDenied") as failed:
        region.sweep(LATE)
    report = failed.value.report
    assert len(report.errors) == 1
    assert len(report.ended) == 3
    assert ids(report.as_data(), "marked") == [orphan]
    assert [region.group(groups[name])["DesiredCapacity"] for name in names] == [0, 2, 0]


def test_without_the_groups_nothing_is_known_and_nothing_is_done(region: Region) -> None:
    region.add_instance(annex_tags("a", GONE))
    refuse(region.clients.autoscaling, "DescribeAutoScalingGroups")
    region.changes.clear()
    with pytest.raises(Exception, match="AccessDenied"):
        region.sweep(2 * HOUR)
    assert region.changes == []


LISTINGS = [
    ("ec2", "DescribeInstances", "the instances"),
    ("ec2", "DescribeVolumes", "the volumes"),
    ("ec2", "DescribeNetworkInterfaces", "the network interfaces"),
    ("secretsmanager", "ListSecrets", "the secrets"),
    ("tagging", "GetResources", "the log groups"),
    ("logs", "DescribeLogGroups", "the log groups"),
    ("cloudformation", "DescribeStacks", "the stacks"),
]


@pytest.mark.parametrize(("client", "operation", "what"), LISTINGS)
def test_a_listing_that_fails_is_an_error_and_no_orphan(region: Region, client: str, operation: str, what: str) -> None:
    asg = region.add_annex("a", region.add_stack("Annex-a"))
    region.add_leftovers(annex_tags("b", GONE))
    refuse(getattr(region.clients, client), operation)
    with pytest.raises(SweepError, match=f"{what} could not be listed: .*AccessDenied") as failed:
        region.sweep(2 * HOUR)
    report = failed.value.report
    assert (report.orphans, report.marked, report.removed) == (0, [], [])
    assert {what, "the orphans"} <= set(report.not_known)
    assert [entry["group"] for entry in report.ended] == [asg]
    assert region.group(asg)["DesiredCapacity"] == 0


def test_a_run_that_is_nearly_out_of_time_starts_nothing_and_fails(region: Region) -> None:
    asg = region.add_annex("a", region.add_stack("Annex-a"))
    region.changes.clear()
    with pytest.raises(SweepError, match=r"orphans were not looked for: .*; 1 steps were not started") as failed:
        region.sweep(LATE, seconds=20)
    assert failed.value.report.not_known == ["the orphans"]
    assert region.changes == []
    assert len(region.sweep(LATE)["ended"]) == 1
    assert region.group(asg)["DesiredCapacity"] == 0


def test_one_line_of_json_with_its_metrics(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.add_annex("a", region.add_stack("Annex-a"))
    region.sweep(MINUTE)
    quiet = json.loads(capsys.readouterr().out)
    (directive,) = quiet["_aws"]["CloudWatchMetrics"]
    assert directive == {
        "Namespace": "HTCondorAnnex",
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": "SweeperRan", "Unit": "Count"}],
    }
    sent = (quiet["FunctionName"], quiet["SweeperRan"], quiet["outcome"], quiet["error"])
    assert sent == ("sweeper", 1, "done", None)
    region.sweep(LATE, event=DRY)
    assert "_aws" not in json.loads(capsys.readouterr().out), "a dry run by hand would hide a silent schedule"
    region.sweep(LATE, SWEEP_DRY_RUN="1")
    assert "SweeperEnded" not in json.loads(capsys.readouterr().out)
    region.sweep(LATE)
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (line["SweeperRan"], line["SweeperEnded"]) == (1, 1)
    refuse(region.clients.autoscaling, "DescribeAutoScalingGroups")
    with pytest.raises(Exception, match="AccessDenied"):
        region.sweep(LATE)
    failed = json.loads(capsys.readouterr().out)
    assert (failed["outcome"], "_aws" in failed) == ("failed", False)
    assert "AccessDenied" in failed["error"]


@pytest.mark.parametrize(
    ("name", "value"), [("SWEEP_MAX_REMOVALS", "many"), ("SWEEP_DRY_RUN", "true"), ("SWEEP_WAIT_SECONDS", "-1")]
)
def test_a_bad_environment_stops_the_run(region: Region, name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: '{value}' is not a whole number from 0 to"):
        region.sweep(HOUR, environ={name: value})


def test_a_stack_that_needs_a_person_is_reported(region: Region, capsys: pytest.CaptureFixture[str]) -> None:
    region.add_stack("Annex-a", "HTCondor annex a: execution points under a lease")
    report = region.sweep(2 * HOUR)
    assert json.loads(capsys.readouterr().out)["SweeperReports"] == 1
    assert report["reports"] == ["stack Annex-a has no Auto Scaling group: delete it, or deploy it again"]
    assert (report["orphans"], report["removed"]) == (0, [])
