"""A run of the lease checker: observe, decide, act, until nothing more needs to be known; and emptying for destroy."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.actions import Action, Grant, as_data
from annex_lease.actuator import RefusedError, perform
from annex_lease.contract import format_time
from annex_lease.decision import Decision, Phase, decide
from annex_lease.gateway import Annex, credential_present, list_machines, read_group
from annex_lease.observed import Fact, Group, Machine

# An empty listing counts once a second one, this much later, is empty too: EC2's listings are eventually consistent,
# and a check that ran at the same time may just have granted.
_POLL_SECONDS = 5.0
_EMPTY_LISTINGS = 2


@dataclass(frozen=True)
class Report:
    """What a run found and did. `errors` are the actions that failed."""

    group: str
    decision: Decision
    exists: bool
    actions: tuple[Action, ...]
    errors: tuple[str, ...]

    @property
    def granted(self) -> bool:
        """Whether the run tried to give the group capacity, successfully or not."""
        return any(isinstance(action, Grant) for action in self.actions)

    def as_data(self) -> dict[str, object]:
        """The report for a log line or the function's result: JSON-able."""
        end = self.decision.end
        return {
            "group": self.group,
            "phase": self.decision.phase.value,
            "reason": self.decision.reason,
            "end": format_time(end) if end else None,
            "actions": [as_data(action) for action in self.actions],
            "problems": list(self.decision.problems),
            "errors": list(self.errors),
        }


class CheckError(Exception):
    """A run did not do all it should have; `report` says what it did."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


def check(annex: Annex, now: datetime, *, closing: bool = False) -> Report:
    """Look at the annex once and do what its lease asks for.

    Args:
        annex: the group and its credential.
        now: the current time, aware.
        closing: the annex is being destroyed: empty it, without grace.

    Returns:
        what was found and done; read its `errors`, or use `check_or_raise`.

    Raises:
        botocore.exceptions.ClientError: the group could not be read, or a fact about it.
        botocore.exceptions.BotoCoreError: likewise.
    """
    group = read_group(annex)
    credential: bool | None = None
    machines: tuple[Machine, ...] | None = None
    actions: list[Action] = []
    errors: list[str] = []
    while True:
        decision = decide(group, now, closing=closing)
        failed = _act(decision, annex, actions)
        errors += failed
        if not decision.needs or (failed and not decision.independent):
            return Report(annex.group, decision, group is not None, tuple(actions), tuple(dict.fromkeys(errors)))
        # Looked up only now, so that a failure here cannot hold up what was decided without it.
        if Fact.CREDENTIAL in decision.needs:
            credential = credential_present(annex)
        if Fact.MACHINES in decision.needs:
            machines = list_machines(annex)
        group = _with_facts(read_group(annex) if decision.actions else group, credential, machines)


def check_or_raise(annex: Annex, now: datetime) -> Report:
    """`check`, where an action that failed is an error of the run: the function's error count is what alarms watch.

    Raises:
        CheckError: an action failed; the others were done as far as they may be.
    """
    report = check(annex, now)
    if report.errors:
        raise CheckError("; ".join(report.errors), report)
    return report


def empty_fleet(
    annex: Annex,
    now: datetime,
    seconds_left: Callable[[], float],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Take everything away and return when nothing is left, so that the stack's deletion finds an empty group.

    Args:
        annex: the group and its credential.
        now: the current time, aware.
        seconds_left: how long this may still take.
        sleep: waits between two looks.

    Raises:
        CheckError: time ran out with instances left, or with calls still failing; what was stopped stays stopped.
        botocore.exceptions.ClientError: AWS refused to be read until time ran out.
        botocore.exceptions.BotoCoreError: AWS could not be reached until time ran out.
    """
    empty = 0
    while True:
        may_wait = seconds_left() > _POLL_SECONDS
        try:
            report = check(annex, now, closing=True)
        except (BotoCoreError, ClientError):
            if not may_wait:
                raise
            empty = 0
        else:
            empty = empty + 1 if report.decision.phase is Phase.ENDED and not report.errors else 0
            if empty >= _EMPTY_LISTINGS or not report.exists:
                return report
            if not may_wait:
                left = "; ".join(report.errors) or "instances are still shutting down"
                raise CheckError(f"the fleet is not empty yet: {left}; delete the stack again", report)
        sleep(_POLL_SECONDS)


def _act(decision: Decision, annex: Annex, done: list[Action]) -> list[str]:
    failed = []
    for action in decision.actions:
        done.append(action)
        try:
            perform(action, annex)
        except (BotoCoreError, ClientError, RefusedError) as error:
            failed.append(f"{type(action).__name__}: {error}")
            if not decision.independent:
                break
    return failed


def _with_facts(group: Group | None, credential: bool | None, machines: tuple[Machine, ...] | None) -> Group | None:
    return replace(group, credential=credential, machines=machines) if group else None
