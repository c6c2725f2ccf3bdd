from __future__ import annotations

from dataclasses import replace

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import Grant
from annex_lease.decision import decide
from annex_lease.lease import Phase
from annex_lease.observed import Credential, Fact, GroupMember
from annex_lease.policy import LeasePolicy
from annex_lease.tags import Tag, format_time
from tests.unit.lease.lease_model import (
    CREATED,
    END,
    HOUR,
    LAUNCH,
    MIDDLE,
    POLICY,
    RUNNING,
    SECOND,
    a_group,
    apply,
    carry_out,
    compared,
    kinds,
    listed,
    settled,
    without,
)


def sized(size: int) -> LeasePolicy:
    return replace(POLICY, size=size)


# --- the grant


BEFORE = ["PublishEnd", "ScheduleEnds"]


def test_the_first_check_publishes_then_schedules_then_grants_then_notifies() -> None:
    decision = decide(a_group(), MIDDLE)
    assert kinds(decision) == [*BEFORE, "Grant", "NotifyInstances"]
    assert decision.phase is Phase.GRANTED
    assert decision.end == END
    assert not decision.needs


def test_all_that_a_check_can_do_comes_in_this_order() -> None:
    """The use first: no refusal of anything else may stop it. What lets something start after all of the record."""
    policy = replace(POLICY, max_instance_hours=100, renew_seconds=1200, warn_before_end_seconds=3000)
    busy = (GroupMember("i-1", "InService", protected=True),)
    renewed = END - 5 * SECOND
    written = {
        lease_tags.TAG_UNTIL: format_time(END),
        lease_tags.TAG_RENEWED: format_time(renewed),
        lease_tags.TAG_USED: f"0@{format_time(CREATED)}x0",
        lease_tags.TAG_GRANTED: "2",
    }
    group = listed(a_group(policy, written=written, members=busy, desired=1, suspended=frozenset({"Launch"})), None)
    assert kinds(decide(group, renewed)) == [
        *("RecordUse", "RenewLease", "PublishEnd", "RecordOverride", "ScheduleEnds", "SuspendProcesses"),
        *("ResumeLaunch", "Grant", "Warn", "NotifyInstances"),
    ]


def test_zones_are_not_evened_out_before_anything_can_start() -> None:
    new = a_group(suspended=frozenset())
    assert kinds(decide(new, MIDDLE)) == [*BEFORE, "SuspendProcesses", "Grant", "NotifyInstances"]
    resumed = listed(a_group(written=settled(), desired=2, members=RUNNING, suspended=frozenset()))
    assert kinds(decide(resumed, MIDDLE)) == ["SuspendProcesses"]


def test_a_granted_annex_is_left_alone() -> None:
    group = a_group(written=settled(), desired=2, members=RUNNING)
    for known in (listed(group), compared(replace(group, instances=None))):
        decision = decide(known, MIDDLE)
        assert (decision.phase, decision.actions, decision.problems) == (Phase.ACTIVE, (), ())
        assert not decision.needs


def test_a_fleet_that_shrank_by_itself_is_not_resized() -> None:
    shrunk = decide(a_group(written=settled(), desired=1), MIDDLE)
    assert (shrunk.actions, shrunk.phase) == ((), Phase.GRANTED)


@pytest.mark.parametrize(
    ("size", "desired", "capacity"),
    [
        *((5, 2, 5), (5, 0, 5)),  # growth grants the whole size
        *((1, 2, 1), (0, 2, 0)),
        *((1, 1, 1), (1, 0, 0)),  # a size that was made smaller starts nothing
    ],
)
def test_another_declared_size_is_granted_once(size: int, desired: int, capacity: int) -> None:
    group = a_group(sized(size), written=settled(), desired=desired)
    decision = decide(group, MIDDLE)
    (grant,) = decision.actions
    assert isinstance(grant, Grant)
    assert (grant.granted.size, grant.capacity, grant.starts) == (size, capacity, capacity > desired)
    after = apply(group, grant)
    assert kinds(decide(listed(after), MIDDLE)) == []
    assert after.desired == capacity


@pytest.mark.parametrize(("desired", "capacity"), [(4, 5), (5, 5), (9, 9)])
def test_a_larger_size_ends_nothing_that_was_added_by_hand(desired: int, capacity: int) -> None:
    group = a_group(sized(5), written=settled(), desired=desired)
    assert [a.capacity for a in decide(group, MIDDLE).actions if isinstance(a, Grant)] == [capacity]
    assert carry_out(group, MIDDLE).desired == capacity


def test_a_smaller_size_waits_for_nothing() -> None:
    idle = a_group(sized(4), written=settled(size=5), desired=0, credential=None, suspended=frozenset({"AZRebalance"}))
    decision = decide(idle, MIDDLE)
    assert (kinds(decision), decision.needs) == (["Grant"], frozenset())
    assert decide(apply(idle, decision.actions[0]), MIDDLE).phase is Phase.GRANTED


def test_nothing_is_granted_without_the_credential() -> None:
    for state, help_text in ((Credential.EMPTY, "run annex credential push"), (Credential.DELETED, "restore it")):
        decision = decide(a_group(credential=state), MIDDLE)
        assert decision.phase is Phase.WAITING
        assert kinds(decision) == [*BEFORE, "NotifyInstances"]
        assert "credential" in decision.reason
        assert help_text in decision.reason
        assert not decision.needs


def test_the_credential_is_asked_for_only_when_a_grant_depends_on_it() -> None:
    asking = decide(a_group(credential=None), MIDDLE)
    assert asking.needs == {Fact.CREDENTIAL}
    assert asking.phase is Phase.WAITING
    assert "Grant" not in kinds(asking)
    quiet = (
        a_group(written=settled(), credential=None),
        a_group(sized(1), written=settled(), desired=2, credential=None),
        a_group(sized(0), credential=None),
        a_group(credential=None, suspended=LAUNCH),
        a_group(credential=None, max_size=1),
    )
    assert [decide(group, MIDDLE).needs for group in quiet] == [frozenset()] * len(quiet)
    assert not decide(a_group(credential=None, instances=()), END).needs


def test_a_size_above_the_maximum_is_not_granted() -> None:
    decision = decide(a_group(max_size=1), MIDDLE)
    assert decision.phase is Phase.WAITING
    assert "Grant" not in kinds(decision)
    assert "above the group's MaxSize 1" in decision.problems[0]
    assert "Grant" in kinds(decide(a_group(max_size=2), MIDDLE))


@pytest.mark.parametrize(("max_size", "restored"), [(0, 2), (2, None), (3, None)])
def test_a_maximum_of_zero_is_restored_with_the_grant(max_size: int, restored: int | None) -> None:
    """The scheduled action after an earlier latest end leaves it."""
    (grant,) = (a for a in decide(a_group(max_size=max_size), MIDDLE).actions if isinstance(a, Grant))
    assert (grant.max_size, grant.capacity) == (restored, 2)


def test_a_grant_that_died_before_its_record_is_recorded() -> None:
    written = settled()
    del written[lease_tags.TAG_GRANTED]
    decision = decide(listed(a_group(written=written, desired=2, members=RUNNING, credential=None)), MIDDLE)
    assert kinds(decision) == ["Grant"]
    assert [a.starts for a in decision.actions if isinstance(a, Grant)] == [False]


@pytest.mark.parametrize(("desired", "starts"), [(0, True), (1, True), (2, False)])
def test_a_grant_that_was_begun_is_carried_out_again(desired: int, starts: bool) -> None:
    begun = a_group(written={**settled(), lease_tags.TAG_GRANTED: "2?"}, desired=desired)
    decision = decide(begun, MIDDLE)
    assert [(a.capacity, a.starts) for a in decision.actions if isinstance(a, Grant)] == [(2, starts)]
    (grant,) = decision.actions
    assert decide(listed(apply(begun, grant)), MIDDLE).actions == ()


def test_a_size_that_was_only_begun_makes_no_size_smaller() -> None:
    """The capacity for the larger size was never set: the declared size is granted in whole."""
    begun = a_group(sized(4), written={**settled(), lease_tags.TAG_GRANTED: "5?"}, desired=0)
    assert [a.capacity for a in decide(begun, MIDDLE).actions if isinstance(a, Grant)] == [4]
    done = a_group(sized(4), written={**settled(), lease_tags.TAG_GRANTED: "5"}, desired=0)
    assert [a.capacity for a in decide(done, MIDDLE).actions if isinstance(a, Grant)] == [0]


def test_a_granted_size_that_cannot_be_read_grants_nothing() -> None:
    decision = decide(a_group(written={**settled(), lease_tags.TAG_GRANTED: "x"}, desired=1), MIDDLE)
    assert kinds(decision) == ["Report"]
    assert "annex:granted" in decision.problems[0]


# --- a stopped group with a valid lease


def test_a_stopped_group_gets_no_grant_and_says_so() -> None:
    decision = decide(a_group(suspended=LAUNCH), MIDDLE)
    assert decision.phase is Phase.WAITING
    assert "Grant" not in kinds(decision)
    assert "Launch process is suspended" in decision.problems[0]


def test_another_suspended_process_does_not_stop_the_grant() -> None:
    decision = decide(a_group(suspended=frozenset({"AZRebalance", "Launches"})), MIDDLE)
    assert "Grant" in kinds(decision)
    assert decision.problems == ()


def test_a_stopped_group_may_still_shrink() -> None:
    group = a_group(sized(1), written=settled(), desired=2, suspended=LAUNCH)
    assert kinds(decide(group, MIDDLE)) == ["Grant"]


def test_an_ended_annex_whose_lease_is_valid_again_does_not_restart() -> None:
    ended = carry_out(a_group(written=settled(), desired=2, members=RUNNING), END)
    later = replace(ended, tags=(*ended.tags, Tag(lease_tags.TAG_UNTIL, format_time(END + HOUR), False)))
    decision = decide(later, END + SECOND)
    assert (decision.phase, decision.actions, decision.end) == (Phase.ENDED, (), END)
    assert "annex renew" in decision.reason


# --- the published end


def test_a_changed_end_is_published_and_notified() -> None:
    later = format_time(END + HOUR / 2)
    group = listed(a_group(written={**settled(), lease_tags.TAG_UNTIL: later}, desired=2, members=RUNNING))
    decision = decide(group, MIDDLE)
    assert kinds(decision) == ["PublishEnd", "RecordOverride", "ScheduleEnds", "NotifyInstances"]
    assert decision.end == END + HOUR / 2
    for action in decision.actions:
        group = apply(group, action)
    assert decide(group, MIDDLE).actions == ()


def test_an_end_that_would_not_reach_new_instances_is_published_again() -> None:
    group = without(a_group(written=settled()), lease_tags.TAG_END)
    unpropagated = replace(group, tags=(*group.tags, Tag(lease_tags.TAG_END, format_time(END), False)))
    assert kinds(decide(unpropagated, MIDDLE)) == ["PublishEnd"]


def test_the_published_end_is_never_believed() -> None:
    lie = "2026-11-09T00:00:00Z"
    group = a_group(written={**settled(), lease_tags.TAG_END: lie, lease_tags.TAG_NOTIFIED: lie}, suspended=LAUNCH)
    assert decide(group, END).phase is Phase.ENDED
