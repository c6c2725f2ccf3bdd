"""Instances above the declared size: they are counted, and reported."""

from __future__ import annotations

from dataclasses import replace

import pytest

from annex_lease.decision import decide
from annex_lease.observed import Group, GroupMember, Instance
from tests.unit.lease.lease_model import MIDDLE, POLICY, RUNNING, a_group, carry_out, listed, settled


def running(*members: GroupMember, desired: int = 2) -> Group:
    return listed(a_group(written=settled(), desired=desired, members=members))


@pytest.mark.parametrize(("desired", "surplus"), [(0, 0), (1, 0), (2, 0), (3, 1), (300, 298)])
def test_a_desired_capacity_above_the_declared_size_is_a_problem(desired: int, surplus: int) -> None:
    decision = decide(running(*RUNNING, desired=desired), MIDDLE)
    assert decision.surplus == surplus
    expected = f"{desired} instances are {surplus} above the declared size 2"
    assert [expected in problem for problem in decision.problems] == [True] * bool(surplus)
    assert decision.record_problems == ()


@pytest.mark.parametrize(
    ("state", "surplus"),
    [("InService", 1), ("Standby", 1), ("Pending", 1), ("Terminating", 0), ("Terminating:Wait", 0), ("Terminated", 0)],
)
def test_instances_that_stay_count_and_not_only_those_that_are_meant(state: str, surplus: int) -> None:
    """One on standby is replaced, and costs as before; one that is being terminated is about to go."""
    decision = decide(running(*RUNNING, GroupMember("i-3", state)), MIDDLE)
    assert decision.surplus == surplus


def test_a_phantom_that_is_being_terminated_hides_no_surplus() -> None:
    group = running(*RUNNING, GroupMember("i-3", "InService"), GroupMember("i-4", "Terminating"))
    assert decide(group, MIDDLE).surplus == 1
    phantom = replace(group, gone=frozenset({"i-4"}), instances=(group.instances or ())[:3])
    assert decide(phantom, MIDDLE).surplus == 1


def test_a_max_size_of_zero_is_a_problem_while_something_was_granted() -> None:
    """The scheduled action after an earlier latest end set it."""
    stuck = replace(running(desired=0), max_size=0)
    assert any("the MaxSize is 0" in problem for problem in decide(stuck, MIDDLE).problems)
    for fine in (replace(stuck, max_size=2), replace(stuck, tags=a_group(POLICY).tags, suspended=frozenset())):
        assert not any("the MaxSize is 0" in problem for problem in decide(fine, MIDDLE).problems)


@pytest.mark.parametrize(("state", "surplus"), [("running", 1), ("stopped", 1), ("shutting-down", 0)])
def test_a_detached_instance_counts(state: str, surplus: int) -> None:
    group = running(*RUNNING)
    detached = replace(group, instances=(*(group.instances or ()), Instance("i-3", state, member=False)))
    decision = decide(detached, MIDDLE)
    assert (decision.surplus, decision.alive) == (surplus, 2 + surplus)
    warm = replace(detached, warm_pool=True, warm_pool_size=1)
    assert decide(warm, MIDDLE).surplus == 1, "EC2 lists those of a warm pool as the group's own"


def test_a_size_that_is_to_be_granted_is_no_surplus() -> None:
    smaller = replace(running(*RUNNING), tags=a_group(replace(POLICY, size=1), written=settled()).tags)
    assert decide(smaller, MIDDLE).surplus == 0
    assert decide(carry_out(smaller, MIDDLE), MIDDLE).surplus == 0
