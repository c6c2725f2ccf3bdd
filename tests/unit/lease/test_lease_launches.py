"""Launches that fail or do not come: the problem with its reason and advice, and the message when nothing runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import Report
from annex_lease.decision import decide
from annex_lease.launch_advice import explained
from annex_lease.launches import ALARMING, SLOW
from annex_lease.lease import Phase
from annex_lease.memory import Memory
from annex_lease.observed import Fact, Group, GroupMember, Missing
from annex_lease.tags import group_tag
from tests.unit.lease.lease_model import (
    CREATED,
    END,
    HOUR,
    LAUNCH,
    MIDDLE,
    MINUTE,
    POLICY,
    RUNNING,
    SECOND,
    a_group,
    carry_out,
    compared,
    settled,
    unasked,
)

QUOTA = "Max spot instance count exceeded. Launching EC2 instance failed."
PENDING = (GroupMember("i-1", "Pending"), GroupMember("i-2", "Pending:Wait"))
UNNAMED = "EC2 Auto Scaling names no failed launch"


# --- the problem


@pytest.mark.parametrize(
    ("seconds", "suspended", "late"),
    [(0, frozenset(), False), (299, frozenset(), False), (300, frozenset(), True), (9999, LAUNCH, False)],
)
def test_a_launch_that_aws_says_nothing_about_is_a_problem_after_five_minutes(
    seconds: int, suspended: frozenset[str], late: bool
) -> None:
    group = replace(unasked(RUNNING[0]), short_for=timedelta(seconds=seconds))
    group = replace(group, suspended=group.suspended | suspended)
    asking = decide(group, MIDDLE)
    assert asking.needs == (frozenset() if suspended else {Fact.ACTIVITY})
    assert ("1 of 2 instances have not started" in asking.reason) is late
    known = decide(replace(group, activity=""), MIDDLE)
    assert not known.needs
    expected = f"1 of 2 instances have not started for {seconds // 60} minutes: {UNNAMED}"
    assert (expected in known.problems) is late
    assert any("not started" in text for text in known.problems) is late
    assert known.phase is Phase.ACTIVE


@pytest.mark.parametrize(
    ("seconds", "since"), [(0, ""), (299, ""), (300, " for 5 minutes"), (9999, " for 166 minutes")]
)
def test_a_failed_launch_is_a_problem_at_once_with_the_reason_and_what_to_do(seconds: int, since: str) -> None:
    group = replace(unasked(RUNNING[0]), short_for=timedelta(seconds=seconds), activity=QUOTA)
    decision = decide(group, MIDDLE)
    assert decision.problems == (f"1 of 2 instances have not started{since}: {explained(QUOTA)}",)
    assert "request more of 'All Standard" in decision.problems[0]
    assert decision.reason.endswith("; 1 of 2 instances have not started")
    assert decide(replace(group, suspended=group.suspended | LAUNCH), MIDDLE).reason.endswith("was granted")


def test_a_reason_without_a_text_and_one_that_was_refused() -> None:
    group = replace(unasked(), short_for=HOUR, activity="")
    decision = decide(group, MIDDLE)
    assert decision.problems == (f"2 of 2 instances have not started for 60 minutes: {UNNAMED}",)
    assert (decision.phase, decision.needs) == (Phase.GRANTED, frozenset())
    refused = decide(replace(group, activity=None, refused=frozenset({Fact.ACTIVITY})), MIDDLE)
    assert refused.problems == ("2 of 2 instances have not started for 60 minutes: the reason is not known",)


def test_what_was_not_granted_yet_did_not_fail_to_start() -> None:
    group = replace(a_group(desired=1, credential=None), short_for=HOUR, unserved_for=HOUR, instances=())
    assert Fact.ACTIVITY not in decide(group, MIDDLE).needs
    assert not any("start" in text for text in decide(group, MIDDLE).problems)
    full = replace(unasked(*RUNNING), short_for=HOUR)
    assert decide(full, MIDDLE).needs == frozenset()
    assert decide(full, MIDDLE).problems == ()


@pytest.mark.parametrize(("unserved", "late"), [(SLOW - SECOND, False), (SLOW, True)])
def test_instances_that_start_and_die_again_are_a_problem_although_none_is_missing(
    unserved: timedelta, late: bool
) -> None:
    group = replace(unasked(*PENDING), unserved_for=unserved)
    assert decide(group, MIDDLE).needs == ({Fact.ACTIVITY} if late else frozenset())
    known = decide(replace(group, activity=QUOTA), MIDDLE)
    assert known.problems == (f"no instance has been in service for 5 minutes: {explained(QUOTA)}",) * late


# --- the time without any instance in service


STARTING = unasked(GroupMember("i-1", "Pending"), GroupMember("i-2", "Standby"))


def _recalled(memory: Memory, now: datetime, seen: Group) -> timedelta:
    found = memory.recall(seen, now)
    assert isinstance(found, Group)
    return found.unserved_for


def test_the_time_without_any_instance_in_service_is_counted_also_of_instances_that_start_again_and_again() -> None:
    memory, missing = Memory(), unasked()
    for minute in range(6):
        seen = missing if minute % 2 else STARTING
        assert _recalled(memory, CREATED + minute * MINUTE, seen) == minute * MINUTE
    assert _recalled(memory, CREATED + 6 * MINUTE, unasked(*RUNNING)) == timedelta(0)
    assert _recalled(memory, CREATED + 7 * MINUTE, STARTING) == timedelta(0), "it begins again"
    memory.recall(Missing("g"), CREATED + 8 * MINUTE)
    assert _recalled(memory, CREATED + 9 * MINUTE, STARTING) == timedelta(0)


@pytest.mark.parametrize(
    ("changes", "unserved"),
    [
        ({}, True),
        ({"members": ()}, True),
        ({"members": RUNNING[:1]}, False),
        ({"desired": 0}, False),
        ({"suspended": frozenset({"Launch"})}, False),
        ({"suspended": frozenset({"AZRebalance", "Terminate"})}, True),
    ],
)
def test_a_group_that_is_to_start_instances_and_has_none_in_service(changes: dict[str, object], unserved: bool) -> None:
    assert replace(STARTING, **changes).unserved() is unserved  # type: ignore[arg-type]
    memory = Memory()
    memory.recall(replace(STARTING, **changes), CREATED)  # type: ignore[arg-type]
    assert (memory.unserved is not None) is unserved


# --- the message


def messages(group: Group, now: datetime = MIDDLE, *, closing: bool = False) -> list[tuple[str, tuple[str, ...]]]:
    """Kinds and texts of what is published."""
    found = (a for a in decide(group, now, closing=closing).actions if isinstance(a, Report))
    return [(each.kinds, each.problems) for each in found]


def reported(group: Group, kinds: str = "launch") -> Group:
    return replace(group, tags=(*group.tags, group_tag(lease_tags.TAG_REPORTED, kinds)))


FAILING = replace(unasked(), short_for=ALARMING, unserved_for=ALARMING, activity=QUOTA)
TEXT = f"no instance has been in service for 10 minutes, and 2 are to be: {explained(QUOTA)}"


def test_no_instance_in_service_is_published_once_after_ten_minutes_with_reason_and_advice() -> None:
    assert messages(replace(FAILING, unserved_for=ALARMING - SECOND)) == []
    assert messages(FAILING) == [("launch", (TEXT,))]
    assert messages(carry_out(FAILING, MIDDLE)) == []
    assert messages(replace(reported(FAILING), unserved_for=HOUR)) == []


def test_the_reason_is_looked_up_before_it_is_published() -> None:
    unknown = replace(FAILING, activity=None)
    assert messages(unknown) == []
    assert Fact.ACTIVITY in decide(unknown, MIDDLE).needs
    assert messages(reported(unknown)) == [], "what was published stays so meanwhile"
    refused = replace(unknown, refused=frozenset({Fact.ACTIVITY}))
    ((_, (text,)),) = messages(refused)
    assert text.endswith("the reason is not known")
    ((_, (text,)),) = messages(replace(FAILING, activity=""))
    assert text.endswith(UNNAMED)


def test_a_checker_that_lost_its_memory_publishes_nothing_twice() -> None:
    assert messages(replace(reported(FAILING), short_for=MINUTE, unserved_for=MINUTE)) == []


def test_an_instance_in_service_ends_it_and_the_next_time_is_published_again() -> None:
    served = replace(reported(FAILING), members=RUNNING[:1], unserved_for=timedelta(0))
    assert messages(compared(served)) == [("", ())], "recorded, and nothing is published"
    again = replace(reported(FAILING, ""), unserved_for=ALARMING)
    assert messages(again) == [("launch", (TEXT,))]


def test_a_fleet_of_which_some_are_in_service_is_no_alarm_and_stays_a_problem() -> None:
    some = replace(unasked(RUNNING[0]), short_for=HOUR, activity=QUOTA)
    assert messages(some) == []
    assert decide(some, MIDDLE).problems == (f"1 of 2 instances have not started for 60 minutes: {explained(QUOTA)}",)


def test_what_retired_by_itself_was_stopped_by_hand_or_is_empty_by_declaration_is_no_alarm() -> None:
    assert messages(replace(FAILING, desired=0)) == [], "each execution point lowers the desired capacity"
    assert messages(replace(FAILING, suspended=FAILING.suspended | LAUNCH)) == []
    nothing = a_group(replace(POLICY, size=0), written=settled(size=0), desired=2, instances=None)
    nothing = replace(compared(nothing), unserved_for=HOUR, activity=QUOTA)
    assert decide(nothing, MIDDLE).phase is Phase.GRANTED
    assert [kinds for kinds, _ in messages(nothing)] == ["surplus"]


def test_a_lease_that_is_over_or_destroyed_has_no_alarm() -> None:
    assert not any("launch" in kinds for kinds, _ in messages(FAILING, END))
    assert not any("launch" in kinds for kinds, _ in messages(FAILING, closing=True))
    waiting = replace(a_group(desired=1, credential=None), unserved_for=HOUR, instances=(), activity="")
    assert messages(waiting) == []
