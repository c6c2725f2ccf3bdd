"""The one rule of the end: caps cap, and below them the newer decision wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import RecordOverride, RenewLease
from annex_lease.decision import decide
from annex_lease.entries import Override, Renewed
from annex_lease.lease import NO_CAPS, LeaseCaps, Phase
from annex_lease.observed import Group
from annex_lease.policy import LeasePolicy
from annex_lease.tags import format_time
from tests.unit.lease.lease_model import (
    CAP,
    CREATED,
    END,
    HOUR,
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

SHORTER, LONGER = CREATED + HOUR / 2, CREATED + 1.5 * HOUR


def overridden(until: datetime, against: datetime | None = END, *, policy: LeasePolicy = POLICY) -> Group:
    """A running annex with an override, written against this declared end; None: by hand, without it."""
    written = settled() | {lease_tags.TAG_UNTIL: format_time(until)}
    if against is not None:
        written[lease_tags.TAG_OVERRIDES] = Override(until, against).text()
    return listed(a_group(policy, written=written, desired=2, members=RUNNING))


def deployed(group: Group, policy: LeasePolicy) -> Group:
    """The group after a deployment of this policy: the declared tags change and no other."""
    fresh = {tag.key: tag for tag in a_group(policy).tags}
    kept = (tag for tag in group.tags if tag.key not in {each.key for each in a_group().tags} | set(fresh))
    return replace(group, tags=(*fresh.values(), *kept))


def lasting(duration: timedelta, *, lifetime: timedelta = 2 * HOUR) -> LeasePolicy:
    seconds = int(duration.total_seconds())
    return replace(POLICY, duration_seconds=seconds, max_lifetime_seconds=int(lifetime.total_seconds()))


# --- the newer decision wins


@pytest.mark.parametrize("until", [SHORTER, LONGER, END, CREATED - HOUR])
def test_an_override_is_newer_than_the_end_it_was_written_against(until: datetime) -> None:
    lease = overridden(until).lease
    assert (lease.effective_end, lease.override_is_void, lease.problems) == (until, False, ())


@pytest.mark.parametrize("until", [SHORTER, LONGER])
@pytest.mark.parametrize("duration", [HOUR / 4, 2 * HOUR])
def test_a_later_deployment_makes_the_override_void(until: datetime, duration: timedelta) -> None:
    """Both ways: it shortens what was extended, and lengthens what was shortened."""
    lease = deployed(overridden(until), lasting(duration)).lease
    assert {lease.effective_end, lease.unrenewed_end} == {CREATED + duration}
    assert lease.override_is_void
    assert lease.problems == (), "a decision that a newer one replaced is no defect"


def test_a_deployment_that_leaves_the_end_alone_leaves_the_override_alone() -> None:
    for policy in (POLICY, replace(POLICY, size=5, grace_seconds=60), lasting(HOUR, lifetime=3 * HOUR)):
        lease = deployed(overridden(LONGER), policy).lease
        assert (lease.effective_end, lease.override_is_void) == (LONGER, False)


def test_another_way_to_declare_the_same_end_is_no_change() -> None:
    same = replace(POLICY, duration_seconds=None, ends_at=END)
    lease = deployed(overridden(LONGER), same).lease
    assert (lease.effective_end, lease.override_is_void) == (LONGER, False)
    later = replace(same, ends_at=END + SECOND)
    assert deployed(overridden(LONGER), later).lease.effective_end == END + SECOND


def test_an_override_that_was_written_by_hand_is_recorded_at_first_sight() -> None:
    group = overridden(LONGER, against=None)
    decision = decide(group, SHORTER)
    found = [a.override for a in decision.actions if isinstance(a, RecordOverride)]
    assert (decision.end, found) == (LONGER, [Override(LONGER, END)])
    recorded = carry_out(group, SHORTER)
    assert "RecordOverride" not in kinds(decide(recorded, SHORTER))
    assert recorded.lease.effective_end == LONGER
    assert deployed(recorded, lasting(HOUR / 4)).lease.effective_end == CREATED + HOUR / 4


def test_the_record_of_another_override_says_nothing_about_this_one() -> None:
    """An operator wrote again, by hand, after a deployment: the newer decision is the operator's."""
    stale = {lease_tags.TAG_OVERRIDES: Override(SHORTER, CREATED + HOUR / 4).text()}
    group = overridden(LONGER, against=None)
    written = listed(replace(group, tags=(*group.tags, *a_group(written=stale).tags[-1:])))
    assert (written.lease.effective_end, written.lease.override_is_void) == (LONGER, False)
    assert [a.override for a in decide(written, SHORTER).actions if isinstance(a, RecordOverride)] == [
        Override(LONGER, END)
    ]


def recorded(group: Group, now: datetime) -> list[Override]:
    return [a.override for a in decide(group, now).actions if isinstance(a, RecordOverride)]


def test_an_override_that_is_void_for_an_hour_is_void_for_good() -> None:
    void = deployed(overridden(LONGER), lasting(1.9 * HOUR))
    assert void.lease.effective_end == CREATED + 1.9 * HOUR
    assert recorded(void, SHORTER) == [Override(LONGER, END, SHORTER)]
    first = carry_out(void, SHORTER)
    assert recorded(first, SHORTER + HOUR - SECOND) == []
    assert recorded(first, SHORTER + HOUR) == [Override(LONGER, None)]
    # A deployment back to the first end is newer than the override, too.
    last = carry_out(first, SHORTER + HOUR)
    assert recorded(last, SHORTER + HOUR + SECOND) == []
    assert deployed(last, POLICY).lease.effective_end == END
    # A first check whose clock was ahead makes the hour no longer.
    assert recorded(carry_out(void, END), SHORTER) == [Override(LONGER, END, SHORTER)]


def test_a_void_override_counts_again_once_it_is_written_again() -> None:
    """The commands write both tags."""
    again = overridden(LONGER, against=SHORTER, policy=lasting(HOUR / 2))
    assert (again.lease.effective_end, again.lease.override_is_void) == (LONGER, False)


def test_a_deployment_that_is_rolled_back_within_an_hour_voids_nothing() -> None:
    """However many function environments look at it meanwhile, and a second deployment is measured by itself."""
    void = carry_out(deployed(overridden(LONGER), lasting(1.9 * HOUR)), SHORTER)
    back = deployed(void, POLICY)
    assert (back.lease.effective_end, back.lease.override_is_void) == (LONGER, False)
    assert recorded(back, END) == [Override(LONGER, END)]
    again = deployed(carry_out(back, END), lasting(1.9 * HOUR))
    assert recorded(again, END + 2 * SECOND) == [Override(LONGER, END, END + 2 * SECOND)]


@pytest.mark.parametrize("text", ["rubbish", "", "@", f"{format_time(LONGER)}", f"{format_time(LONGER)}@x"])
def test_an_unreadable_record_of_an_override_is_written_again(text: str) -> None:
    group = overridden(LONGER, against=None)
    broken = replace(group, tags=(*group.tags, *a_group(written={lease_tags.TAG_OVERRIDES: text}).tags[-1:]))
    decision = decide(broken, SHORTER)
    assert decision.end == LONGER
    assert lease_tags.TAG_OVERRIDES in decision.record_problems[0]
    assert "RecordOverride" in kinds(decision)


def test_a_record_without_an_override_is_no_override() -> None:
    group = without(overridden(LONGER), lease_tags.TAG_UNTIL)
    assert (group.lease.effective_end, group.lease.override_is_void) == (END, False)
    assert "RecordOverride" not in kinds(decide(group, SHORTER))


def test_a_renewal_of_a_busy_annex_counts_for_the_end_that_it_renewed() -> None:
    renewing = replace(POLICY, renew_seconds=1200)
    busy = Renewed(LONGER, END).text()
    group = a_group(renewing, written=settled() | {lease_tags.TAG_BUSY: busy}, desired=2, members=RUNNING)
    assert group.lease.effective_end == LONGER
    assert deployed(group, replace(renewing, duration_seconds=1800)).lease.effective_end == SHORTER
    # The instances have left: it is not renewed again, and stays renewed.
    assert not [a for a in decide(group, END).actions if isinstance(a, RenewLease)]
    assert decide(group, END).phase is Phase.ACTIVE


# --- caps


@pytest.mark.parametrize(
    ("until", "end", "problem"),
    [(CAP - SECOND, CAP - SECOND, False), (CAP, CAP, False), (CAP + SECOND, CAP, True)],
)
def test_an_override_beyond_the_cap_counts_as_the_cap_and_is_reported(
    until: datetime, end: datetime, problem: bool
) -> None:
    group = overridden(until)
    assert group.lease.effective_end == end
    assert [lease_tags.TAG_UNTIL in text for text in group.lease.problems] == [True] * problem
    assert decide(group, END).phase is Phase.ACTIVE, "it never falls back to the declared end"
    void = deployed(group, lasting(HOUR / 2)).lease
    assert (void.effective_end, void.problems) == (SHORTER, ()), "what is void is not beyond anything"


def test_a_declared_end_beyond_the_cap_counts_as_the_cap() -> None:
    late = replace(POLICY, duration_seconds=None, ends_at=CAP + HOUR)
    lease = a_group(late).lease
    assert (lease.declared_end, lease.unrenewed_end, lease.effective_end) == (CAP + HOUR, CAP, CAP)
    # An override of it is recorded with the declared end, which a deployment can change, and not with the cap.
    group = overridden(LONGER, against=None, policy=late)
    recorded = [a.override for a in decide(group, CREATED).actions if isinstance(a, RecordOverride)]
    assert recorded == [Override(LONGER, CAP + HOUR)]


LIMITED = replace(POLICY, max_instance_hours=10)


@pytest.mark.parametrize(
    ("caps", "expected"),
    [
        (NO_CAPS, (2, 7200, 10)),
        (LeaseCaps(size=1), (1, 7200, 10)),
        (LeaseCaps(size=2), (2, 7200, 10)),
        (LeaseCaps(size=3), (2, 7200, 10)),
        (LeaseCaps(size=0), (0, 7200, 10)),
        (LeaseCaps(max_lifetime_seconds=7199), (2, 7199, 10)),
        (LeaseCaps(max_lifetime_seconds=7201), (2, 7200, 10)),
        (LeaseCaps(max_instance_hours=9), (2, 7200, 9)),
        (LeaseCaps(max_instance_hours=11), (2, 7200, 10)),
        (LeaseCaps(max_lifetime_seconds=60, size=1, max_instance_hours=1), (1, 60, 1)),
    ],
)
def test_the_smaller_of_tag_and_cap_counts(caps: LeaseCaps, expected: tuple[int, int, int]) -> None:
    policy = replace(a_group(LIMITED), caps=caps).lease.policy
    assert policy is not None
    assert (policy.size, policy.max_lifetime_seconds, policy.max_instance_hours) == expected
    assert policy == replace(
        LIMITED, size=expected[0], max_lifetime_seconds=expected[1], max_instance_hours=expected[2]
    ), "nothing else changes"


def test_a_limit_that_only_the_function_knows_counts() -> None:
    group = replace(a_group(), caps=LeaseCaps(max_instance_hours=1))
    assert group.lease.limit == 1
    assert decide(replace(group, tags=a_group(replace(POLICY, duration_seconds=7200)).tags), CREATED).end == SHORTER


def test_a_cap_of_the_lifetime_holds_without_a_readable_policy() -> None:
    bare = a_group(None, written={lease_tags.TAG_END: format_time(CAP + HOUR)})
    assert bare.lease.effective_end == CAP + HOUR
    assert replace(bare, caps=LeaseCaps(max_lifetime_seconds=7200)).lease.effective_end == CAP


def test_an_override_beyond_the_cap_of_the_function_is_reported_though_the_tag_allows_it() -> None:
    group = replace(overridden(LONGER), caps=LeaseCaps(max_lifetime_seconds=3600))
    assert group.lease.effective_end == END
    assert len(group.lease.problems) == 1
    quiet = replace(overridden(SHORTER), caps=LeaseCaps(max_lifetime_seconds=3600))
    assert quiet.lease.problems == (), "two values that differ are no problem by themselves"
