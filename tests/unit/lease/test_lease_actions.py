"""Actions state what they are, and one loop carries them out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from unittest import mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from annex_lease import actions, actuator
from annex_lease.actions import Action, EmptyGroup, SuspendLaunch, TerminateInstances, Warn
from annex_lease.actuator import Outcome, carry_out
from annex_lease.aws import AnnexAccess, Clients
from annex_lease.batches import CALL_SECONDS, RefusedError
from annex_lease.decision import decide
from annex_lease.entries import Granted, Ledger, Renewed
from annex_lease.observed import GroupMember
from tests.unit.lease.lease_model import END, HOUR, POLICY, a_group, settled

# Tests define kinds of their own.
KINDS = [kind for kind in Action.__subclasses__() if kind.__module__.startswith("annex_")]
FIRST, SECOND = EmptyGroup("first"), SuspendLaunch("second")
WARNING = Warn(END, 2, "soon")
IDS = ("i-1",)
SAMPLES: dict[type[Action], Action] = {
    type(each): each
    for each in (
        *(actions.RenewLease(Renewed(END, END), ""), actions.PublishEnd(END, ""), actions.SuspendRebalance("")),
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
    failing: dict[Action, Exception],
    *,
    independent: bool = True,
) -> Outcome:
    """Carry out actions of which these fail."""

    def perform(action: Action, _: AnnexAccess) -> None:
        if action in failing:
            raise failing[action]

    monkeypatch.setattr(actuator, "perform", perform)
    return carry_out(wanted, annex(), independent=independent)


def test_an_action_that_does_not_state_what_it_is_cannot_be_defined() -> None:
    for stated in ({}, {"ends": True}, {"bookkeeping": False}):
        with pytest.raises(TypeError, match="missing"):
            type("Half", (Action,), {}, **stated)
    whole = type("Whole", (Action,), {}, ends=True, bookkeeping=False)
    assert (whole.ends, whole.bookkeeping, whole.note) == (True, False, "")  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", KINDS)
def test_every_action_states_what_it_is_and_why(kind: type[Action]) -> None:
    assert {type(kind.ends), type(kind.bookkeeping)} == {bool}
    assert not (kind.ends and kind.bookkeeping)
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
    assert (changes <= {"create_or_update_tags", "create_tags", "publish"}) is kind.bookkeeping, changes


def test_no_list_of_kinds_is_kept_by_hand() -> None:
    """The flags are the only place that says which actions end something."""
    kept = [
        name
        for name, value in vars(actions).items()
        if isinstance(value, tuple | list | set | frozenset) and any(each in KINDS for each in value)
    ]
    assert kept == []


@pytest.mark.parametrize("error", [REFUSED, EndpointConnectionError(endpoint_url="x"), RefusedError("half of them")])
def test_independent_actions_are_all_tried(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    outcome = carried(monkeypatch, [FIRST, SECOND], {FIRST: error})
    assert outcome == Outcome((FIRST, SECOND), (f"EmptyGroup: {error}",), ())


def test_the_first_failure_stops_the_rest_of_dependent_actions(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = carried(monkeypatch, [FIRST, SECOND], {FIRST: REFUSED}, independent=False)
    assert (outcome.tried, len(outcome.failures)) == ((FIRST,), 1)


@pytest.mark.parametrize("independent", [True, False])
def test_a_warning_that_fails_is_a_note_and_stops_nothing(monkeypatch: pytest.MonkeyPatch, independent: bool) -> None:
    outcome = carried(monkeypatch, [WARNING, SECOND], {WARNING: REFUSED}, independent=independent)
    assert outcome == Outcome((WARNING, SECOND), (), (f"{Warn.note}: {REFUSED}",))


def test_a_fault_of_this_code_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyError):
        carried(monkeypatch, [FIRST], {FIRST: KeyError("x")})


def test_no_action_is_begun_without_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actuator, "perform", lambda *_: pytest.fail("it was begun"))
    outcome = carry_out([FIRST, TerminateInstances(("i-1",), "over")], annex(CALL_SECONDS - 0.1))
    assert outcome == Outcome((), ("EmptyGroup: out of time; the next run continues",), ())


def test_an_action_without_an_implementation_is_an_error() -> None:
    @dataclass(frozen=True)
    class Unknown(Action, ends=False, bookkeeping=False):
        reason: str

    with pytest.raises(TypeError, match="no way to perform Unknown"):
        actuator.perform(Unknown("x"), annex())
