"""A lease that ends when its instance-hours are used up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import Grant, PublishEnd, RecordUse
from annex_lease.decision import decide
from annex_lease.entries import Ledger
from annex_lease.lease import Phase
from annex_lease.observed import Group, GroupMember
from annex_lease.tags import format_time
from tests.unit.lease.lease_model import (
    CAP,
    CREATED,
    END,
    HOUR,
    MINUTE,
    POLICY,
    RUNNING,
    SECOND,
    a_group,
    carry_out,
    kinds,
    listed,
    settled,
)

LIMITED = replace(POLICY, max_instance_hours=1)
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
    assert [a.ledger for a in decision.actions if isinstance(a, Grant)] == [Ledger(0, HALF, 0)], "none is seen yet"
    # The very first end that is published is the one that these instances' hours allow, and it stays.
    long = replace(LIMITED, duration_seconds=7200)
    granting = decide(a_group(long), HALF)
    assert granting.end == HALF + HOUR / 2
    group = carry_out(a_group(long), HALF)
    for now, ledger in ((HALF, Ledger(0, HALF, 2)), (HALF + MINUTE, Ledger(120, HALF + MINUTE, 2))):
        seen = decide(listed(group, HALF + HOUR / 2), now)
        assert (seen.end, kinds(seen)) == (HALF + HOUR / 2, ["RecordUse"])
        assert [a.ledger for a in seen.actions if isinstance(a, RecordUse)] == [ledger]


def test_the_hours_that_are_seen_move_the_end_in_the_same_check() -> None:
    """Not a check later: the end would be published twice, and once too late."""
    more = (*RUNNING, GroupMember("i-3", "Pending"), GroupMember("i-4", "Pending"))
    now = CREATED + 10 * MINUTE
    end = now + timedelta(seconds=(3600 - 1200 - 120) // 4)
    group = replace(limited(granted(), members=more), desired=2)
    assert decide(group, now).end == end
    assert [a.end for a in decide(group, now).actions if isinstance(a, PublishEnd)] == [end]
    assert decide(carry_out(group, now), now).end == end


def test_the_lease_ends_when_the_hours_are_used_up() -> None:
    group = limited(granted())
    assert decide(group, HALF - SECOND).phase is Phase.ACTIVE
    over = decide(group, HALF)
    assert over.phase is Phase.DRAINING
    assert "1 instance-hours were used up at 2026-11-01T12:30:00Z" in over.reason
    assert over.used_seconds == 3600
    assert kinds(over)[0] == "EmptyGroup"


def test_hours_that_are_used_up_by_what_is_seen_end_the_annex_without_any_record() -> None:
    """The ledger holds no instance, as every tag was refused since the grant."""
    group = replace(listed(limited(granted(count=0)), HALF), refused=frozenset())
    launched = tuple(replace(each, launched=CREATED) for each in group.instances or ())
    seen = replace(group, instances=launched)
    before, over = decide(seen, HALF - SECOND), decide(seen, HALF)
    assert (before.phase, over.phase) == (Phase.ACTIVE, Phase.DRAINING)
    assert kinds(over)[:2] == ["EmptyGroup", "SuspendLaunch"]
    assert "instance-hours are used up" in over.reason


def test_a_quiet_minute_writes_nothing() -> None:
    assert decide(listed(limited(granted()), HALF), CREATED + MINUTE).actions == ()


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
    decision = decide(group, CREATED)
    assert [a.ledger.count for a in decision.actions if isinstance(a, Grant) and a.ledger] == [3], "as seen"
    assert decision.end == CREATED + HOUR / 5, "two that may start, and three"
    more = replace(group, members=(*RUNNING, GroupMember("i-3", "InService")), desired=3)
    assert decide(more, CREATED).end == CREATED + HOUR / 6, "three that are seen, and three"


def test_what_is_counted_was_seen_and_not_meant() -> None:
    group = replace(limited(granted(), members=()), desired=2)
    for now in (CREATED + MINUTE, CREATED + 9 * MINUTE):
        recorded = [a.ledger for a in decide(group, now).actions if isinstance(a, RecordUse)]
        assert recorded == [Ledger(2 * int((now - CREATED).total_seconds()), now, 0)]
    more = replace(limited(granted(), members=(*RUNNING, GroupMember("i-3", "Pending"))), desired=1)
    assert [a.ledger.count for a in decide(more, CREATED + MINUTE).actions if isinstance(a, RecordUse)] == [3]


def test_the_use_is_recorded_before_everything_else() -> None:
    fewer = limited(granted(), members=RUNNING[:1])
    moved = replace(fewer, suspended=frozenset(), desired=0, instances=None)
    assert kinds(decide(moved, CREATED + MINUTE))[0] == "RecordUse"
    plenty = a_group(replace(LIMITED, max_instance_hours=9), written=granted(), desired=2, members=RUNNING[:1])
    ended = kinds(decide(listed(plenty, None), END))
    assert ended == ["EmptyGroup", "SuspendLaunch", "RecordUse", "PublishEnd", "NotifyInstances"]


@pytest.mark.parametrize(
    "ledger",
    [None, "x", "", "-1@2026-11-01T12:00:00Zx2", "0@2026-11-01T12:00:00Z", "0@2026-11-31T12:00:00Zx1"],
)
def test_hours_that_cannot_be_read_are_taken_for_the_most_they_can_be(ledger: str | None) -> None:
    written = {**settled(), **({} if ledger is None else {lease_tags.TAG_USED: ledger})}
    now = CREATED + 10 * MINUTE
    decision = decide(limited(written, members=RUNNING[:1]), now)
    assert [a.ledger for a in decision.actions if isinstance(a, RecordUse)] == [Ledger(1200, now, 1)]
    assert decide(limited(written), HALF).phase is Phase.DRAINING


@pytest.mark.parametrize("at", [CREATED + 9 * HOUR, datetime.max.replace(tzinfo=UTC), CREATED - 999 * HOUR])
@pytest.mark.parametrize("count", [0, 2, 999])
def test_a_ledger_of_a_wrong_time_loses_what_its_clock_added(at: datetime, count: int) -> None:
    """A clock that was wrong for one run spends nothing, and gives back no more than it spent."""
    now = CREATED + 10 * MINUTE
    wrong = Ledger(1300, at, count)
    group = limited({**settled(), lease_tags.TAG_USED: wrong.text()})
    decision = decide(group, now)
    assert decision.phase is (Phase.ACTIVE if at > now or count < 3 else Phase.DRAINING)
    if at > now:
        # It counts from now on; no lease counts a time after its latest end.
        kept = max(0, 1300 - int((min(at, CAP) - now).total_seconds()) * count)
        assert [a.ledger for a in decision.actions if isinstance(a, RecordUse)] == [Ledger(kept, now, 2)]
    elif count < 3:
        since = 600 * count + 60 * (2 - count)
        assert [a.ledger for a in decision.actions if isinstance(a, RecordUse)] == [Ledger(1300 + since, now, 2)]


def test_two_checks_at_once_may_read_the_clock_in_another_order() -> None:
    now = CREATED + 10 * MINUTE
    for ahead, kept in ((5 * MINUTE, True), (5 * MINUTE + SECOND, False)):
        ledger = Ledger(1000, now + ahead, 2)
        decision = decide(listed(limited({**granted(), lease_tags.TAG_USED: ledger.text()})), now)
        found = [a.ledger for a in decision.actions if isinstance(a, RecordUse)]
        assert found == ([] if kept else [Ledger(1000 - 2 * 301, now, 2)])


def test_an_ended_annex_does_not_move_the_moment_of_its_end() -> None:
    group = carry_out(limited(granted()), HALF)
    later = replace(group, members=RUNNING[:1], instances=())
    # What is used after it is counted, for a limit that is raised.
    used = Ledger(3600 + 2 * 60, HALF + MINUTE, 1)
    assert [a.ledger for a in decide(later, HALF + MINUTE).actions if isinstance(a, RecordUse)] == [used]
    assert decide(later, HALF + MINUTE).end == HALF
    counted = carry_out(later, HALF + MINUTE)
    assert [decide(counted, HALF + minute * MINUTE).end for minute in (1, 2, 20)] == [HALF] * 3


def test_a_limit_that_was_left_out_for_a_while_finds_what_was_used_meanwhile() -> None:
    without = a_group(replace(POLICY, size=10), written={**granted(count=1), lease_tags.TAG_GRANTED: "10"}, desired=10)
    ten = tuple(GroupMember(f"i-{n}", "InService") for n in range(10))
    group = replace(without, members=ten)
    now = CREATED + 10 * MINUTE
    decision = decide(group, now)
    assert (decision.used_seconds, decision.end) == (None, END)
    assert [a.ledger for a in decision.actions if isinstance(a, RecordUse)] == [Ledger(600 + 9 * 60, now, 10)]


def test_hours_that_are_used_up_stop_counting_when_no_instance_is_left() -> None:
    over = replace(carry_out(limited(granted()), HALF), members=(), instances=())
    (stopped,) = (a.ledger for a in decide(over, HALF + MINUTE).actions if isinstance(a, RecordUse))
    assert stopped == Ledger(3720, HALF + MINUTE, 0)
    after = carry_out(over, HALF + MINUTE)
    assert (decide(after, HALF + HOUR).end, decide(after, HALF + HOUR).actions) == (HALF, ())
    more = a_group(
        replace(LIMITED, max_instance_hours=2),
        written={tag.key: tag.value for tag in after.tags if tag.key not in lease_tags.DECLARED_TAGS},
        suspended=after.suspended,
    )
    assert decide(more, HALF + HOUR).used_seconds == 3720


def test_hours_that_are_still_to_be_written_down_keep_no_annex_from_its_end() -> None:
    plenty = replace(LIMITED, max_instance_hours=9)
    ended = carry_out(a_group(plenty, written=granted(), desired=2, members=RUNNING), END)
    decision = decide(replace(ended, members=(), instances=()), END + MINUTE)
    assert (decision.phase, kinds(decision)) == (Phase.ENDED, ["RecordUse"])


def test_nothing_is_counted_after_the_latest_end() -> None:
    """The record can hold no later time, so a check would write it again and again."""
    plenty = replace(LIMITED, max_instance_hours=99)
    ended = carry_out(a_group(plenty, written=granted(), desired=2, members=RUNNING), END)
    over = replace(ended, members=(), instances=())
    (recorded,) = (a.ledger for a in decide(over, CAP + HOUR).actions if isinstance(a, RecordUse))
    assert recorded == Ledger(2 * 7200, CAP, 0)
    assert decide(carry_out(over, CAP + HOUR), CAP + 2 * HOUR).actions == ()


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
