"""Findings of earlier runs: each is kept for its time, and none is more than what was seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import Decision
from annex_lease.lease import Phase
from annex_lease.memory import Memory
from annex_lease.observed import APART, BELIEVED, FRESH, Compared, Group, GroupMember, Instance, Missing, Seen
from annex_lease.tags import format_time
from tests.unit.lease.lease_model import (
    CREATED,
    END,
    HOUR,
    MINUTE,
    POLICY,
    RUNNING,
    SECOND,
    a_group,
    listed,
    settled,
    without,
)

BLANK = replace(a_group(written=settled(), desired=2, members=RUNNING, instances=None), empty_before=False)
UNREAD = without(BLANK, lease_tags.TAG_SIZE)


def note(memory: Memory, seen: Seen, now: datetime, *, empty: bool = False, ended: bool = False) -> None:
    phase = Phase.ENDED if ended else Phase.DRAINING
    memory.note(memory.recall(seen, now), now, Decision(phase, "", END, empty=empty))


def minutes_of(memory: Memory, seen: Seen, start: datetime, number: int) -> timedelta | None:
    """Let a run see the same each minute; the time for which the last one has found no readable record."""
    for minute in range(number):
        memory.recall(seen, start + minute * MINUTE)
    return memory.recall(seen, start + number * MINUTE).unread_for


def recalled(memory: Memory, now: datetime, seen: Group = BLANK) -> Group:
    found = memory.recall(seen, now)
    assert isinstance(found, Group)
    return found


def test_a_new_memory_knows_nothing() -> None:
    found = recalled(Memory(), CREATED)
    assert (found.unread_for, found.short_for, found.unserved_for) == (timedelta(0),) * 3
    assert found.gone == frozenset()
    assert (found.empty_before, found.known_empty, found.compared) == (False, None, None)


@pytest.mark.parametrize("unread", [UNREAD, Missing("g")])
def test_the_time_without_a_readable_record_is_counted(unread: Seen) -> None:
    memory = Memory()
    assert memory.recall(unread, CREATED).unread_for == timedelta(0)
    assert minutes_of(memory, unread, CREATED, 10) == BELIEVED
    assert recalled(memory, CREATED + 12 * MINUTE).unread_for == timedelta(0)
    assert memory.recall(unread, CREATED + 13 * MINUTE).unread_for == timedelta(0), "it starts again"


def test_an_unlisted_group_and_an_unreadable_record_do_not_add_up() -> None:
    """Each is believed by itself only: six minutes of the one and six of the other are ten of none."""
    for first, second in ((UNREAD, Missing("g")), (Missing("g"), UNREAD)):
        memory = Memory()
        assert minutes_of(memory, first, CREATED, 6) == 6 * MINUTE
        assert minutes_of(memory, second, CREATED + 7 * MINUTE, 6) == 6 * MINUTE
    # A record that cannot be read whenever the group is listed stays so.
    memory = Memory()
    for minute in range(0, 11, 2):
        memory.recall(UNREAD, CREATED + minute * MINUTE)
        memory.recall(Missing("g"), CREATED + (minute + 1) * MINUTE)
    assert memory.recall(UNREAD, CREATED + 12 * MINUTE).unread_for == 12 * MINUTE


@pytest.mark.parametrize("unread", [UNREAD, Missing("g")])
def test_two_readings_with_nothing_between_them_are_no_lasting_one(unread: Seen) -> None:
    """In between another environment of the function may have read the record, or none."""
    memory = Memory()
    memory.recall(unread, CREATED)
    assert memory.recall(unread, CREATED + 3 * MINUTE).unread_for == 3 * MINUTE, "two lost checks are none"
    assert memory.recall(unread, CREATED + 7 * MINUTE).unread_for == timedelta(0)


def test_a_clock_that_was_set_back_starts_again() -> None:
    memory = Memory()
    memory.recall(UNREAD, CREATED + HOUR)
    assert memory.recall(UNREAD, CREATED).unread_for == timedelta(0)
    assert memory.recall(UNREAD, CREATED + HOUR).unread_for == timedelta(0)


def test_a_clock_that_was_ahead_makes_no_negative_time() -> None:
    memory = Memory()
    memory.recall(replace(UNREAD, members=()), CREATED + HOUR)
    early = recalled(memory, CREATED, replace(UNREAD, members=()))
    assert (early.unread_for, early.short_for) == (timedelta(0), timedelta(0))
    assert memory.recall(UNREAD, CREATED + MINUTE).unread_for == MINUTE
    note(memory, replace(BLANK, members=(), instances=()), CREATED + HOUR, empty=True, ended=True)
    early = recalled(memory, CREATED)
    assert (early.empty_before, early.known_empty, early.compared) == (False, None, None)


def test_the_time_with_too_few_instances_is_counted() -> None:
    memory = Memory()
    short = replace(BLANK, members=RUNNING[:1])
    assert recalled(memory, CREATED, short).short_for == timedelta(0)
    for minute in range(1, 6):
        assert recalled(memory, CREATED + minute * MINUTE, short).short_for == minute * MINUTE
    assert recalled(memory, CREATED + 6 * MINUTE).short_for == timedelta(0)
    assert recalled(memory, CREATED + 7 * MINUTE, short).short_for == timedelta(0)
    memory.recall(Missing("g"), CREATED + 8 * MINUTE)
    assert recalled(memory, CREATED + 9 * MINUTE, short).short_for == timedelta(0)


@pytest.mark.parametrize(
    ("changes", "short"),
    [
        ({}, 0),
        ({"desired": 3}, 1),
        ({"desired": 0}, 0),
        ({"members": (RUNNING[0], GroupMember("i-2", "Terminated"))}, 1),
        ({"members": (RUNNING[0], GroupMember("i-2", "Pending"))}, 0),
        ({"gone": frozenset({"i-2"})}, 1),
        ({"members": RUNNING[:1], "instances": (Instance("i-9", "running", member=False),)}, 1),
        ({"members": RUNNING[:1], "warm_pool_size": 5}, 1),
    ],
)
def test_what_the_group_has_is_what_it_lists(changes: dict[str, object], short: int) -> None:
    assert replace(BLANK, **changes).shortfall() == short  # type: ignore[arg-type]


def test_two_empty_looks_apart_make_an_end() -> None:
    memory, empty = Memory(), replace(BLANK, members=(), instances=())
    note(memory, empty, CREATED, empty=True)
    assert not recalled(memory, CREATED + APART - SECOND).empty_before
    assert recalled(memory, CREATED + APART).empty_before
    note(memory, empty, CREATED + APART, empty=True, ended=True)
    assert recalled(memory, CREATED + APART + FRESH - SECOND).known_empty == CREATED + APART
    assert recalled(memory, CREATED + APART + FRESH).known_empty is None
    # A run that did not ask EC2 is no look of its own.
    note(memory, replace(BLANK, members=()), CREATED + 5 * MINUTE, empty=True, ended=True)
    assert recalled(memory, CREATED + 6 * MINUTE).known_empty == CREATED + APART
    note(memory, BLANK, CREATED + 7 * MINUTE)
    later = recalled(memory, CREATED + 8 * MINUTE)
    assert (later.empty_before, later.known_empty) == (False, None), "something is there again"


def test_an_empty_look_of_a_clock_that_was_ahead_delays_no_end() -> None:
    memory, empty = Memory(), replace(BLANK, members=(), instances=())
    for now in (CREATED + HOUR, CREATED):
        note(memory, empty, now, empty=True)
    assert recalled(memory, CREATED + APART).empty_before


def test_a_comparison_holds_for_its_time_and_only_what_had_the_end() -> None:
    memory = Memory()
    seen = replace(listed(BLANK), instances=(*listed(BLANK).instances[:1], Instance("i-2", "running", end="x")))  # type: ignore[index]
    note(memory, seen, CREATED)
    found = Compared(format_time(END), frozenset({"i-1"}))
    assert recalled(memory, CREATED + FRESH - SECOND).compared == found
    assert recalled(memory, CREATED + FRESH).compared is None
    note(memory, BLANK, CREATED + MINUTE)
    assert recalled(memory, CREATED + FRESH - SECOND).compared == found, "a run that did not ask changes nothing"
    note(memory, Missing("g", instances=()), CREATED + 2 * MINUTE)
    assert recalled(memory, CREATED + 3 * MINUTE).compared == found


def half(state: Group = BLANK) -> Group:
    """The group with one member that EC2 does not list."""
    return replace(state, instances=(Instance("i-1", "running", end=format_time(END)),))


def test_a_member_counts_as_gone_after_two_looks_with_time_between_them() -> None:
    memory = Memory()
    note(memory, half(), CREATED)
    assert recalled(memory, CREATED + HOUR).gone == frozenset(), "time alone shows nothing"
    note(memory, half(), CREATED + BELIEVED - SECOND)
    assert recalled(memory, CREATED + BELIEVED).gone == frozenset()
    note(memory, half(), CREATED + BELIEVED)
    assert recalled(memory, CREATED + BELIEVED).gone == frozenset({"i-2"})
    note(memory, BLANK, CREATED + BELIEVED + MINUTE)
    assert recalled(memory, CREATED + BELIEVED + MINUTE).gone == frozenset({"i-2"}), "EC2 was not asked"
    note(memory, listed(BLANK), CREATED + BELIEVED + 2 * MINUTE)
    assert recalled(memory, CREATED + BELIEVED + 2 * MINUTE).gone == frozenset(), "EC2 lists it after all"


def test_a_member_that_was_listed_in_between_starts_again() -> None:
    memory = Memory()
    note(memory, half(), CREATED)
    note(memory, listed(BLANK), CREATED + MINUTE)
    note(memory, half(), CREATED + 2 * MINUTE)
    note(memory, half(), CREATED + BELIEVED + MINUTE)
    assert recalled(memory, CREATED + BELIEVED + MINUTE).gone == frozenset()
    note(memory, half(), CREATED + BELIEVED + 2 * MINUTE)
    assert recalled(memory, CREATED + BELIEVED + 2 * MINUTE).gone == frozenset({"i-2"})


def test_a_listing_of_an_unlisted_group_says_nothing_about_its_members() -> None:
    memory = Memory()
    note(memory, half(), CREATED)
    note(memory, Missing("g", instances=()), CREATED + BELIEVED)
    assert recalled(memory, CREATED + BELIEVED).gone == frozenset()


def test_those_outside_the_group_are_remembered_from_the_last_listing() -> None:
    """An instance that came into the group, or that the last listing does not show, is none of them."""
    memory = Memory()
    out = (Instance("i-1", "running"), Instance("i-9", "running", member=False), Instance("i-8", "terminated"))
    note(memory, replace(half(), instances=out), CREATED)
    assert recalled(memory, CREATED + MINUTE).lost == frozenset({"i-9"})
    quiet = replace(half(), instances=None, lost=recalled(memory, CREATED + MINUTE).lost)
    assert (quiet.outside(), quiet.billed()) == (1, len(half().members) + 1)
    joined = replace(quiet, members=(*quiet.members, GroupMember("i-9", "InService")))
    assert joined.outside() == 0
    note(memory, replace(half(), instances=None), CREATED + 2 * MINUTE)
    assert recalled(memory, CREATED + 2 * MINUTE).lost == frozenset({"i-9"}), "EC2 was not asked"
    note(memory, replace(half(), instances=()), CREATED + 3 * MINUTE)
    assert recalled(memory, CREATED + 3 * MINUTE).lost == frozenset()


def test_the_time_for_which_a_lease_is_seen_to_be_over_is_counted() -> None:
    memory = Memory()
    assert recalled(memory, END - MINUTE).over_for == timedelta(0)
    for minute in range(4):
        assert recalled(memory, END + minute * MINUTE).over_for == minute * MINUTE
    longer = a_group(replace(POLICY, duration_seconds=7000), written=settled())
    assert recalled(memory, END + 4 * MINUTE, longer).over_for == timedelta(0)
    assert recalled(memory, END + 5 * MINUTE).over_for == timedelta(0), "it starts again"
