"""Renewals that were never granted: an end, a stop and a destroy use them up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import RecordGrant
from annex_lease.decision import decide
from annex_lease.entries import Granted
from annex_lease.lease import Phase
from annex_lease.observed import Credential, Group
from annex_lease.policy import LeasePolicy
from annex_lease.tags import format_time
from tests.unit.lease.lease_model import (
    END,
    LAUNCH,
    MIDDLE,
    MINUTE,
    POLICY,
    a_group,
    carry_out,
    kinds,
    settled,
)

LONGER = replace(POLICY, duration_seconds=7000)


def renewed(policy: LeasePolicy = POLICY, *, granted: str | None = "2", off: bool = True) -> Group:
    """An ended annex that an operator renewed, without a credential: nothing was granted."""
    written = settled() | {lease_tags.TAG_RENEWED: format_time(MIDDLE)}
    written = {key: value for key, value in written.items() if key != lease_tags.TAG_GRANTED}
    written |= {} if granted is None else {lease_tags.TAG_GRANTED: granted}
    suspended = LAUNCH if off else frozenset({"AZRebalance"})
    return a_group(policy, written=written, suspended=suspended, credential=Credential.EMPTY)


def dropped(group: Group, closing: bool = False) -> list[Granted]:
    decision = decide(group, END, closing=closing)
    return [action.granted for action in decision.actions if isinstance(action, RecordGrant)]


@pytest.mark.parametrize(
    ("granted", "left"),
    [
        ("2", Granted(2, MIDDLE)),
        (None, Granted(0, MIDDLE)),
        (Granted(2, MIDDLE, begun=True).text(), Granted(2, MIDDLE)),
    ],
)
def test_an_end_uses_up_a_renewal_that_was_not_granted(granted: str | None, left: Granted) -> None:
    group = renewed(granted=granted)
    assert dropped(group) == [left]
    assert dropped(group, closing=True) == [left]
    after = carry_out(group, END)
    assert dropped(after) == []
    # A deployment with a longer lease finds an annex that ended, with the credential by now.
    deployed = replace(after, tags=renewed(LONGER).tags[:5] + after.tags[5:], credential=Credential.PRESENT)
    assert deployed.lease.effective_end > END + MINUTE
    later = decide(deployed, END + MINUTE)
    assert "Grant" not in kinds(later)


def test_a_renewal_within_the_lease_stays_pending() -> None:
    group = renewed(LONGER)
    decision = decide(group, END)
    assert (decision.phase, "RecordGrant" in kinds(decision)) == (Phase.WAITING, False)
    assert not any("by hand" in problem for problem in decision.problems), "the lease suspended Launch"
    present = replace(group, credential=Credential.PRESENT)
    assert {"ResumeLaunch", "Grant"} <= set(kinds(decide(present, END)))


def test_an_annex_without_a_renewal_has_none_to_use_up() -> None:
    assert dropped(a_group(written=settled(), suspended=LAUNCH)) == []


def test_a_stop_after_a_grant_was_begun_is_the_newer_decision() -> None:
    begun = renewed(LONGER, granted=Granted(2, MIDDLE, begun=True).text())
    stopped = replace(begun, credential=Credential.PRESENT)
    assert not {"ResumeLaunch", "Grant"} & set(kinds(decide(stopped, END)))
    # The run died before the capacity was set: Launch was resumed before that.
    interrupted = replace(stopped, suspended=frozenset({"AZRebalance"}))
    assert "Grant" in kinds(decide(interrupted, END))


def test_a_resize_keeps_the_renewal_that_was_granted() -> None:
    """The tag of the renewal is spoilt at that time: repaired, it must not grant again."""
    written = settled() | {lease_tags.TAG_GRANTED: Granted(2, MIDDLE).text(), lease_tags.TAG_RENEWED: "x"}
    resized = carry_out(a_group(replace(POLICY, size=3), written=written, desired=2), MIDDLE + MINUTE)
    assert resized.lease.record.granted == Granted(3, MIDDLE)
    repaired = a_group(POLICY, written=written | {lease_tags.TAG_RENEWED: format_time(MIDDLE)})
    assert not repaired.lease.record.renewal_pending
