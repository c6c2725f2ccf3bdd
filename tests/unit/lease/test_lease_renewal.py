"""A lease that is renewed: by the operator, after it ended; by itself, while instances are busy."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import Grant, RenewLease, Warn
from annex_lease.decision import decide
from annex_lease.entries import Granted, Ledger, Renewed
from annex_lease.lease import Phase
from annex_lease.observed import Credential, Fact, Group, GroupMember
from annex_lease.record import read_record
from annex_lease.tags import format_time, group_tag
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
    apply,
    carry_out,
    kinds,
    listed,
    settled,
)

BUSY = (GroupMember("i-1", "InService", protected=True), GroupMember("i-2", "InService"))
RENEWING = replace(POLICY, renew_seconds=1200)
MOVED = ["PublishEnd", "RecordOverride", "ScheduleEnds"]


def ended() -> Group:
    return carry_out(a_group(written=settled(), desired=2, members=RUNNING), END)


def written(group: Group, **values: str) -> Group:
    keys = {getattr(lease_tags, f"TAG_{key.upper()}"): value for key, value in values.items()}
    kept = tuple(tag for tag in group.tags if tag.key not in keys)
    return replace(group, tags=(*kept, *(group_tag(key, value) for key, value in keys.items())))


# --- by the operator


def test_a_renewal_resumes_and_grants_in_this_order() -> None:
    moment = END + MINUTE
    group = written(ended(), renewed=format_time(moment), until=format_time(END + HOUR / 2))
    decision = decide(group, moment)
    assert kinds(decision) == [*MOVED, "ResumeLaunch", "Grant", "NotifyInstances"]
    assert [a.granted for a in decision.actions if isinstance(a, Grant)] == [Granted(2, moment)]
    renewed = carry_out(group, moment)
    assert (renewed.desired, "Launch" in renewed.suspended) == (2, False)
    after = decide(listed(renewed, END + HOUR / 2), moment)
    assert (after.actions, after.phase) == ((), Phase.ACTIVE)


def test_a_renewal_that_died_between_its_two_steps_is_finished() -> None:
    moment = END + MINUTE
    group = written(ended(), renewed=format_time(moment), until=format_time(END + HOUR / 2))
    for action in decide(group, moment).actions[:4]:
        group = apply(group, action)
    assert "Launch" not in group.suspended
    assert kinds(decide(group, moment)) == ["Grant", "NotifyInstances"]


@pytest.mark.parametrize("desired", [0, 2])
def test_a_renewal_that_was_only_begun_is_carried_out_again(desired: int) -> None:
    """The run died before the capacity, or after it: the renewal is pending until the grant is completed."""
    moment = END + MINUTE
    group = written(ended(), renewed=format_time(moment), until=format_time(CAP), granted=f"2@{format_time(moment)}?")
    begun = replace(group, desired=desired, suspended=frozenset({"AZRebalance"}))
    assert begun.lease.record.renewal_pending
    decision = decide(begun, moment)
    assert [a.granted for a in decision.actions if isinstance(a, Grant)] == [Granted(2, moment)]
    assert not carry_out(begun, moment).lease.record.renewal_pending


def test_a_renewal_grants_a_smaller_size_in_whole() -> None:
    """The operator asks for the annex again: that is no deployment of a smaller size."""
    moment = END + MINUTE
    group = written(ended(), size="1", renewed=format_time(moment), until=format_time(CAP))
    assert [a.capacity for a in decide(group, moment).actions if isinstance(a, Grant)] == [1]


def test_a_renewal_restores_what_the_last_scheduled_action_set_to_zero() -> None:
    moment = END + MINUTE
    group = replace(written(ended(), renewed=format_time(moment), until=format_time(CAP)), max_size=0)
    assert [(a.capacity, a.max_size) for a in decide(group, moment).actions if isinstance(a, Grant)] == [(2, 2)]
    assert carry_out(group, moment).max_size == 2


def test_an_extension_that_comes_late_starts_nothing() -> None:
    late = written(ended(), until=format_time(END + HOUR / 2))
    assert decide(late, END + MINUTE).actions == ()
    assert decide(late, END + MINUTE).phase is Phase.ENDED
    assert decide(late, END + MINUTE).end == END


def test_what_is_left_of_an_ended_annex_gets_no_new_end_from_a_late_extension() -> None:
    left = replace(ended(), members=(GroupMember("i-9", "Standby"),), instances=())
    late = written(left, until=format_time(CAP))
    assert decide(late, END + timedelta(seconds=899)).actions == ()
    decision = decide(late, END + timedelta(seconds=900))
    assert (kinds(decision), decision.overdue) == (["TerminateInstances"], 1)


def test_a_renewed_lease_ends_again_and_a_renewal_counts_once() -> None:
    moment, end = END + MINUTE, END + HOUR / 2
    renewed = carry_out(written(ended(), renewed=format_time(moment), until=format_time(end)), moment)
    over = carry_out(renewed, end)
    assert (over.desired, "Launch" in over.suspended) == (0, True)
    assert decide(written(over, until=format_time(CAP)), end + MINUTE).phase is Phase.ENDED
    again = written(over, renewed=format_time(end + MINUTE), until=format_time(CAP))
    assert "Grant" in kinds(decide(again, end + MINUTE))


def test_a_renewal_cannot_pass_the_maximum_lifetime() -> None:
    moment = END + MINUTE
    beyond = written(ended(), renewed=format_time(moment), until=format_time(CAP + SECOND))
    decision = decide(beyond, moment)
    assert (decision.phase, decision.end) == (Phase.GRANTED, CAP)
    assert (
        "is after the maximum lifetime of this lease: its end 2026-11-01T14:00:00Z counts"
        in (decision.record_problems[0])
    )
    assert decide(carry_out(beyond, moment), CAP).phase is Phase.DRAINING
    renewed = written(ended(), renewed=format_time(CAP), until=format_time(CAP))
    assert decide(renewed, CAP).phase is Phase.ENDED


def test_a_renewal_waits_for_the_credential_and_resumes_nothing_before() -> None:
    moment = END + MINUTE
    group = written(ended(), renewed=format_time(moment), until=format_time(CAP))
    assert decide(replace(group, credential=None), moment).needs == {Fact.CREDENTIAL}
    decision = decide(replace(group, credential=Credential.EMPTY), moment)
    assert decision.phase is Phase.WAITING
    assert "ResumeLaunch" not in kinds(decision)


def test_a_malformed_renewal_is_none_and_is_reported() -> None:
    decision = decide(written(ended(), renewed="yes", until=format_time(CAP)), END + MINUTE)
    assert (decision.phase, kinds(decision)) == (Phase.ENDED, ["Report"])
    assert "annex:lease-renewed" in decision.record_problems[0]


def test_a_renewal_of_a_running_annex_grants_its_size_again() -> None:
    moment = CREATED + HOUR / 2
    group = written(listed(a_group(written=settled(), desired=1, members=RUNNING[:1])), renewed=format_time(moment))
    assert kinds(decide(group, moment)) == ["Grant"]
    assert decide(listed(carry_out(group, moment)), moment).actions == ()


# --- by itself, while busy


@pytest.mark.parametrize(
    ("left", "instances", "renewed"),
    [
        (timedelta(seconds=600), BUSY, True),
        (timedelta(seconds=601), BUSY, False),
        (SECOND, BUSY, True),
        (timedelta(seconds=600), RUNNING, False),
        (timedelta(seconds=600), (GroupMember("i-1", "Standby", protected=True),), False),
    ],
)
def test_a_busy_annex_is_renewed_late_in_its_lease(
    left: timedelta, instances: tuple[GroupMember, ...], renewed: bool
) -> None:
    now = END - left
    decision = decide(listed(a_group(RENEWING, written=settled(), desired=2, members=instances)), now)
    found = [action.renewed for action in decision.actions if isinstance(action, RenewLease)]
    assert found == ([Renewed(now + timedelta(seconds=1200), END)] if renewed else [])
    moved = ["RenewLease", "PublishEnd", "ScheduleEnds", "NotifyInstances"]
    assert kinds(decision) == (moved if renewed else [])


def test_an_annex_that_does_not_ask_for_it_is_not_renewed() -> None:
    assert decide(listed(a_group(written=settled(), desired=2, members=BUSY)), END - SECOND).actions == ()


@pytest.mark.parametrize(("hours", "minutes", "renewed"), [(9, 50, True), (1, 20, False)])
def test_an_annex_that_its_hours_end_is_not_renewed(hours: int, minutes: int, renewed: bool) -> None:
    """The renewal would change no end, and count as soon as the hours are raised."""
    policy = replace(RENEWING, max_instance_hours=hours)
    used = {lease_tags.TAG_USED: Ledger(0, CREATED, 2).text()}
    group = listed(a_group(policy, written=settled() | used, desired=2, members=BUSY))
    assert ("RenewLease" in kinds(decide(group, CREATED + minutes * MINUTE))) is renewed


def test_renewals_follow_each_other_up_to_the_maximum_lifetime_and_not_beyond() -> None:
    group = a_group(RENEWING, written=settled(), desired=2, members=BUSY)
    now = CREATED
    ends = []
    while (decision := decide(group, now)).phase is Phase.ACTIVE:
        assert decision.end is not None
        ends.append(decision.end)
        group = carry_out(group, now)
        now += MINUTE
    assert ends == sorted(ends)
    assert ends[-1] == CAP
    assert now == CAP


def test_the_override_of_the_operator_makes_a_renewal_void() -> None:
    renewed = carry_out(a_group(RENEWING, written=settled(), desired=2, members=BUSY), END - MINUTE)
    assert decide(renewed, END).phase is Phase.ACTIVE
    stopped = written(renewed, until=format_time(END))
    assert decide(written(renewed, until=format_time(END - SECOND)), END).phase is Phase.DRAINING
    assert decide(stopped, END).phase is Phase.ACTIVE, "the same end as the renewed one is no new override"


@pytest.mark.parametrize("busy", ["x", "@", "2026-11-01T15:00:00Z", "9999-12-31T00:00:00Z@2026-11-01T13:00:00Z"])
def test_a_spoilt_renewal_never_passes_the_maximum_lifetime(busy: str) -> None:
    decision = decide(a_group(RENEWING, written={**settled(), lease_tags.TAG_BUSY: busy}, desired=2), CREATED)
    assert decision.end is not None
    assert decision.end <= CAP


# --- the warning


def test_a_warning_is_published_once_for_each_end() -> None:
    policy = replace(POLICY, warn_before_end_seconds=600)
    group = listed(a_group(policy, written=settled(), desired=2, members=RUNNING))
    assert decide(group, END - timedelta(seconds=601)).actions == ()
    now = END - timedelta(seconds=600)
    decision = decide(group, now)
    assert [(a.end, a.alive) for a in decision.actions if isinstance(a, Warn)] == [(END, 2)]
    warned = carry_out(group, now)
    assert decide(warned, now).actions == ()
    later = written(warned, until=format_time(END + MINUTE))
    assert "Warn" in kinds(decide(later, END - timedelta(seconds=500)))
    assert decide(replace(group, members=(), instances=()), now).actions == ()
    assert read_record(warned.tags).warned == format_time(END)
