from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from lease_model import CREATED, END, GRACE, HOUR, POLICY, a_group, kinds, settled, without

from annex_lease import contract
from annex_lease.actions import ClearProtection, FinishHooks, TerminateInstances
from annex_lease.contract import LeasePolicy, Tag, format_time
from annex_lease.decision import Phase, decide
from annex_lease.observed import Fact, Instance, Machine

SECOND = timedelta(seconds=1)
MIDDLE = CREATED + HOUR / 2
LAUNCH = frozenset({"Launch", "AZRebalance"})
RUNNING = (Instance("i-1", "InService"), Instance("i-2", "InService"))


# --- the end


def test_the_lease_is_over_at_its_end_and_not_before() -> None:
    group = a_group(written=settled(), desired=2, instances=RUNNING)
    assert decide(group, END - SECOND).phase is Phase.ACTIVE
    assert decide(group, END).phase is Phase.ENDING


def test_stopping_comes_in_order_and_each_step_is_tried() -> None:
    instances = (
        Instance("i-1", "InService", protected=True),
        Instance("i-2", "Terminating:Wait"),
        Instance("i-3", "Pending:Wait"),
    )
    group = a_group(written=settled(), desired=3, min_size=1, instances=instances)
    decision = decide(group, END)
    assert kinds(decision) == ["SuspendLaunch", "ClearProtection", "EmptyGroup", "FinishHooks"]
    assert decision.independent
    hooks = decision.actions[3]
    assert isinstance(hooks, FinishHooks)
    assert (hooks.launching, hooks.terminating) == (("i-3",), ("i-2",))


def test_each_step_of_stopping_is_taken_only_where_it_is_due() -> None:
    stopped = a_group(written=settled(), suspended=LAUNCH)
    assert kinds(decide(stopped, END)) == []
    assert kinds(decide(replace(stopped, suspended=frozenset({"Terminate"})), END)) == ["SuspendLaunch"]
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
    group = a_group(written=settled(), suspended=LAUNCH, instances=(Instance("i-1", state, protected=True),))
    found = [a.instance_ids for a in decide(group, END).actions if isinstance(a, ClearProtection)]
    assert found == ([("i-1",)] if cleared else [])


def test_ids_are_terminated_after_the_grace_and_not_before() -> None:
    group = a_group(written=settled(), suspended=LAUNCH, instances=RUNNING)
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
    group = a_group(written=settled(), suspended=LAUNCH, instances=(Instance("i-1", state),))
    decision = decide(group, END + GRACE)
    assert decision.phase is Phase.ENDING
    assert "TerminateInstances" in kinds(decision)


@pytest.mark.parametrize("state", ["Terminated", "Warmed:Terminated"])
def test_dead_lifecycle_states_are_dead(state: str) -> None:
    group = a_group(written=settled(), suspended=LAUNCH, instances=(Instance("i-1", state),))
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
    group = a_group(written=settled(), suspended=LAUNCH, machines=(Machine("i-9", state),))
    decision = decide(group, END + GRACE)
    assert decision.phase is (Phase.ENDING if alive else Phase.ENDED)
    assert kinds(decision) == (["TerminateInstances"] if alive else [])


def test_ec2_is_believed_before_the_group() -> None:
    listed = (Instance("i-1", "InService"), Instance("i-2", "Terminated"))
    group = a_group(instances=listed, machines=(Machine("i-1", "terminated"), Machine("i-2", "running")))
    assert group.living() == ("i-2",)


def test_nothing_there_is_claimed_only_after_asking_ec2() -> None:
    group = a_group(written=settled(), suspended=LAUNCH, machines=None)
    asking = decide(group, END)
    assert (asking.phase, asking.needs) == (Phase.ENDING, {Fact.MACHINES})
    assert decide(replace(group, machines=()), END).phase is Phase.ENDED


def test_stopping_does_not_wait_for_the_answer_of_ec2() -> None:
    decision = decide(a_group(desired=2, instances=RUNNING, machines=None), END + GRACE)
    assert kinds(decision) == ["SuspendLaunch", "EmptyGroup", "TerminateInstances"]
    assert decision.needs == {Fact.MACHINES}


def test_a_stop_is_told_to_instances_that_are_still_there() -> None:
    stop = format_time(MIDDLE)
    group = a_group(written={**settled(), contract.TAG_UNTIL: stop}, suspended=LAUNCH, instances=RUNNING)
    assert kinds(decide(group, MIDDLE)) == ["PublishEnd", "TellInstances"]
    assert kinds(decide(replace(group, instances=()), MIDDLE)) == []


# --- records that stop the annex, and the way down


@pytest.mark.parametrize("key", [tag.key for tag in a_group().tags])
@pytest.mark.parametrize("value", [None, "rubbish!", "", "-5"])
def test_a_record_that_is_not_whole_ends_the_annex_at_once(key: str, value: str | None) -> None:
    group = a_group(written=settled(), desired=2, instances=RUNNING)
    broken = without(group, key)
    if value is not None:
        broken = replace(broken, tags=(*broken.tags, Tag(key, value, False)))
    decision = decide(broken, CREATED)
    assert decision.phase is Phase.ENDING
    assert decision.end is None
    assert kinds(decision) == ["SuspendLaunch", "EmptyGroup", "TerminateInstances"]
    assert any(key in problem for problem in decision.problems)


def test_a_group_without_any_tag_is_stopped() -> None:
    assert decide(a_group(None, desired=1), CREATED).phase is Phase.ENDING
    assert decide(a_group(None, suspended=LAUNCH), CREATED).phase is Phase.ENDED


def test_a_group_that_does_not_exist_is_a_case_of_its_own() -> None:
    decision = decide(None, MIDDLE)
    assert (decision.phase, decision.actions, decision.needs) == (Phase.ENDED, (), frozenset())
    assert decision.problems == ("the group does not exist",)


@pytest.mark.parametrize("policy", [POLICY, None])
def test_closing_takes_everything_without_grace(policy: LeasePolicy | None) -> None:
    group = a_group(policy, desired=2, instances=RUNNING)
    decision = decide(group, MIDDLE, closing=True)
    assert kinds(decision) == ["SuspendLaunch", "EmptyGroup", "TerminateInstances"]
    assert decide(a_group(policy, suspended=LAUNCH), MIDDLE, closing=True).phase is Phase.ENDED


def test_a_naive_now_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        decide(a_group(), datetime(2026, 11, 1, 12))  # noqa: DTZ001
