"""A lease that ends when its instance-hours are used up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_lease import tags as lease_tags
from annex_lease.actions import Grant, RecordUse
from annex_lease.decision import decide
from annex_lease.entries import Ledger, parse_ledger
from annex_lease.lease import Phase
from annex_lease.observed import Group, GroupMember
from annex_lease.tags import format_time
from tests.unit.lease.lease_model import (
    CREATED,
    DECLARED_KEYS,
    END,
    HOUR,
    POLICY,
    a_group,
    carry_out,
    kinds,
    settled,
)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
LIMITED = replace(POLICY, max_instance_hours=1)
RUNNING = (GroupMember("i-1", "InService"), GroupMember("i-2", "InService"))
HALF = CREATED + HOUR / 2


def granted(at: int = 0, count: int = 2, used: int = 0) -> dict[str, str]:
    ledger = Ledger(used, CREATED + timedelta(seconds=at), count)
    end = format_time(ledger.reaches(1) or END)
    return {
        **settled(),
        lease_tags.TAG_END: end,
        lease_tags.TAG_NOTIFIED: end,
        lease_tags.TAG_USED: ledger.text(),
        lease_tags.TAG_SCHEDULED: f"{end}@{format_time(CREATED + 2 * HOUR)}",
    }


def limited(written: dict[str, str], *, members: tuple[GroupMember, ...] = RUNNING) -> Group:
    return a_group(LIMITED, written=written, desired=len(members), members=members)


def test_the_hours_are_counted_from_the_grant_on() -> None:
    decision = decide(a_group(LIMITED), HALF)
    assert [a.ledger for a in decision.actions if isinstance(a, Grant)] == [Ledger(0, HALF, 2)]
    # The very first end that is published is the one that these instances' hours allow.
    long = replace(LIMITED, duration_seconds=7200)
    granting = decide(a_group(long), HALF)
    assert granting.end == HALF + HOUR / 2
    after = carry_out(a_group(long), HALF)
    assert (decide(after, HALF).end, decide(after, HALF).actions) == (HALF + HOUR / 2, ())


def test_the_lease_ends_when_the_hours_are_used_up() -> None:
    group = limited(granted())
    assert decide(group, HALF - SECOND).phase is Phase.ACTIVE
    over = decide(group, HALF)
    assert over.phase is Phase.DRAINING
    assert "1 instance-hours were used up at 2026-11-01T12:30:00Z" in over.reason
    assert over.used_seconds == 3600
    assert kinds(over)[0] == "EmptyGroup"


def test_a_quiet_minute_writes_nothing() -> None:
    assert decide(limited(granted()), CREATED + MINUTE).actions == ()


def test_another_number_of_instances_is_recorded_and_moves_the_end() -> None:
    fewer = limited(granted(), members=RUNNING[:1])
    now = CREATED + 10 * MINUTE
    decision = decide(fewer, now)
    assert [a.ledger for a in decision.actions if isinstance(a, RecordUse)] == [Ledger(1200, now, 1)]
    assert decide(carry_out(fewer, now), now).end == now + timedelta(seconds=2400)
    none = replace(carry_out(limited(granted(), members=()), now), desired=0)
    assert decide(none, now).end == END, "without use no limit is reached"


def test_a_grant_counts_what_may_start_and_what_the_warm_pool_holds() -> None:
    group = replace(a_group(LIMITED), warm_pool=True, warm_pool_size=3)
    assert [a.ledger.count for a in decide(group, HALF).actions if isinstance(a, Grant) and a.ledger] == [5]


def test_what_was_granted_is_counted_for_a_while_seen_or_not() -> None:
    group = replace(limited(granted(), members=()), desired=2)
    assert decide(group, CREATED + 5 * MINUTE - SECOND).actions == ()
    recorded = [a.ledger for a in decide(group, CREATED + 5 * MINUTE).actions if isinstance(a, RecordUse)]
    assert recorded == [Ledger(600, CREATED + 5 * MINUTE, 0)]
    left = [a.ledger for a in decide(replace(group, desired=0), CREATED + MINUTE).actions if isinstance(a, RecordUse)]
    assert left == [Ledger(120, CREATED + MINUTE, 0)], "what is not wanted any more does not start"


def test_the_warm_pool_uses_hours_too() -> None:
    group = replace(limited(granted()), warm_pool=True, warm_pool_size=2)
    recorded = [a.ledger.count for a in decide(group, CREATED + MINUTE).actions if isinstance(a, RecordUse)]
    assert recorded == [4]


@pytest.mark.parametrize(
    "ledger",
    [None, "x", "", "-1@2026-11-01T12:00:00Zx2", "0@2025-01-01T00:00:00Zx0", "0@9999-12-31T23:59:59Zx1"],
)
def test_hours_that_cannot_be_read_are_taken_for_the_most_they_can_be(ledger: str | None) -> None:
    written = {**settled(), **({} if ledger is None else {lease_tags.TAG_USED: ledger})}
    now = CREATED + 10 * MINUTE
    decision = decide(limited(written, members=RUNNING[:1]), now)
    assert [a.ledger for a in decision.actions if isinstance(a, RecordUse)] == [Ledger(1200, now, 1)]
    assert decide(limited(written), HALF).phase is Phase.DRAINING


def test_a_ledger_from_the_future_is_ignored() -> None:
    future = Ledger(0, CREATED + 9 * HOUR, 0).text()
    decision = decide(limited({**settled(), lease_tags.TAG_USED: future}), CREATED + 10 * MINUTE)
    assert [a.ledger.used for a in decision.actions if isinstance(a, RecordUse)] == [1200]


def test_an_ended_annex_does_not_move_the_moment_of_its_end() -> None:
    group = carry_out(limited(granted()), HALF)
    later = replace(group, members=RUNNING[:1], instances=())
    assert not [a for a in decide(later, HALF + MINUTE).actions if isinstance(a, RecordUse)]
    assert decide(later, HALF + MINUTE).end == HALF


def test_a_limit_that_was_left_out_for_a_while_finds_what_was_used_meanwhile() -> None:
    without = a_group(replace(POLICY, size=10), written={**granted(count=1), lease_tags.TAG_GRANTED: "10"}, desired=10)
    ten = tuple(GroupMember(f"i-{n}", "InService") for n in range(10))
    group = replace(without, members=ten)
    now = CREATED + 10 * MINUTE
    decision = decide(group, now)
    assert (decision.used_seconds, decision.end) == (None, END)
    assert [a.ledger for a in decision.actions if isinstance(a, RecordUse)] == [Ledger(600, now, 10)]


def test_hours_that_are_used_up_stop_counting_when_no_instance_is_left() -> None:
    over = replace(carry_out(limited(granted()), HALF), members=(), instances=())
    (stopped,) = (a.ledger for a in decide(over, HALF + MINUTE).actions if isinstance(a, RecordUse))
    assert stopped == Ledger(3600, HALF, 0)
    after = carry_out(over, HALF + MINUTE)
    assert (decide(after, HALF + HOUR).end, decide(after, HALF + HOUR).actions) == (HALF, ())
    more = a_group(
        replace(LIMITED, max_instance_hours=2),
        written={tag.key: tag.value for tag in after.tags if tag.key not in DECLARED_KEYS},
        suspended=after.suspended,
    )
    assert decide(more, HALF + MINUTE).used_seconds == 3600


def test_hours_that_are_still_to_be_written_down_keep_no_annex_from_its_end() -> None:
    plenty = replace(LIMITED, max_instance_hours=9)
    ended = carry_out(a_group(plenty, written=granted(), desired=2, members=RUNNING), END)
    decision = decide(replace(ended, members=(), instances=()), END + MINUTE)
    assert (decision.phase, kinds(decision)) == (Phase.ENDED, ["RecordUse"])


def test_a_lease_that_ends_earlier_is_not_prolonged_by_its_hours() -> None:
    plenty = replace(LIMITED, max_instance_hours=1000)
    lease = a_group(plenty, written=granted()).lease
    assert lease.policy is not None
    assert (lease.effective_end, lease.ends_by_hours) == (END, False)


def test_without_a_declared_limit_there_is_no_ledger() -> None:
    assert not [a for a in decide(a_group(), CREATED).actions if isinstance(a, RecordUse)]
    group = a_group(written={**settled(), lease_tags.TAG_USED: "9999999@2026-11-01T12:00:00Zx9"}, desired=2)
    assert decide(group, CREATED).end == END
    assert decide(group, CREATED).used_seconds is None


seconds = st.integers(0, 10**9)
ledgers = st.builds(Ledger, seconds, st.integers(0, 10**6).map(lambda s: CREATED + timedelta(seconds=s)), seconds)


@given(ledgers)
def test_a_ledger_is_read_as_it_was_written(ledger: Ledger) -> None:
    ledger = replace(ledger, count=ledger.count % 10**9)
    assert parse_ledger(ledger.text()) == ledger


@given(ledgers, st.integers(1, 10**8), st.integers(0, 10**7))
def test_writing_a_ledger_on_does_not_move_the_moment_of_the_limit(ledger: Ledger, hours: int, after: int) -> None:
    limit = ledger.reaches(hours)
    moment = ledger.at + timedelta(seconds=after)
    if limit is not None and moment <= limit:
        assert ledger.moved_on(moment, ledger.count).reaches(hours) == limit


@given(ledgers, st.integers(1, 10**8))
def test_the_limit_is_never_passed_before_its_moment(ledger: Ledger, hours: int) -> None:
    limit = ledger.reaches(hours)
    if limit is not None and ledger.used < hours * 3600:
        assert ledger.used_by(limit) <= hours * 3600
        assert ledger.used_by(limit + SECOND) + ledger.count > hours * 3600


def test_the_assumed_ledger_is_the_most_there_can_be() -> None:
    assert Ledger.assumed(CREATED, 20).reaches(10) == CREATED + HOUR / 2
