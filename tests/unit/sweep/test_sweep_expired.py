"""Expired annexes that still exist: the sweeper does later what their own checkers should have done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from annex_lease.actions import (
    ClearProtection,
    DeleteWarmPool,
    EmptyGroup,
    ResumeTerminate,
    SuspendLaunch,
    TerminateInstances,
)
from annex_lease.observed import GroupMember
from annex_lease.sweep.expired import decide_again
from annex_lease.sweep.resources import Inventory
from annex_lease.sweep.sweep_settings import SweepSettings
from annex_lease.sweep.sweeper import sweep
from annex_lease.tags import TAG_END, TAG_GRANTED, TAG_ID, TAG_NAME, TAG_RENEWED, format_time
from tests.unit.sweep.sweep_model import (
    GRACE,
    HOUR,
    MINUTE,
    NOW,
    ONE,
    OTHER,
    FakeRegion,
    endings,
    group,
    instance,
    plan,
    stack,
    terminated,
    until,
)

SLACK = 10 * MINUTE


def kinds(found: Any) -> list[type]:
    return [type(action) for action in found.actions]


@pytest.mark.parametrize(("ended", "expected"), [(-HOUR, 0), (SLACK - MINUTE, 0), (SLACK, 1), (HOUR, 1)])
def test_a_checker_has_the_first_chance(ended: Any, expected: int) -> None:
    assert len(endings([group(ended=ended)])) == expected


def test_an_extension_counts() -> None:
    assert endings([group(extra=until(MINUTE))]) == []
    assert len(endings([group(extra=until(-HOUR))])) == 1


def test_within_the_grace_it_stops_and_does_not_terminate() -> None:
    (found,) = endings([group(ended=SLACK + MINUTE)])
    assert kinds(found) == [EmptyGroup, SuspendLaunch]
    assert (found.group, found.name, found.id, found.alive) == ("asg-a", "a", f"{ONE}.a", ("i-1",))


@pytest.mark.parametrize(("after", "expected"), [(-MINUTE, False), (0 * MINUTE, True)])
def test_the_checker_has_the_first_chance_after_the_grace_too(after: timedelta, expected: bool) -> None:
    (found,) = endings([group(ended=SLACK + GRACE + after)])
    assert (TerminateInstances in kinds(found)) is expected


def test_an_end_that_was_moved_into_the_past_has_no_new_grace_in_each_run() -> None:
    """The sweeper has no memory: only the annex's own checker measures when it found the end."""
    published = {TAG_END: format_time(NOW + HOUR)}
    (found,) = endings([group(ended=-HOUR, extra=until(-SLACK - GRACE) | published)])
    assert TerminateInstances in kinds(found)


def test_after_the_grace_it_does_everything_that_the_checker_would() -> None:
    stuck = replace(
        group(ended=SLACK + GRACE),
        members=(GroupMember("i-1", "InService", protected=True),),
        suspended=frozenset({"Terminate"}),
        warm_pool=True,
        warm_pool_size=1,
    )
    (found,) = endings([stuck])
    assert kinds(found) == [
        EmptyGroup,
        SuspendLaunch,
        ResumeTerminate,
        DeleteWarmPool,
        ClearProtection,
        TerminateInstances,
    ]


def test_what_is_ended_is_left_alone() -> None:
    over = replace(group(members=()), suspended=frozenset({"Launch"}))
    assert endings([over]) == []
    (found,) = endings([over], [instance("i-9", member_of="asg-a")])
    assert terminated(found.actions[0]) == ("i-9",)


def test_instances_are_those_of_this_annex_alone() -> None:
    listed = [
        instance("i-member", member_of="asg-a"),
        instance("i-detached"),
        instance("i-same-name", uuid=OTHER),
        instance("i-no-id", uuid=None),
        instance("i-prefix", name="a2"),
        instance("i-elsewhere", member_of="asg-other"),
        instance("i-dead", member_of="asg-a", state="terminated"),
    ]
    other = group("other", OTHER, ended=-HOUR, members=())
    (found,) = endings([group(members=()), other], listed)
    assert terminated(found.actions[-1]) == ("i-detached", "i-member")


def test_a_forged_id_reaches_no_instance_of_another_annex() -> None:
    tampered = group(members=(), without=[TAG_ID], extra={TAG_ID: f"{OTHER}.victim"})
    found = endings([tampered], [instance("i-victim", name="victim", uuid=OTHER)])
    assert all("i-victim" not in str(action) for each in found for action in each.actions)


def test_a_listing_that_failed_keeps_no_annex_alive() -> None:
    (found,) = endings([group()], None)
    assert terminated(found.actions[-1]) == ("i-1",)


def test_an_instance_that_lost_its_name_is_ended_with_its_annex() -> None:
    nameless = replace(instance("i-nameless"), tags={TAG_ID: f"{ONE}.a"})
    (found,) = endings([group(members=())], [nameless, replace(nameless, id="i-other", tags={TAG_ID: f"{OTHER}.a"})])
    assert terminated(found.actions[-1]) == ("i-nameless",)
    assert endings([group(ended=-HOUR, members=())], [nameless]) == []


@pytest.mark.parametrize("without", [[TAG_NAME], ["annex:lease-duration"], ["annex:size", "annex:lease-grace"]])
def test_without_a_readable_record_nothing_is_ended_at_once(without: list[str]) -> None:
    assert endings([group(without=without)]) == []


def test_a_planned_ending_is_decided_again() -> None:
    (planned,) = endings([group()], [instance("i-detached")])
    assert decide_again(planned, group(), NOW, SLACK) == planned
    assert decide_again(planned, None, NOW, SLACK) is None
    assert decide_again(planned, group(extra=until(MINUTE)), NOW, SLACK) is None
    less = decide_again(planned, group(members=()), NOW, SLACK)
    assert less is not None
    assert less.alive == ("i-detached",), "what EC2 listed is not listed again"


def test_a_renewal_counts_even_of_a_group_that_is_stopped() -> None:
    told = {TAG_GRANTED: "2", TAG_END: format_time(NOW - HOUR)}
    stopped = group(ended=-HOUR, suspended=frozenset({"Launch"}), desired=0, extra=told)
    (planned,) = endings([stopped])
    renewed = group(ended=-HOUR, extra={TAG_RENEWED: format_time(NOW)})
    assert decide_again(planned, stopped, NOW, SLACK) is not None
    assert decide_again(planned, renewed, NOW, SLACK) is None


def test_a_group_that_was_stopped_by_hand_before_any_end_was_published_keeps_its_instances() -> None:
    stopped = group(ended=-HOUR, suspended=frozenset({"Launch"}), desired=0, extra={TAG_GRANTED: "2"})
    assert endings([stopped], [instance("i-detached")]) == []
    over = group(ended=SLACK + GRACE, suspended=frozenset({"Launch"}), desired=0, extra={TAG_GRANTED: "2"})
    (found,) = endings([over], [instance("i-detached")])
    assert found.alive == ("i-1", "i-detached")


def test_a_lease_that_can_be_read_again_counts() -> None:
    unread, mark = ["annex:lease-duration"], {"annex:orphan": format_time(NOW - 2 * HOUR)}
    (removal,) = plan([group(without=unread, extra=mark)], stacks=[stack(ONE)]).removals
    assert removal.ending is not None
    assert decide_again(removal.ending, group(without=unread), NOW, SLACK) is not None
    assert decide_again(removal.ending, group(ended=-HOUR), NOW, SLACK) is None


def ended_in_order(region: FakeRegion, minute: int) -> list[object]:
    clients: Any = None  # a dry run uses none
    now = NOW + minute * MINUTE
    report = sweep(clients, now, SweepSettings(), lambda: 0.0, lambda _: None, dry_run=True, region=region)
    return [entry["annex"] for entry in report.ended]


def test_each_run_begins_with_another_annex() -> None:
    region = FakeRegion(Inventory(tuple(group(name) for name in ("a", "b", "c")), (), (), ()))
    orders = [ended_in_order(region, minute) for minute in range(4)]
    assert orders[0] != orders[1]
    assert [order[0] for order in orders] == [orders[0][0], orders[0][1], orders[0][2], orders[0][0]]
    assert all(sorted(map(str, order)) == ["a", "b", "c"] for order in orders)


def test_what_is_over_is_ended_before_anything_else_is_listed() -> None:
    alive = [group(f"n{n}", OTHER, ended=-HOUR) for n in range(3)]
    region = FakeRegion(Inventory((*alive, group()), (instance("i-detached"),), (), ()))
    assert ended_in_order(region, 0) == ["a"]
    assert region.asked == ["groups", "instances of asg-a", "everything"]
    calm = FakeRegion(Inventory(tuple(alive), (), (), ()))
    assert ended_in_order(calm, 0) == []
    assert calm.asked == ["groups", "everything"]
