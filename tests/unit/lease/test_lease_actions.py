"""Actions state what they are, and one loop carries them out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from unittest import mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from annex_lease import actions, actuator
from annex_lease.actions import Action, EmptyGroup, SuspendLaunch, TerminateInstances, Warn
from annex_lease.actuator import carry_out, carry_out_destroy
from annex_lease.aws import AnnexAccess, Clients
from annex_lease.batches import CALL_SECONDS, RefusedError
from annex_lease.decision import decide
from annex_lease.entries import Granted, Ledger, Override, Renewed, Schedule, ScheduledAction
from annex_lease.observed import GroupMember
from annex_lease.outcome import Outcome
from tests.unit.lease.lease_model import END, HOUR, POLICY, a_group, settled

# Tests define kinds of their own.
KINDS = [kind for kind in Action.__subclasses__() if kind.__module__.startswith("annex_")]
FIRST, SECOND = EmptyGroup("first"), SuspendLaunch("second")
WARNING = Warn(END, 2, "soon")
IDS = ("i-1",)
SAMPLES: dict[type[Action], Action] = {
    type(each): each
    for each in (
        *(
            actions.RenewLease(Renewed(END, END), ""),
            actions.PublishEnd(END, ""),
            actions.SuspendProcesses(("AZRebalance",), ""),
        ),
        *(actions.RecordOverride(Override(END, END), ""), actions.Close(END, ""), actions.Reopen("")),
        actions.RecordGrant(Granted(2, END), ""),
        actions.Report("late", ("2 instances are alive",), ""),
        actions.ScheduleEnds(Schedule(END, END), (ScheduledAction("annex-end", END, final=False),), ""),
        *(
            actions.ResumeLaunch(""),
            actions.Grant(Granted(2), None, 2, None, starts=True, reason=""),
            actions.NotifyInstances(END, IDS, ""),
        ),
        *(actions.RecordUse(Ledger(0, END, 1), ""), WARNING, FIRST, SECOND, actions.ResumeTerminate("")),
        *(actions.DeleteWarmPool(""), actions.ClearProtection(IDS, ""), actions.FinishHooks((), IDS, "")),
        *(actions.AllowDeletion(""), TerminateInstances(IDS, "")),
    )
}
REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Any")


def annex(seconds_left: float = 100.0) -> AnnexAccess:
    return AnnexAccess("g", "", Clients(), seconds_left=lambda: seconds_left)


def carried(
    monkeypatch: pytest.MonkeyPatch,
    wanted: Iterable[Action],
    failing: Mapping[Action, Exception],
    carry: Callable[[Iterable[Action], AnnexAccess], Outcome] = carry_out,
) -> Outcome:
    """Carry out actions of which these fail."""

    def perform(action: Action, _: AnnexAccess) -> None:
        if action in failing:
            raise failing[action]

    monkeypatch.setattr(actuator, "perform", perform)
    return carry(wanted, annex())


def test_an_action_that_does_not_state_what_it_is_cannot_be_defined() -> None:
    for stated in ({}, {"ends": True}, {"bookkeeping": False}):
        with pytest.raises(TypeError, match="missing"):
            type("Half", (Action,), {}, **stated)
    whole = type("Whole", (Action,), {}, ends=True, bookkeeping=False)
    assert (whole.ends, whole.bookkeeping) == (True, False)  # type: ignore[attr-defined]
    assert (whole.guarded, whole.note) == (False, "")  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", KINDS)
def test_every_action_states_what_it_is_and_why(kind: type[Action]) -> None:
    assert {type(kind.ends), type(kind.bookkeeping)} == {bool}
    assert not (kind.ends and kind.bookkeeping)
    assert not (kind.guarded and (kind.ends or kind.bookkeeping)), "what ends or records is tried in any case"
    assert fields(kind)[-1].name == "reason"
    assert actuator.perform.dispatch(kind) is not actuator.perform.dispatch(object)


def test_what_ends_an_annex_is_what_a_decision_to_stop_holds() -> None:
    """Seen from the decision: a stop holds every kind that ends something, and besides them bookkeeping only."""
    members = (GroupMember("i-1", "InService", True), GroupMember("i-2", "Terminating:Wait"))
    group = a_group(written=settled(), desired=2, members=members, suspended=frozenset({"Terminate"}))
    stop = decide(replace(group, warm_pool=True, warm_pool_size=1), END + HOUR).actions
    assert {type(action) for action in stop if not action.bookkeeping} == {kind for kind in KINDS if kind.ends}
    keep = decide(a_group(POLICY), END - HOUR + timedelta(seconds=1)).actions
    assert len(keep) >= 3
    assert not any(action.ends for action in keep)


@pytest.mark.parametrize("kind", KINDS)
def test_bookkeeping_only_writes_tags_and_messages(kind: type[Action]) -> None:
    """Seen from AWS: the calls of an action that are no reads."""
    clients = mock.MagicMock()
    hook = {"LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING", "LifecycleHookName": "hook"}
    clients.autoscaling.describe_lifecycle_hooks.return_value = {"LifecycleHooks": [hook]}
    actuator.perform(SAMPLES[kind], AnnexAccess("g", "", clients, topic="arn"))
    called = {str(name).split(".")[1].split("(")[0] for name, _, _ in clients.mock_calls if "__" not in name}
    changes = {name for name in called if not name.startswith(("describe_", "get_paginator"))}
    assert changes
    # A scheduled action starts and ends nothing before its time, and then only empties the group.
    writes = {"create_or_update_tags", "create_tags", "publish", "put_scheduled_update_group_action"}
    assert (changes <= writes) is kind.bookkeeping, changes


def test_no_list_of_kinds_is_kept_by_hand() -> None:
    """The flags are the only place that says which actions end something."""
    kept = [
        name
        for name, value in vars(actions).items()
        if isinstance(value, tuple | list | set | frozenset) and any(each in KINDS for each in value)
    ]
    assert kept == []


@pytest.mark.parametrize("error", [REFUSED, EndpointConnectionError(endpoint_url="x"), RefusedError("half of them")])
def test_every_action_is_tried_after_a_failure(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    outcome = carried(monkeypatch, [FIRST, SECOND], {FIRST: error})
    assert outcome == Outcome((FIRST, SECOND), (f"EmptyGroup: {error}",), ())


def test_only_what_lets_something_start_is_guarded() -> None:
    assert {kind for kind in KINDS if kind.guarded} == {actions.Grant, actions.ResumeLaunch}


KEPT = [
    *(SAMPLES[kind] for kind in (actions.RecordUse, actions.RenewLease, actions.PublishEnd, actions.RecordOverride)),
    *(SAMPLES[kind] for kind in (actions.ScheduleEnds, actions.SuspendProcesses)),
]
GUARDED = [SAMPLES[actions.ResumeLaunch], SAMPLES[actions.Grant]]
AFTER = [WARNING, SAMPLES[actions.NotifyInstances]]


@pytest.mark.parametrize("refused", KEPT, ids=lambda action: type(action).__name__)
def test_a_refusal_before_it_keeps_a_guarded_action_back_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, refused: Action
) -> None:
    outcome = carried(monkeypatch, [*KEPT, *GUARDED, *AFTER], {refused: REFUSED})
    assert outcome.tried == (*KEPT, *AFTER)
    assert outcome.failures == (f"{type(refused).__name__}: {REFUSED}",)
    assert carried(monkeypatch, [*KEPT, *GUARDED, *AFTER], {}).tried == (*KEPT, *GUARDED, *AFTER)


def test_a_refusal_after_it_keeps_no_guarded_action_back(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = carried(monkeypatch, [*GUARDED, FIRST], {FIRST: REFUSED})
    assert outcome.tried == (*GUARDED, FIRST)
    # A launch that cannot be resumed is not granted to.
    assert carried(monkeypatch, GUARDED, {GUARDED[0]: REFUSED}).tried == (GUARDED[0],)


NOTED = [SAMPLES[kind] for kind in KINDS if kind.note]


@pytest.mark.parametrize("noted", NOTED, ids=lambda action: type(action).__name__)
def test_what_no_lease_depends_on_is_a_note_and_stops_nothing(monkeypatch: pytest.MonkeyPatch, noted: Action) -> None:
    outcome = carried(monkeypatch, [noted, SECOND, GUARDED[1]], {noted: REFUSED})
    assert outcome == Outcome((noted, SECOND, GUARDED[1]), (), (f"{noted.note}: {REFUSED}",))


def test_the_failures_that_no_lease_depends_on() -> None:
    assert {type(each) for each in NOTED} == {actions.NotifyInstances, Warn, actions.Close, actions.Report}


def test_a_fault_of_this_code_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError):
        carried(monkeypatch, [FIRST], {FIRST: KeyError("x")})


def test_no_action_is_begun_without_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actuator, "perform", lambda *_: pytest.fail("it was begun"))
    outcome = carry_out([FIRST, TerminateInstances(("i-1",), "over")], annex(CALL_SECONDS - 0.1))
    assert outcome == Outcome((), ("EmptyGroup: out of time; the next run continues",), ())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.bookkeeping])
def test_at_a_destroy_no_record_is_needed(monkeypatch: pytest.MonkeyPatch, kind: type[Action]) -> None:
    record = SAMPLES[kind]
    outcome = carried(monkeypatch, [record, FIRST], {record: REFUSED}, carry_out_destroy)
    assert outcome == Outcome((FIRST, record), (), (f"{kind.note or kind.__name__}: {REFUSED}",))


def test_at_a_destroy_what_ends_the_annex_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    record = SAMPLES[actions.RecordGrant]
    outcome = carried(monkeypatch, [record, FIRST], {FIRST: REFUSED}, carry_out_destroy)
    assert outcome == Outcome((FIRST, record), (f"EmptyGroup: {REFUSED}",), ())


def test_at_a_destroy_a_record_without_time_is_no_failure() -> None:
    late, no_time = annex(CALL_SECONDS - 0.1), "out of time; the next run continues"
    assert carry_out_destroy([SAMPLES[actions.RecordGrant]], late) == Outcome((), (), (f"RecordGrant: {no_time}",))
    assert carry_out_destroy([FIRST], late) == Outcome((), (f"EmptyGroup: {no_time}",), ())


def test_an_action_without_an_implementation_is_an_error() -> None:
    @dataclass(frozen=True)
    class Unknown(Action, ends=False, bookkeeping=False):
        reason: str

    with pytest.raises(TypeError, match="no way to perform Unknown"):
        actuator.perform(Unknown("x"), annex())
