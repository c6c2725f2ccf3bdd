"""Problems that a decision reports: what is too much, what EC2 does not know, a destroyed annex."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import Close, Grant, Reopen, Report, TerminateInstances
from annex_lease.decision import decide
from annex_lease.lease import Phase
from annex_lease.observed import APART, Deployment, Group, GroupMember, Instance
from annex_lease.tags import format_time, group_tag
from tests.unit.lease.lease_model import (
    END,
    GRACE,
    LAUNCH,
    MIDDLE,
    RUNNING,
    SECOND,
    a_group,
    carry_out,
    kinds,
    listed,
    settled,
    unasked,
    without,
)

# --- what is not in order although the lease is enforced


def reports(group: Group, now: datetime = MIDDLE, *, closing: bool = False) -> list[tuple[str, tuple[str, ...]]]:
    """Kinds and problems of the reports."""
    found = (a for a in decide(group, now, closing=closing).actions if isinstance(a, Report))
    return [(each.kinds, each.problems) for each in found]


def reported(group: Group, kinds: str) -> Group:
    """The group after this was reported."""
    return replace(group, tags=(*group.tags, group_tag(lease_tags.TAG_REPORTED, kinds)))


ABOVE = "there are, or are to be, 1 instances more than declared"
LATE = "2 instances are alive although their lease and its grace are over"


def test_what_is_in_order_is_not_reported() -> None:
    assert reports(unasked(*RUNNING)) == []
    assert reports(replace(unasked(*RUNNING), suspended=frozenset({"AZRebalance", "Terminate"}))) == []


def test_a_surplus_is_reported_when_it_begins_and_its_end_is_recorded() -> None:
    above = unasked(*RUNNING, desired=3)
    assert reports(above) == [("surplus", (ABOVE,))]
    assert reports(reported(above, "surplus")) == []
    assert reports(reported(unasked(*RUNNING), "surplus")) == [("", ())], "nothing is published"
    assert reports(carry_out(above, MIDDLE)) == []


@pytest.mark.parametrize(("late", "due"), [(APART - SECOND, False), (APART, True)])
def test_instances_past_their_lease_are_reported_by_the_second_check(late: timedelta, due: bool) -> None:
    over = listed(a_group(written=settled(), suspended=LAUNCH, members=RUNNING))
    group = replace(over, late_for=late)
    assert reports(group, END + GRACE) == ([("late", (LATE,))] if due else [])
    assert reports(group, END + GRACE - SECOND) == [], "the grace is not over"
    assert reports(reported(group, "late"), END + GRACE) == [], "also of a checker that lost its memory"


def test_an_entry_that_cannot_be_followed_is_reported() -> None:
    spoilt = replace(unasked(*RUNNING), tags=(*unasked().tags, group_tag(lease_tags.TAG_UNTIL, "x")))
    ((kinds_, problems),) = reports(spoilt)
    assert kinds_ == "record"
    assert lease_tags.TAG_UNTIL in problems[0]
    # A kind that begins is published, and not again one that was published before.
    more = replace(reported(spoilt, "record"), desired=3)
    assert reports(more) == [("record surplus", (ABOVE,))]


@pytest.mark.parametrize(("unread", "due"), [(APART - SECOND, False), (APART, True)])
def test_a_record_without_a_policy_is_reported_by_the_second_check(unread: timedelta, due: bool) -> None:
    """CloudFormation replaces the tags of a group in two calls."""
    group = replace(without(unasked(*RUNNING), lease_tags.TAG_SIZE), unread_for=unread)
    assert [kinds_ for kinds_, _ in reports(group)] == ["record"] * due


def test_a_destroy_reports_nothing() -> None:
    assert reports(unasked(*RUNNING, desired=3), closing=True) == []


# --- members that EC2 does not know


def test_a_member_that_ec2_does_not_know_keeps_no_annex_from_its_end() -> None:
    group = a_group(written=settled(), suspended=LAUNCH, members=RUNNING, instances=())
    believed = decide(group, END + GRACE)
    assert [a.instance_ids for a in believed.actions if isinstance(a, TerminateInstances)] == [("i-1", "i-2")]
    gone = decide(replace(group, gone=frozenset({"i-1", "i-2"})), END + GRACE)
    assert (gone.phase, gone.actions, gone.alive, gone.overdue) == (Phase.ENDED, (), 0, 0)
    assert gone.problems == ("the group lists instances that EC2 does not know, and they count as gone: i-1, i-2",)
    half = decide(replace(group, gone=frozenset({"i-1"})), END + GRACE)
    assert [a.instance_ids for a in half.actions if isinstance(a, TerminateInstances)] == [("i-2",)]
    assert half.phase is Phase.DRAINING


def test_a_phantom_that_ec2_lists_after_all_is_alive() -> None:
    group = a_group(written=settled(), suspended=LAUNCH, members=RUNNING[:1], instances=(Instance("i-1", "running"),))
    back = replace(group, gone=frozenset({"i-1"}))
    assert back.alive() == ("i-1",)
    assert "TerminateInstances" in kinds(decide(back, END + GRACE))


def test_only_members_that_are_still_listed_are_phantoms() -> None:
    group = replace(a_group(written=settled(), suspended=LAUNCH), gone=frozenset({"i-1"}))
    assert decide(group, END).problems == ()
    many = tuple(GroupMember(f"i-{n}", "InService") for n in range(9))
    (text,) = decide(replace(group, members=many, gone=frozenset(m.id for m in many)), END).problems
    assert text.endswith("i-0, i-1, i-2, i-3, i-4")


# --- an annex that is being destroyed


def closed(value: str | None = None) -> Group:
    text = format_time(MIDDLE) if value is None else value
    return listed(a_group(written=settled() | {lease_tags.TAG_CLOSED: text}, desired=2, members=RUNNING))


def test_a_destroy_is_recorded_after_everything_that_ends() -> None:
    group = listed(a_group(written=settled(), desired=2, members=RUNNING))
    decision = decide(group, MIDDLE, closing=True)
    assert kinds(decision)[-1] == "Close"
    assert [a.at for a in decision.actions if isinstance(a, Close)] == [MIDDLE]
    assert "Close" not in kinds(decide(closed(), MIDDLE, closing=True)), "once"
    assert Close.note, "a destroy does not fail because it cannot be recorded"


@pytest.mark.parametrize("value", [None, "rubbish", ""])
def test_a_closed_annex_is_only_emptied(value: str | None) -> None:
    decision = decide(closed(value), MIDDLE)
    assert (decision.phase, decision.end) == (Phase.DRAINING, END)
    assert kinds(decision) == ["EmptyGroup", "SuspendLaunch", "TerminateInstances"]
    renewed = {lease_tags.TAG_RENEWED: format_time(MIDDLE), lease_tags.TAG_CLOSED: format_time(MIDDLE)}
    assert decide(a_group(written=renewed), MIDDLE).phase is Phase.DRAINING, "a renewal grants nothing after a destroy"


def test_an_annex_that_was_opened_again_is_leased() -> None:
    assert decide(closed(lease_tags.NOT_CLOSED), MIDDLE).actions == ()


def test_a_creation_opens_the_annex_before_it_grants() -> None:
    new = a_group(written={lease_tags.TAG_CLOSED: format_time(MIDDLE)})
    decision = decide(new, MIDDLE, deployment=Deployment.CREATED)
    assert isinstance(decision.actions[0], Reopen)
    assert any(isinstance(action, Grant) for action in decision.actions)
    opened = carry_out(new, MIDDLE, deployment=Deployment.CREATED)
    assert not opened.lease.record.closed
    assert decide(opened, MIDDLE).phase is Phase.ACTIVE
    assert not any(isinstance(a, Reopen) for a in decide(a_group(), MIDDLE, deployment=Deployment.CREATED).actions)


def test_an_update_opens_nothing() -> None:
    """Its event may come twice, and after the one of the destroy."""
    decision = decide(closed(), MIDDLE, deployment=Deployment.UPDATED)
    assert kinds(decision) == ["EmptyGroup", "SuspendLaunch", "TerminateInstances"]
    assert decision.phase is Phase.DRAINING


def test_a_creation_opens_an_annex_that_the_destroy_stopped() -> None:
    """It stays stopped, as all that was stopped does, and a renewal wakes it: a closed one would be emptied again."""
    destroyed = carry_out(listed(a_group(written=settled(), desired=2, members=RUNNING)), MIDDLE, closing=True)
    assert (destroyed.is_off(), destroyed.lease.record.closed) == (True, True)
    opened = carry_out(destroyed, MIDDLE, deployment=Deployment.CREATED)
    assert (opened.is_off(), opened.lease.record.closed) == (True, False)
    renewal = a_group(written={lease_tags.TAG_RENEWED: format_time(MIDDLE)}).tags[-1:]
    woken = replace(opened, tags=(*opened.tags, *renewal))
    assert {"ResumeLaunch", "Grant"} <= set(kinds(decide(woken, MIDDLE)))


def test_a_destroy_is_stronger_than_a_creation() -> None:
    decision = decide(closed(), MIDDLE, closing=True, deployment=Deployment.CREATED)
    assert not any(isinstance(a, Reopen) for a in decision.actions)
    assert decision.phase is Phase.DRAINING
