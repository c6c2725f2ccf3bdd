"""Scheduled actions of EC2 Auto Scaling: an enforcer without any code of ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import ScheduleEnds
from annex_lease.bookkeeping import END_ACTION, LATEST_END_ACTION
from annex_lease.decision import decide
from annex_lease.entries import Schedule, ScheduledAction
from annex_lease.lease import LeaseCaps
from annex_lease.observed import Deployment, Group
from annex_lease.tags import format_time, group_tag
from tests.unit.lease.lease_model import (
    CAP,
    CREATED,
    END,
    HOUR,
    MIDDLE,
    MINUTE,
    POLICY,
    RUNNING,
    SECOND,
    a_group,
    carry_out,
    compared,
    kinds,
    settled,
    without,
)

BOTH = {END_ACTION: END, LATEST_END_ACTION: CAP + MINUTE}
LONGER = replace(POLICY, max_lifetime_seconds=3 * 3600)


def running(mark: str | None = None, **changes: object) -> Group:
    written = settled() | ({} if mark is None else {lease_tags.TAG_SCHEDULED: mark})
    return replace(compared(a_group(written=written, desired=2, members=RUNNING)), **changes)  # type: ignore[arg-type]


def put(group: Group, now: datetime = MIDDLE, *, deployment: Deployment | None = None) -> dict[str, datetime]:
    """The actions that are put, by name; empty if none is."""
    found = [a for a in decide(group, now, deployment=deployment).actions if isinstance(a, ScheduleEnds)]
    return {each.name: each.start for action in found for each in action.actions}


def marked(group: Group, *, deployment: Deployment | None = None) -> list[Schedule]:
    return [a.schedule for a in decide(group, MIDDLE, deployment=deployment).actions if isinstance(a, ScheduleEnds)]


def test_the_first_check_puts_both() -> None:
    (action,) = (a for a in decide(a_group(), MIDDLE).actions if isinstance(a, ScheduleEnds))
    assert action.schedule == Schedule(END, CAP)
    assert action.actions == (
        ScheduledAction(END_ACTION, END, final=False),
        ScheduledAction(LATEST_END_ACTION, CAP + MINUTE, final=True),
    )
    assert put(running()) == {}, "a quiet check puts none"


def test_the_two_have_never_one_time() -> None:
    """AWS refuses a second action of a group at the same time."""
    last = a_group(replace(POLICY, duration_seconds=7200))
    assert put(last) == {END_ACTION: CAP, LATEST_END_ACTION: CAP + MINUTE}


def test_only_the_end_moves_with_the_end() -> None:
    until = format_time(END + MINUTE)
    group = replace(running(), tags=(*running().tags, *a_group(written={lease_tags.TAG_UNTIL: until}).tags[-1:]))
    assert put(group) == {END_ACTION: END + MINUTE}
    assert marked(group) == [Schedule(END + MINUTE, CAP)]
    assert put(carry_out(group, MIDDLE)) == {}


def longer(mark: str | None = None) -> Group:
    """A running group whose declared maximum lifetime was raised by an hour since the actions were put."""
    fresh = {tag.key: tag for tag in a_group(LONGER).tags}
    group = running(mark)
    return replace(group, tags=tuple(fresh.get(tag.key, tag) for tag in group.tags))


def test_only_a_deployment_moves_the_latest_end_later() -> None:
    assert longer().lease.latest_end == CAP + HOUR
    assert put(longer()) == {}
    lost = replace(longer(), scheduled={END_ACTION: END})
    assert put(lost) == {LATEST_END_ACTION: CAP + MINUTE}, "one that was deleted comes back at its time"
    assert put(longer(), deployment=Deployment.UPDATED) == {LATEST_END_ACTION: CAP + HOUR + MINUTE}
    assert marked(longer(), deployment=Deployment.UPDATED) == [Schedule(END, CAP + HOUR)]
    moved = carry_out(longer(), MIDDLE, deployment=Deployment.UPDATED)
    assert put(moved) == {}
    assert put(moved, deployment=Deployment.UPDATED) == {}


def test_a_tag_that_is_lowered_for_moments_moves_no_latest_end() -> None:
    """CloudFormation writes a lower maximum lifetime, and the rollback restores it: the end must not stay earlier."""
    lower = group_tag(lease_tags.TAG_MAX_LIFETIME, "5400")
    tags = tuple(lower if tag.key == lower.key else tag for tag in running().tags)
    for scheduled in (None, BOTH):
        assert put(replace(running(scheduled=scheduled), tags=tags)) == {}


def test_a_latest_end_that_is_over_is_no_end_of_a_longer_lease() -> None:
    """A deployment made the lifetime longer while the annex was ended, and a renewal woke it."""
    over = Schedule(END, CREATED + HOUR / 4).text()
    assert put(running(over)) == {LATEST_END_ACTION: CAP + MINUTE}


def test_a_latest_end_that_comes_earlier_moves_at_any_check() -> None:
    group = running(caps=LeaseCaps(max_lifetime_seconds=5400))
    assert put(group) == {LATEST_END_ACTION: CREATED + 1.5 * HOUR + MINUTE}
    assert marked(group) == [Schedule(END, CREATED + 1.5 * HOUR)]


def test_the_later_action_makes_room_before_the_earlier_one_moves() -> None:
    """The new end can be the time of the old last action, and the new last action that of the old end."""
    fresh = {tag.key: tag for tag in a_group(replace(LONGER, duration_seconds=7260)).tags}
    group = replace(running(), tags=tuple(fresh.get(tag.key, tag) for tag in running().tags))
    assert list(put(group, deployment=Deployment.UPDATED).items()) == [
        (LATEST_END_ACTION, CAP + HOUR + MINUTE),
        (END_ACTION, CAP + MINUTE),
    ]
    shorter = running(Schedule(END + 2 * HOUR, CAP + HOUR).text())
    assert list(put(shorter, deployment=Deployment.UPDATED)) == [END_ACTION, LATEST_END_ACTION]


@pytest.mark.parametrize("mark", ["rubbish", "", "@", format_time(END), f"{format_time(END)}@x"])
def test_a_mark_that_cannot_be_read_puts_both_again(mark: str) -> None:
    assert put(running(mark)) == BOTH
    assert lease_tags.TAG_SCHEDULED in decide(running(mark), MIDDLE).record_problems[0]
    assert put(without(running(), lease_tags.TAG_SCHEDULED)) == BOTH


def test_a_mark_that_was_tampered_with_moves_no_end_later() -> None:
    far = Schedule(END, CAP + 100 * HOUR).text()
    assert put(running(far)) == put(running(far, scheduled=BOTH)) == {}
    assert put(running(far, scheduled={END_ACTION: END})) == {LATEST_END_ACTION: CAP + MINUTE}
    assert put(running(far, caps=LeaseCaps(max_lifetime_seconds=7200))) == {LATEST_END_ACTION: CAP + MINUTE}
    assert put(running(Schedule(END + HOUR, CAP).text())) == {END_ACTION: END}


@pytest.mark.parametrize(
    ("scheduled", "due"),
    [
        (BOTH, {}),
        ({**BOTH, "another": END}, {}),
        ({}, BOTH),
        ({END_ACTION: END}, {LATEST_END_ACTION: CAP + MINUTE}),
        ({**BOTH, END_ACTION: END + HOUR}, {END_ACTION: END}),
        ({**BOTH, LATEST_END_ACTION: CAP + HOUR}, {LATEST_END_ACTION: CAP + MINUTE}),
    ],
)
def test_the_groups_own_list_counts_before_the_mark(scheduled: dict[str, datetime], due: dict[str, datetime]) -> None:
    group = running(scheduled=scheduled)
    assert put(group) == due
    assert put(carry_out(group, MIDDLE)) == {}
    assert put(running("rubbish", scheduled=scheduled)) == due, "with any mark"


@pytest.mark.parametrize(("left", "due"), [(31 * SECOND, True), (30 * SECOND, False), (SECOND, False)])
def test_an_action_whose_time_is_nearly_there_is_not_put(left: timedelta, due: bool) -> None:
    """AWS refuses a start time in the past, and the check itself is near then."""
    group = without(running(), lease_tags.TAG_SCHEDULED)
    assert set(put(group, END - left)) == ({*BOTH} if due else {LATEST_END_ACTION})


def test_nothing_is_scheduled_once_the_lease_is_over() -> None:
    assert "ScheduleEnds" not in kinds(decide(without(running(), lease_tags.TAG_SCHEDULED), END))
    assert "ScheduleEnds" not in kinds(decide(running(), MIDDLE, closing=True))
