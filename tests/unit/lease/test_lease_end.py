from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from annex_lease import tags as lease_tags
from annex_lease.actions import ClearProtection, FinishHooks, TerminateInstances
from annex_lease.decision import decide
from annex_lease.lease import Phase
from annex_lease.observed import Fact, GroupMember, Instance, Missing
from annex_lease.policy import LeasePolicy
from annex_lease.tags import Tag, format_time
from tests.unit.lease.lease_model import CREATED, END, GRACE, HOUR, POLICY, a_group, kinds, settled, without

SECOND = timedelta(seconds=1)
MIDDLE = CREATED + HOUR / 2
LAUNCH = frozenset({"Launch", "AZRebalance"})
RUNNING = (GroupMember("i-1", "InService"), GroupMember("i-2", "InService"))


def test_the_lease_is_over_at_its_end_and_not_before() -> None:
    group = a_group(written=settled(), desired=2, members=RUNNING)
    assert decide(group, END - SECOND).phase is Phase.ACTIVE
    assert decide(group, END).phase is Phase.DRAINING


def test_stopping_comes_in_order_and_each_step_is_tried() -> None:
    instances = (
        GroupMember("i-1", "InService", protected=True),
        GroupMember("i-2", "Terminating:Wait"),
        GroupMember("i-3", "Pending:Wait"),
    )
    group = a_group(written=settled(), desired=3, min_size=1, members=instances)
    decision = decide(group, END)
    assert kinds(decision) == ["EmptyGroup", "SuspendLaunch", "ClearProtection", "FinishHooks"]
    assert decision.independent
    hooks = decision.actions[3]
    assert isinstance(hooks, FinishHooks)
    assert (hooks.launching, hooks.terminating) == (("i-3",), ("i-2",))


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
    group = a_group(written=settled(), suspended=LAUNCH, members=RUNNING)
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
    decision = decide(a_group(desired=2, members=RUNNING, instances=None), END + GRACE)
    assert kinds(decision) == ["EmptyGroup", "SuspendLaunch", "TerminateInstances"]
    assert decision.needs == {Fact.INSTANCES}


def test_instances_that_are_still_there_are_notified_of_a_stop() -> None:
    stop = format_time(MIDDLE)
    group = a_group(written={**settled(), lease_tags.TAG_UNTIL: stop}, suspended=LAUNCH, members=RUNNING)
    assert kinds(decide(group, MIDDLE)) == ["PublishEnd", "NotifyInstances"]
    assert kinds(decide(replace(group, members=()), MIDDLE)) == []


def test_within_the_grace_ec2_is_asked_only_when_the_group_lists_no_instance() -> None:
    group = a_group(written=settled(), suspended=LAUNCH, members=RUNNING, instances=None)
    assert decide(group, END).needs == frozenset()
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
    known = replace(a_group(written=settled(), suspended=LAUNCH, instances=None), known_empty=True)
    assert (decide(known, END).phase, decide(known, END).needs) == (Phase.ENDED, frozenset())
    for changed in (
        replace(known, members=RUNNING),
        replace(known, desired=1),
        replace(known, warm_pool=True, warm_pool_size=1),
    ):
        assert decide(changed, END).phase is Phase.DRAINING


def test_an_override_that_comes_while_an_annex_drains_starts_no_new_grace() -> None:
    left = (GroupMember("i-1", "Standby"),)
    override = format_time(END + 2 * SECOND)
    group = a_group(written={**settled(), lease_tags.TAG_UNTIL: override}, suspended=LAUNCH, members=left)
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


# --- records that stop the annex, and the way down


@pytest.mark.parametrize("key", [tag.key for tag in a_group().tags])
@pytest.mark.parametrize("value", [None, "rubbish!", "", "-5"])
def test_a_record_that_is_not_whole_ends_the_annex_at_once(key: str, value: str | None) -> None:
    group = a_group(written=settled(), desired=2, members=RUNNING)
    broken = without(group, key)
    if value is not None:
        broken = replace(broken, tags=(*broken.tags, Tag(key, value, False)))
    unsure = decide(replace(broken, confirmed=False), CREATED)
    assert (unsure.actions, unsure.needs) == ((), frozenset({Fact.CONFIRMATION}))
    decision = decide(broken, CREATED)
    assert decision.phase is Phase.DRAINING
    assert decision.end is None
    assert kinds(decision) == ["EmptyGroup", "SuspendLaunch", "TerminateInstances"]
    assert any(key in problem for problem in decision.problems)


def test_a_group_without_any_tag_is_stopped() -> None:
    assert decide(a_group(None, desired=1), CREATED).phase is Phase.DRAINING
    assert decide(a_group(None, suspended=LAUNCH), CREATED).phase is Phase.ENDED


def test_a_group_that_does_not_exist_is_a_case_of_its_own() -> None:
    first = decide(Missing("g"), MIDDLE)
    assert (first.phase, first.actions, first.needs) == (Phase.DRAINING, (), frozenset({Fact.CONFIRMATION}))
    second = decide(Missing("g", confirmed=True), MIDDLE)
    assert (second.phase, second.needs) == (Phase.DRAINING, frozenset({Fact.INSTANCES}))
    lost = decide(
        Missing("g", confirmed=True, instances=(Instance("i-9", "running"), Instance("i-8", "terminated"))), END
    )
    assert [a.instance_ids for a in lost.actions if isinstance(a, TerminateInstances)] == [("i-9",)]
    assert (lost.alive, lost.overdue) == (1, 1)
    gone = decide(Missing("g", confirmed=True, instances=(), empty_before=True), MIDDLE)
    assert (gone.phase, gone.actions, gone.problems) == (Phase.ENDED, (), ("the group does not exist",))
    assert decide(Missing("g", instances=()), MIDDLE, closing=True).empty


@pytest.mark.parametrize("policy", [POLICY, None])
def test_closing_takes_everything_without_grace(policy: LeasePolicy | None) -> None:
    group = a_group(policy, desired=2, members=RUNNING)
    decision = decide(group, MIDDLE, closing=True)
    assert kinds(decision) == ["EmptyGroup", "SuspendLaunch", "TerminateInstances"]
    assert decide(a_group(policy, suspended=LAUNCH), MIDDLE, closing=True).phase is Phase.ENDED
    protected = replace(a_group(policy, suspended=LAUNCH), deletion_protected=True)
    assert kinds(decide(protected, MIDDLE, closing=True)) == ["AllowDeletion"]


def test_a_naive_now_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        decide(a_group(), datetime(2026, 11, 1, 12))  # noqa: DTZ001
