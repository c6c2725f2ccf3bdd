from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import ClearProtection, FinishHooks, TerminateInstances
from annex_lease.decision import decide
from annex_lease.lease import Phase
from annex_lease.observed import Fact, GroupMember, Instance
from annex_lease.tags import format_time
from tests.unit.lease.lease_model import (
    CREATED,
    END,
    GRACE,
    LAUNCH,
    MIDDLE,
    RUNNING,
    SECOND,
    a_group,
    compared,
    kinds,
    listed,
    settled,
)


def test_the_lease_is_over_at_its_end_and_not_before() -> None:
    group = a_group(written=settled(), desired=2, members=RUNNING)
    assert decide(group, END - SECOND).phase is Phase.ACTIVE
    assert decide(group, END).phase is Phase.DRAINING


HELD = (
    GroupMember("i-1", "InService", protected=True),
    GroupMember("i-2", "Terminating:Wait"),
    GroupMember("i-3", "Pending:Wait"),
)


def test_stopping_comes_in_order_and_each_step_is_tried() -> None:
    group = listed(a_group(written=settled(), desired=3, min_size=1, members=HELD))
    decision = decide(group, END + GRACE)
    assert kinds(decision) == [
        *("EmptyGroup", "SuspendLaunch", "ClearProtection", "TerminateInstances", "FinishHooks"),
    ]
    assert not any(action.guarded for action in decision.actions)


@pytest.mark.parametrize(
    ("now", "closing", "terminating"),
    [(END, False, ()), (END + GRACE - SECOND, False, ()), (END + GRACE, False, ("i-2",)), (CREATED, True, ("i-2",))],
)
def test_a_launch_is_given_up_at_once_and_a_termination_hook_has_the_grace(
    now: datetime, closing: bool, terminating: tuple[str, ...]
) -> None:
    decision = decide(listed(a_group(written=settled(), desired=3, members=HELD)), now, closing=closing)
    (hooks,) = (action for action in decision.actions if isinstance(action, FinishHooks))
    assert (hooks.launching, hooks.terminating) == (("i-3",), terminating)


def test_nothing_waits_for_a_hook_within_the_grace_but_terminations() -> None:
    group = listed(a_group(written=settled(), suspended=LAUNCH, members=HELD[1:2]))
    assert kinds(decide(group, END + GRACE - SECOND)) == []
    assert kinds(decide(group, END + GRACE)) == ["TerminateInstances", "FinishHooks"]
    dead = replace(group, instances=(Instance("i-2", "terminated"),))
    assert kinds(decide(dead, END + GRACE)) == [], "an instance that is dead waits for nothing"


def test_each_step_of_stopping_is_taken_only_where_it_is_due() -> None:
    stopped = a_group(written=settled(), suspended=LAUNCH)
    assert kinds(decide(stopped, END)) == []
    assert kinds(decide(replace(stopped, suspended=frozenset({"AZRebalance"})), END)) == ["SuspendLaunch"]
    assert kinds(decide(replace(stopped, suspended=LAUNCH | {"Terminate"}), END)) == ["ResumeTerminate"]
    assert kinds(decide(replace(stopped, warm_pool=True, warm_pool_size=1), END)) == ["DeleteWarmPool"]
    assert kinds(decide(replace(stopped, deletion_protected=True), END)) == []
    assert kinds(decide(replace(stopped, desired=1), END)) == ["EmptyGroup"]
    assert kinds(decide(replace(stopped, min_size=1), END)) == ["EmptyGroup"]
    assert kinds(decide(replace(stopped, new_instances_protected=True), END)) == ["EmptyGroup"]


@pytest.mark.parametrize(
    ("state", "cleared"),
    [
        ("InService", True),
        ("Standby", True),
        ("EnteringStandby", True),
        ("FutureState", True),
        ("Pending", False),
        ("Pending:Wait", False),
        ("Terminating", False),
        ("Terminating:Retained", False),
    ],
)
def test_protection_is_cleared_where_aws_lets_it(state: str, cleared: bool) -> None:
    group = a_group(written=settled(), suspended=LAUNCH, members=(GroupMember("i-1", state, protected=True),))
    found = [a.instance_ids for a in decide(group, END).actions if isinstance(a, ClearProtection)]
    assert found == ([("i-1",)] if cleared else [])


def test_ids_are_terminated_after_the_grace_and_not_before() -> None:
    group = listed(a_group(written=settled(), suspended=LAUNCH, members=RUNNING))
    assert decide(group, END + GRACE - SECOND).actions == ()
    terminate = decide(group, END + GRACE).actions
    assert [(type(a), a.instance_ids) for a in terminate if isinstance(a, TerminateInstances)] == [
        (TerminateInstances, ("i-1", "i-2"))
    ]


STATES = [
    *("Pending", "Pending:Wait", "Pending:Proceed", "Quarantined", "InService", "Terminating", "Terminating:Wait"),
    *("Terminating:Proceed", "Terminating:Retained", "Detaching", "Detached", "EnteringStandby", "Standby"),
    *("ReplacingRootVolume", "ReplacingRootVolume:Wait", "ReplacingRootVolume:Proceed", "RootVolumeReplaced"),
    *("Warmed:Pending", "Warmed:Pending:Wait", "Warmed:Pending:Proceed", "Warmed:Pending:Retained"),
    *("Warmed:Terminating", "Warmed:Terminating:Wait", "Warmed:Terminating:Proceed", "Warmed:Terminating:Retained"),
    *("Warmed:Stopped", "Warmed:Running", "Warmed:Hibernated", "SomethingNew", ""),
]


@pytest.mark.parametrize("state", STATES)
def test_every_state_that_is_not_known_to_be_dead_is_alive(state: str) -> None:
    group = a_group(written=settled(), suspended=LAUNCH, members=(GroupMember("i-1", state),))
    decision = decide(group, END + GRACE)
    assert decision.phase is Phase.DRAINING
    assert "TerminateInstances" in kinds(decision)


@pytest.mark.parametrize("state", ["Terminated", "Warmed:Terminated"])
def test_dead_lifecycle_states_are_dead(state: str) -> None:
    group = a_group(written=settled(), suspended=LAUNCH, members=(GroupMember("i-1", state),))
    assert decide(group, END + GRACE).phase is Phase.ENDED


@pytest.mark.parametrize(
    ("state", "alive"),
    [
        ("pending", True),
        ("running", True),
        ("stopping", True),
        ("stopped", True),
        ("new-state", True),
        ("shutting-down", False),
        ("terminated", False),
    ],
)
def test_what_ec2_lists_counts_even_if_the_group_does_not_list_it(state: str, alive: bool) -> None:
    group = a_group(written=settled(), suspended=LAUNCH, instances=(Instance("i-9", state),))
    decision = decide(group, END + GRACE)
    assert decision.phase is (Phase.DRAINING if alive else Phase.ENDED)
    assert kinds(decision) == (["TerminateInstances"] if alive else [])


def test_ec2_is_believed_before_the_group() -> None:
    listed = (GroupMember("i-1", "InService"), GroupMember("i-2", "Terminated"))
    group = a_group(members=listed, instances=(Instance("i-1", "terminated"), Instance("i-2", "running")))
    assert group.alive() == ("i-2",)


def test_nothing_there_is_claimed_only_after_asking_ec2() -> None:
    group = a_group(written=settled(), suspended=LAUNCH, instances=None)
    asking = decide(group, END)
    assert (asking.phase, asking.needs) == (Phase.DRAINING, frozenset({Fact.INSTANCES}))
    assert decide(replace(group, instances=()), END).phase is Phase.ENDED


def test_stopping_does_not_wait_for_the_answer_of_ec2() -> None:
    decision = decide(a_group(written=settled(), desired=2, members=RUNNING, instances=None), END + GRACE)
    assert kinds(decision) == ["EmptyGroup", "SuspendLaunch", "TerminateInstances"]
    assert decision.needs == {Fact.INSTANCES}


def test_instances_that_are_still_there_are_notified_of_a_stop() -> None:
    stop = format_time(MIDDLE)
    group = a_group(written={**settled(), lease_tags.TAG_UNTIL: stop}, suspended=LAUNCH, members=RUNNING)
    assert kinds(decide(group, MIDDLE)) == ["PublishEnd", "NotifyInstances"]
    assert kinds(decide(replace(group, members=()), MIDDLE)) == []


def test_within_the_grace_ec2_is_asked_only_about_what_is_not_known() -> None:
    group = compared(a_group(written=settled(), suspended=LAUNCH, members=RUNNING, instances=None))
    assert decide(group, END).needs == frozenset()
    assert decide(replace(group, compared=None), END).needs == {Fact.INSTANCES}, "have they the end?"
    assert decide(group, END + GRACE).needs == {Fact.INSTANCES}
    for before in (False, True):
        assert decide(replace(group, members=(), empty_before=before), END).needs == {Fact.INSTANCES}


def test_an_end_is_claimed_only_after_a_second_empty_listing() -> None:
    once = decide(a_group(written=settled(), suspended=LAUNCH, empty_before=False), END)
    assert (once.phase, once.empty) == (Phase.DRAINING, True)
    assert "as seen once" in once.reason
    assert decide(a_group(written=settled(), suspended=LAUNCH), END).phase is Phase.ENDED
    alive = a_group(written=settled(), suspended=LAUNCH, instances=(Instance("i-9", "stopped"),))
    assert not decide(alive, END).empty


def test_what_was_found_empty_twice_costs_no_further_listing() -> None:
    known = replace(a_group(written=settled(), suspended=LAUNCH, instances=None), known_empty=END - SECOND)
    found = decide(known, END)
    assert (found.phase, found.needs) == (Phase.ENDED, frozenset())
    assert f"nothing was left at {format_time(END - SECOND)}, the last time that EC2 was asked" in found.reason
    for changed in (
        replace(known, members=RUNNING),
        replace(known, desired=1),
        replace(known, warm_pool=True, warm_pool_size=1),
    ):
        assert decide(changed, END).phase is Phase.DRAINING


def test_an_override_that_comes_while_an_annex_drains_starts_no_new_grace() -> None:
    left = (GroupMember("i-1", "Standby"),)
    override = format_time(END + 2 * SECOND)
    group = listed(a_group(written={**settled(), lease_tags.TAG_UNTIL: override}, suspended=LAUNCH, members=left))
    for moment in (END + SECOND, END + 3 * SECOND, END + GRACE - SECOND):
        assert decide(group, moment).actions == ()
    assert kinds(decide(group, END + GRACE)) == ["TerminateInstances"]


def test_overdue_counts_the_instances_that_should_be_gone() -> None:
    group = a_group(written=settled(), suspended=LAUNCH, members=RUNNING)
    assert (decide(group, END + GRACE - SECOND).overdue, decide(group, END + GRACE - SECOND).alive) == (0, 2)
    assert decide(group, END + GRACE).overdue == 2
    assert decide(replace(group, suspended=frozenset()), MIDDLE).overdue == 0
    dying = replace(group, instances=(Instance("i-1", "shutting-down"), Instance("i-2", "terminated")))
    assert (decide(dying, END + GRACE).overdue, decide(dying, END + GRACE).alive) == (0, 0), "they cost nothing"


def test_a_naive_now_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        decide(a_group(), datetime(2026, 11, 1, 12))  # noqa: DTZ001
