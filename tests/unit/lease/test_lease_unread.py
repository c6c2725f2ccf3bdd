"""A record that cannot be read, a group that is not listed, and a destroy: how long what runs may stay."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_lease import tags as lease_tags
from annex_lease import terms
from annex_lease.actions import PublishEnd, TerminateInstances
from annex_lease.decision import decide
from annex_lease.lease import LeaseCaps, Phase
from annex_lease.observed import BELIEVED, Fact, Group, GroupMember, Instance, Missing
from annex_lease.policy import LeasePolicy
from annex_lease.tags import Tag, format_time
from tests.unit.lease.lease_model import (
    CAP,
    CREATED,
    END,
    GRACE,
    HOUR,
    LAUNCH,
    MIDDLE,
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

NOT_YET = (timedelta(0), BELIEVED - SECOND)
STOPPED = ["EmptyGroup", "SuspendLaunch"]


def broken(key: str = lease_tags.TAG_SIZE, value: str | None = None, *, unread_for: timedelta = BELIEVED) -> Group:
    """A running group of which this tag is missing, or malformed, for so long."""
    group = without(listed(a_group(written=settled(), desired=2, members=RUNNING, unread_for=unread_for)), key)
    return group if value is None else replace(group, tags=(*group.tags, Tag(key, value, False)))


# --- a record that cannot be read


@pytest.mark.parametrize("key", [tag.key for tag in a_group().tags])
@pytest.mark.parametrize("value", [None, "rubbish!", "", "-5"])
def test_a_record_that_stays_unread_ends_the_annex_with_its_grace(key: str, value: str | None) -> None:
    for unread in NOT_YET:
        decision = decide(broken(key, value, unread_for=unread), MIDDLE)
        assert (decision.phase, decision.end) == (Phase.ACTIVE, END)
        assert kinds(decision) == ["Report"] * (unread > timedelta(0)), "it only reports"
        assert any(key in problem for problem in decision.problems)
        assert not decision.needs
    decision = decide(broken(key, value), MIDDLE)
    assert (decision.phase, decision.end) == (Phase.DRAINING, MIDDLE)
    # The end first: the next run measures the grace from it.
    assert kinds(decision) == ["PublishEnd", *STOPPED, "NotifyInstances", "Report"]
    assert any(key in problem for problem in decision.problems)


@pytest.mark.parametrize("grace", [0, 60, 900, 7200, None])
def test_the_grace_of_an_unread_record_is_the_declared_one_or_the_default(grace: int | None) -> None:
    group = without(broken(), lease_tags.TAG_GRACE)
    if grace is not None:
        group = replace(group, tags=(*group.tags, Tag(lease_tags.TAG_GRACE, str(grace), False)))
    left = terms.GRACE.default_value if grace is None else timedelta(seconds=grace)
    published = carry_out(replace(group, members=(), instances=()), MIDDLE)
    stuck = replace(published, members=RUNNING, instances=None)
    assert stuck.lease.grace == left
    if left:
        assert "TerminateInstances" not in kinds(decide(stuck, MIDDLE + left - SECOND))
    assert "TerminateInstances" in kinds(decide(stuck, MIDDLE + left)), "the grace counts from the first such check"


def test_the_default_grace_is_no_zero() -> None:
    assert terms.GRACE.default_value > timedelta(0)


def test_a_published_end_that_comes_earlier_stands() -> None:
    for unread in NOT_YET:
        over = decide(broken(unread_for=unread), END)
        assert (over.phase, over.end) == (Phase.DRAINING, END)
        assert [kind for kind in kinds(over) if kind != "Report"] == STOPPED
        assert "TerminateInstances" not in kinds(decide(broken(unread_for=unread), END + GRACE - SECOND))
        assert "TerminateInstances" in kinds(decide(broken(unread_for=unread), END + GRACE))


def test_a_published_end_passes_no_cap() -> None:
    far = format_time(CAP + HOUR)
    group = broken(lease_tags.TAG_END, far, unread_for=timedelta(0))
    unread = without(group, lease_tags.TAG_SIZE)
    capped = replace(unread, caps=LeaseCaps(max_lifetime_seconds=7200))
    assert decide(unread, CAP).phase is Phase.ACTIVE
    assert decide(capped, CAP - SECOND).phase is Phase.ACTIVE
    assert (decide(capped, CAP).phase, decide(capped, CAP).end) == (Phase.DRAINING, CAP)


def test_an_unread_record_gives_no_grace_after_the_latest_end() -> None:
    group = replace(without(broken(), lease_tags.TAG_END), caps=LeaseCaps(max_lifetime_seconds=60))
    latest = CREATED + timedelta(seconds=60)
    for now, over in ((latest + GRACE - SECOND, False), (latest + GRACE, True)):
        decision = decide(group, now)
        assert (decision.end, "TerminateInstances" in kinds(decision)) == (latest, over)
        again = decide(carry_out(replace(group, members=(), instances=()), now), now)
        assert again.end == latest, "the next run sees the same end"


@pytest.mark.parametrize("value", [None, "rubbish"])
def test_without_a_published_end_nothing_ends_before_the_silence_is_believed(value: str | None) -> None:
    group = broken(lease_tags.TAG_END, value, unread_for=timedelta(0))
    unread = without(group, lease_tags.TAG_SIZE)
    for each in (unread, replace(unread, suspended=LAUNCH, desired=0)):
        young = decide(each, MIDDLE)
        assert (young.phase, young.actions, young.end) == (Phase.ACTIVE, (), None)
        old = decide(replace(each, unread_for=BELIEVED), MIDDLE)
        assert (old.phase, old.end) == (Phase.DRAINING, MIDDLE)
        assert [a.end for a in old.actions if isinstance(a, PublishEnd)] == [MIDDLE]
        assert "TerminateInstances" not in kinds(old)


def test_what_was_stopped_stays_so_while_the_record_is_unread() -> None:
    group = replace(broken(unread_for=timedelta(0)), suspended=LAUNCH, desired=0)
    assert decide(group, MIDDLE).phase is Phase.DRAINING
    assert kinds(decide(group, MIDDLE)) == []


def test_nothing_is_granted_while_the_record_is_unread() -> None:
    new = without(a_group(unread_for=timedelta(0)), lease_tags.TAG_SIZE)
    decision = decide(new, MIDDLE)
    assert (decision.phase, decision.actions, decision.needs) == (Phase.WAITING, (), frozenset())
    assert "it ends after 10 minutes of that" in decision.reason
    launched = replace(new, members=(GroupMember("i-1", "Pending"),), desired=1)
    assert decide(launched, MIDDLE).phase is Phase.GRANTED


def test_a_record_that_is_whole_again_in_time_changes_nothing() -> None:
    whole = listed(a_group(written=settled(), desired=2, members=RUNNING))
    assert decide(whole, MIDDLE).actions == ()


def test_a_group_without_any_tag_is_stopped() -> None:
    assert decide(a_group(None, desired=1), CREATED).phase is Phase.DRAINING
    ended = carry_out(a_group(None, suspended=LAUNCH), CREATED)
    assert decide(ended, CREATED).phase is Phase.ENDED


# --- a group that is not listed


def notified(end: datetime | str | None, state: str = "running") -> Instance:
    text = format_time(end) if isinstance(end, datetime) else end
    return Instance("i-9", state, end=text)


def test_a_group_that_is_not_listed_is_believed_after_a_while() -> None:
    first = decide(Missing("g"), MIDDLE)
    assert (first.phase, first.actions, first.needs) == (Phase.DRAINING, (), frozenset({Fact.INSTANCES}))
    assert "counts after 10 minutes" in first.reason
    for unread in NOT_YET:
        nothing = decide(Missing("g", instances=(), empty_before=True, unread_for=unread), MIDDLE)
        assert (nothing.phase, nothing.empty, nothing.needs) == (Phase.DRAINING, False, frozenset())
    gone = decide(Missing("g", instances=(), empty_before=True, unread_for=BELIEVED), MIDDLE)
    assert (gone.phase, gone.actions, gone.problems) == (Phase.ENDED, (), ("the group does not exist",))
    once = decide(Missing("g", instances=(), unread_for=BELIEVED), MIDDLE)
    assert (once.phase, once.empty) == (Phase.DRAINING, True)


LONGEST_GRACE = timedelta(hours=2)  # of those that can be declared: the record that says which is not there


@pytest.mark.parametrize("unread", NOT_YET)
@pytest.mark.parametrize(
    ("instance", "over"),
    [
        (notified(MIDDLE - LONGEST_GRACE), True),
        (notified(MIDDLE - LONGEST_GRACE + SECOND), False),
        (notified(END), False),
        (notified("rubbish"), False),
        (notified(""), False),
        (notified(None), False),
        (notified("9999-12-31T23:59:59Z"), False),
        (notified("0001-01-01T00:00:00Z"), True),
        (notified(CREATED, "terminated"), False),
    ],
)
def test_an_instance_of_an_unlisted_group_has_the_end_it_was_notified_of(
    unread: timedelta, instance: Instance, over: bool
) -> None:
    alive = instance.state == "running"
    decision = decide(Missing("g", instances=(instance,), unread_for=unread), MIDDLE)
    assert [a.instance_ids for a in decision.actions if isinstance(a, TerminateInstances)] == [("i-9",)] * over
    assert (decision.alive, decision.overdue) == (int(alive), int(over))
    assert decision.phase is Phase.DRAINING


def test_a_group_that_is_not_listed_is_emptied_by_its_name_once_that_is_believed() -> None:
    """Before that, other instances may have a later end."""
    over = notified(CREATED)
    for unread_for, emptied in ((BELIEVED - SECOND, False), (BELIEVED, True)):
        missing = Missing("g", instances=(over, notified(CAP)), unread_for=unread_for)
        assert ("EmptyGroup" in kinds(decide(missing, END + HOUR))) is emptied
    assert "EmptyGroup" in kinds(decide(Missing("g", instances=(over,)), END, closing=True))
    for nothing in (Missing("", instances=(over,), unread_for=BELIEVED), Missing("g", instances=())):
        assert "EmptyGroup" not in kinds(decide(nothing, END, closing=True)), "without a name, or an instance"


@pytest.mark.parametrize("end", [END, "rubbish", None])
@pytest.mark.parametrize(("unread", "closing"), [(BELIEVED, False), (timedelta(0), True)])
def test_nothing_outlives_a_group_that_does_not_exist(
    end: datetime | str | None, unread: timedelta, closing: bool
) -> None:
    missing = Missing("g", instances=(notified(end), Instance("i-8", "terminated")), unread_for=unread)
    lost = decide(missing, CREATED, closing=closing)
    assert [a.instance_ids for a in lost.actions if isinstance(a, TerminateInstances)] == [("i-9",)]
    assert (lost.alive, lost.overdue) == (1, 1)
    assert decide(replace(missing, instances=()), CREATED, closing=closing).empty


@given(st.one_of(st.none(), st.text(max_size=30), st.datetimes(timezones=st.just(UTC)).map(format_time)))
def test_no_tag_of_an_instance_raises(end: str | None) -> None:
    assert decide(Missing("g", instances=(notified(end),)), MIDDLE).alive == 1


# --- the way down


@pytest.mark.parametrize("policy", [POLICY, None])
def test_closing_takes_everything_without_grace(policy: LeasePolicy | None) -> None:
    group = a_group(policy, desired=2, members=RUNNING, unread_for=timedelta(0))
    decision = decide(group, MIDDLE, closing=True)
    assert kinds(decision) == [*STOPPED, "TerminateInstances", "Close"]
    closed = carry_out(a_group(policy, suspended=LAUNCH), MIDDLE, closing=True)
    ended = decide(closed, MIDDLE, closing=True)
    assert (ended.phase, ended.actions) == (Phase.ENDED, ())
    protected = replace(closed, deletion_protected=True)
    assert kinds(decide(protected, MIDDLE, closing=True)) == ["AllowDeletion"]
