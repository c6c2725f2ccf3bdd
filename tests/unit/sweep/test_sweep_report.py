"""Report of a run: everything that was done with all ids, and what a sweeper that never marks would remove."""

from __future__ import annotations

import json
from typing import Any

import pytest

from annex_lease.sweep.resources import ResourceKind
from annex_lease.sweep.sweep_report import SweepReport, ending_data, log_lines, removal_data
from tests.unit.sweep.sweep_model import HOUR, ONE, endings, group, instance, other, plan, stack

IDS = [f"i-{n:04}" for n in range(1001)]


def test_every_id_of_an_ended_annex_is_logged() -> None:
    (ending,) = endings([group(members=IDS)])
    data = ending_data(ending)
    assert data["instances"] == IDS
    lines: list[Any] = list(log_lines("ended", data, ["refused"]))
    assert [len(line["instances"]) for line in lines] == [500, 500, 1]
    assert [each for line in lines for each in line["instances"]] == IDS
    assert [(line["part"], line["parts"]) for line in lines] == [(1, 3), (2, 3), (3, 3)]
    for line in lines:
        logged = (line["did"], line["group"], line["annex"], line["id"], line["errors"])
        assert logged == ("ended", "asg-a", "a", f"{ONE}.a", ["refused"])
        assert len(json.dumps(line)) < 256 * 1024, "the largest log event"


@pytest.mark.parametrize(("count", "parts"), [(0, [0]), (1, [1]), (500, [500]), (501, [500, 1])])
def test_a_line_holds_at_most_500_ids(count: int, parts: list[int]) -> None:
    lines: list[Any] = list(log_lines("ended", {"instances": IDS[:count]}, []))
    assert [len(line["instances"]) for line in lines] == parts


def test_a_removed_orphan_is_one_line() -> None:
    (removal,) = plan(others=[other(ResourceKind.SECRET, "arn", marked=2 * HOUR)]).removals
    (line,) = log_lines("removed", removal_data(removal), [])
    assert (line["did"], line["kind"], line["id"], line["errors"]) == ("removed", "secret", "arn", [])


def test_the_last_line_of_a_run_is_short_and_its_reply_whole() -> None:
    (ending,) = endings([group(members=IDS)])
    report = SweepReport(dry_run=False, ended=[ending_data(ending)] * 60)
    short: Any = report.as_data(maximum=50)
    assert (len(short["ended"]), short["ended_count"], short["ended"][0]["instances"]) == (50, 60, 1001)
    whole: Any = report.as_data()
    assert len(whole["ended"]) == 60
    assert whole["ended"][0]["instances"] == IDS


def test_a_sweeper_that_never_marks_reports_what_marks_would_lead_to() -> None:
    left = [
        instance("i-new"),
        instance("i-marked", marked=HOUR / 2),
        instance("i-due", marked=2 * HOUR),
        other(ResourceKind.VOLUME, "vol-new"),
    ]
    found = plan(instances=left, dry_run=True, max_removals=4)
    assert [removal.resource.id for removal in found.later] == ["i-new", "i-marked", "vol-new"]
    assert [removal.resource.id for removal in found.removals] == ["i-due"]
    assert (found.orphans, found.aborted) == (4, None)
    aborted = plan(instances=left, dry_run=True, max_removals=3)
    assert str(aborted.aborted).startswith("4 resources would be removed in one run, allowed are 3")
    assert len(aborted.later) == 3
    # In the plan of a sweeper that marks only what is due counts.
    asked = plan(instances=left, max_removals=3)
    assert (asked.later, asked.aborted) == ([], None)


def test_a_group_whose_lease_cannot_be_read_counts_all_its_instances_before_it_is_marked() -> None:
    unread = group(without=["annex:lease-duration"], members=IDS[:60])
    found = plan([unread], stacks=[stack(ONE)], dry_run=True)
    assert str(found.aborted).startswith("60 resources would be removed")
    assert plan([unread], stacks=[stack(ONE)], dry_run=True, max_removals=60).aborted is None
