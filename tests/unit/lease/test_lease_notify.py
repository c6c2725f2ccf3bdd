"""Notification of the instances: their own tags are compared with the end, and wrong ones are written again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import Grant, NotifyInstances
from annex_lease.decision import decide
from annex_lease.observed import Compared, Fact, Group, GroupMember, Instance
from annex_lease.tags import format_time
from tests.unit.lease.lease_model import (
    END,
    GRACE,
    HOUR,
    LAUNCH,
    MIDDLE,
    RUNNING,
    a_group,
    compared,
    kinds,
    listed,
    settled,
)

TEXT = format_time(END)


def running(*members: GroupMember, written: dict[str, str] | None = None) -> Group:
    given = members or RUNNING
    return a_group(written=settled() | (written or {}), desired=len(given), members=given, instances=None)


def instance(key: str, end: str | None = TEXT, state: str = "running", *, member: bool = True) -> Instance:
    return Instance(key, state, member, end)


def notices(group: Group, now: datetime = MIDDLE) -> list[tuple[str, ...]]:
    return [a.instance_ids for a in decide(group, now).actions if isinstance(a, NotifyInstances)]


@pytest.mark.parametrize("end", [None, "", "rubbish", format_time(END + HOUR), format_time(END - HOUR)])
def test_a_tag_that_is_missing_or_wrong_is_written_again_and_no_other(end: str | None) -> None:
    """The mark on the group says that all were notified: the instances' own tags count."""
    group = replace(running(), instances=(instance("i-1"), instance("i-2", end)))
    assert notices(group) == [("i-2",)]
    assert notices(listed(group)) == []


def test_a_mark_that_was_not_written_is_written_though_all_have_the_end() -> None:
    group = running(written={lease_tags.TAG_NOTIFIED: format_time(END - HOUR)})
    assert notices(listed(group)) == [()]
    assert decide(group, MIDDLE).needs >= {Fact.INSTANCES}


@pytest.mark.parametrize("state", ["shutting-down", "terminated"])
def test_what_is_dead_is_not_notified(state: str) -> None:
    assert notices(replace(running(), instances=(instance("i-1"), instance("i-2", None, state)))) == []


@pytest.mark.parametrize(
    ("state", "notified"),
    [
        *(("Pending", True), ("Pending:Wait", True), ("InService", True), ("Standby", True), ("SomethingNew", True)),
        *(("Terminating", False), ("Terminating:Wait", False), ("Terminated", False), ("Warmed:Terminated", False)),
    ],
)
def test_an_instance_that_ec2_does_not_list_yet_is_notified_too(state: str, notified: bool) -> None:
    group = running(RUNNING[0], GroupMember("i-2", state))
    assert notices(replace(group, instances=(instance("i-1"),))) == ([("i-2",)] if notified else [])
    phantom = replace(group, instances=(instance("i-1"),), gone=frozenset({"i-2"}))
    assert notices(phantom) == [], "what EC2 does not know for long cannot be notified"


def test_a_detached_instance_is_not_notified_and_a_listed_member_is_compared() -> None:
    lost = instance("i-9", None, member=False)
    assert notices(replace(running(), instances=(instance("i-1"), instance("i-2"), lost))) == []
    # EC2 has lost the group's tag of a member already, or has it not yet: the tag with the end is what counts.
    half = (instance("i-1", member=False), instance("i-2", None, member=False))
    assert notices(replace(running(), instances=half)) == [("i-2",)]


def test_a_recent_comparison_costs_no_listing() -> None:
    group = compared(running())
    assert decide(group, MIDDLE).needs == frozenset()
    for stale in (
        replace(group, compared=None),
        replace(group, compared=Compared(format_time(END + HOUR), frozenset({"i-1", "i-2"}))),
        replace(group, compared=Compared(TEXT, frozenset({"i-1"}))),
        replace(group, members=(*RUNNING, GroupMember("i-3", "Pending"))),
        compared(running(written={lease_tags.TAG_NOTIFIED: "x"})),
    ):
        assert Fact.INSTANCES in decide(stale, MIDDLE).needs
        assert notices(stale) == [], "nothing is written before the tags are known"


def test_members_that_leave_or_have_left_need_no_comparison() -> None:
    group = compared(running())
    going = (RUNNING[0], GroupMember("i-3", "Terminating:Wait"), GroupMember("i-4", "Terminated"))
    assert decide(replace(group, members=going, desired=1), MIDDLE).needs == frozenset()
    phantom = replace(group, members=(*RUNNING, GroupMember("i-5", "InService")), gone=frozenset({"i-5"}))
    assert decide(phantom, MIDDLE).needs == frozenset()


def test_scheduled_actions_are_looked_at_whenever_the_tags_are_due() -> None:
    group = running()
    assert decide(group, MIDDLE).needs == {Fact.INSTANCES, Fact.SCHEDULED}
    assert decide(replace(group, scheduled={}), MIDDLE).needs == {Fact.INSTANCES}
    # A new member, or another end, is no reason to look at them again.
    recent = replace(compared(group), members=(*RUNNING, GroupMember("i-3", "Pending")))
    assert decide(recent, MIDDLE).needs == {Fact.INSTANCES}


@pytest.mark.parametrize("state", ["InService", "Standby"])
def test_within_the_grace_what_is_left_is_notified_of_the_end(state: str) -> None:
    left = (GroupMember("i-1", state),)
    group = a_group(written=settled(), suspended=LAUNCH, members=left, instances=(instance("i-1", None),))
    assert notices(group, END) == [("i-1",)]
    assert notices(group, END + GRACE - timedelta(seconds=1)) == [("i-1",)]
    assert notices(group, END + GRACE) == [], "it is terminated instead"


def test_a_grant_does_not_wait_for_a_listing() -> None:
    new = replace(a_group(), instances=None)
    decision = decide(new, MIDDLE)
    assert [type(action) for action in decision.actions if action.guarded] == [Grant]
    assert Fact.INSTANCES in decision.needs
    assert "NotifyInstances" not in kinds(decision)
