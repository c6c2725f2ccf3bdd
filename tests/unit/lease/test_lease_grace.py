"""Grace of an end in the past, and of a record that is believed; and an end that came while no check ran."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import PublishEnd, TerminateInstances
from annex_lease.decision import decide
from annex_lease.entries import Ledger, Schedule
from annex_lease.lease import LeaseCaps, Phase
from annex_lease.observed import BELIEVED, Group, GroupMember
from annex_lease.tags import format_time
from tests.unit.lease.lease_model import (
    CAP,
    CREATED,
    END,
    GRACE,
    HOUR,
    LAUNCH,
    MIDDLE,
    MINUTE,
    POLICY,
    RUNNING,
    SECOND,
    a_group,
    carry_out,
    kinds,
    listed,
    settled,
    without,
)

ASIDE = (GroupMember("i-1", "Standby"),)


def terminated(group: Group, now: datetime) -> bool:
    return any(isinstance(action, TerminateInstances) for action in decide(group, now).actions)


def published(group: Group, now: datetime) -> list[datetime]:
    return [action.end for action in decide(group, now).actions if isinstance(action, PublishEnd)]


def shortened(end: datetime) -> Group:
    return a_group(written=settled() | {lease_tags.TAG_UNTIL: format_time(end)}, desired=1, members=ASIDE)


def limited_below_its_use() -> Group:
    written = settled() | {lease_tags.TAG_USED: Ledger(7200, CREATED, 1).text()}
    return a_group(replace(POLICY, max_instance_hours=1), written=written, desired=1, members=ASIDE)


def redeclared() -> Group:
    return a_group(replace(POLICY, duration_seconds=60), written=settled(), desired=1, members=ASIDE)


@pytest.mark.parametrize("group", [shortened(CREATED + MINUTE), limited_below_its_use(), redeclared()])
def test_an_end_in_the_past_has_its_grace_from_the_check_that_found_it(group: Group) -> None:
    assert (terminated(group, MIDDLE), published(group, MIDDLE)) == (False, [MIDDLE])
    assert decide(group, MIDDLE).end == MIDDLE
    found = replace(carry_out(group, MIDDLE), members=ASIDE, instances=())
    assert published(found, MIDDLE + MINUTE) == []
    assert not terminated(found, MIDDLE + GRACE - SECOND)
    assert terminated(found, MIDDLE + GRACE)


def test_a_grace_that_cannot_be_recorded_ends_with_that_of_the_end_before() -> None:
    """Each check finds the same end in the past."""
    stopped = replace(shortened(CREATED + MINUTE), desired=0, suspended=LAUNCH)
    assert not terminated(stopped, END + GRACE - SECOND)
    assert terminated(stopped, END + GRACE)


def test_a_grace_that_cannot_be_recorded_is_measured_by_the_checks_that_saw_it() -> None:
    stopped = replace(shortened(CREATED + MINUTE), desired=0, suspended=LAUNCH)
    for over in (0 * MINUTE, 5 * MINUTE, GRACE - SECOND):
        assert not terminated(replace(stopped, over_for=over), MIDDLE + over)
        assert published(replace(stopped, over_for=over), MIDDLE + over) == [MIDDLE]
    assert terminated(replace(stopped, over_for=GRACE), MIDDLE + GRACE)
    # It is not measured from a time before the end.
    assert published(replace(stopped, over_for=HOUR), MIDDLE) == [CREATED + MINUTE]


def test_an_end_in_the_past_has_no_grace_beyond_that_of_the_latest_end() -> None:
    """The maximum lifetime was made shorter than the time that has passed."""
    latest = CREATED + HOUR / 4
    group = replace(shortened(CREATED + MINUTE), caps=LeaseCaps(max_lifetime_seconds=900))
    assert published(group, latest - SECOND) == [latest - SECOND]
    assert published(group, latest + MINUTE) == [latest]
    assert not terminated(group, latest + GRACE - SECOND)
    assert terminated(group, latest + GRACE)


def test_an_end_that_nothing_published_has_its_grace_from_itself() -> None:
    bare = without(without(shortened(CREATED + MINUTE), lease_tags.TAG_END), lease_tags.TAG_NOTIFIED)
    assert not terminated(bare, CREATED + MINUTE + GRACE - SECOND)
    assert terminated(bare, CREATED + MINUTE + GRACE)


def test_an_end_that_comes_late_has_its_grace_from_itself() -> None:
    """Checks were lost: nothing moved the end."""
    group = a_group(written=settled(), desired=1, members=ASIDE)
    assert not terminated(group, END + GRACE - SECOND)
    assert terminated(group, END + GRACE)
    assert published(group, END + 2 * GRACE) == []


def test_a_record_that_is_believed_has_its_grace_from_then_on_also_if_nothing_can_be_written() -> None:
    group = a_group(None, members=ASIDE, desired=1)
    for late in (0 * MINUTE, 3 * MINUTE, GRACE - SECOND):
        unread = replace(group, unread_for=BELIEVED + late)
        assert published(unread, MIDDLE + late) == [MIDDLE]
        assert not terminated(unread, MIDDLE + late)
    assert terminated(replace(group, unread_for=BELIEVED + GRACE), MIDDLE + GRACE)


# --- ended by its scheduled action


def emptied(scheduled: datetime, *, until: datetime = CAP, desired: int = 0, min_size: int = 0) -> Group:
    """A lease until `until`, whose scheduled action at `scheduled` found no check that moved it."""
    written = settled(END) | {
        lease_tags.TAG_UNTIL: format_time(until),
        lease_tags.TAG_SCHEDULED: Schedule(scheduled, CAP).text(),
    }
    return a_group(written=written, desired=desired, min_size=min_size)


def test_what_its_scheduled_action_ends_now_is_ended() -> None:
    assert "SuspendLaunch" in kinds(decide(emptied(END + MINUTE), END + MINUTE))


def test_what_its_scheduled_action_ended_stays_ended() -> None:
    now = END + MINUTE
    decision = decide(emptied(END), now)
    assert decision.phase is Phase.ENDED or kinds(decision) == ["SuspendLaunch"]
    assert "annex renew" in decision.reason
    after = carry_out(emptied(END), now)
    assert (after.is_off(), decide(after, now + MINUTE).phase) == (True, Phase.ENDED)


@pytest.mark.parametrize(
    "group",
    [
        emptied(END + MINUTE + SECOND),
        emptied(END, desired=1),
        emptied(END, min_size=1),
        without(emptied(END), lease_tags.TAG_SCHEDULED),
        replace(without(emptied(END), lease_tags.TAG_GRANTED), suspended=frozenset({"AZRebalance"})),
    ],
)
def test_what_no_scheduled_action_ended_lasts(group: Group) -> None:
    """It is still to come, the group is not empty, there is none, or nothing was granted before it."""
    assert "SuspendLaunch" not in kinds(decide(group, END + MINUTE))


def test_a_renewal_wakes_what_its_scheduled_action_ended() -> None:
    renewed = a_group(written={lease_tags.TAG_RENEWED: format_time(END)}).tags[-1:]
    group = replace(emptied(END), tags=(*emptied(END).tags, *renewed))
    assert "Grant" in kinds(decide(group, END + MINUTE))


@pytest.mark.parametrize(
    ("process", "problem"),
    [
        ("ScheduledActions", "the ScheduledActions process is suspended"),
        ("Terminate", "the Terminate process is suspended"),
        ("Launch", "the Launch process is suspended, by hand"),
    ],
)
def test_a_suspended_process_that_the_lease_rests_on_is_a_problem(process: str, problem: str) -> None:
    group = listed(a_group(written=settled(), desired=2, members=RUNNING))
    assert decide(group, MIDDLE).problems == ()
    off = replace(group, suspended=group.suspended | {process})
    assert [found.split(":")[0] for found in decide(off, MIDDLE).problems] == [problem]
