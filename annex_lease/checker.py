"""A run of the lease checker: observe, decide, act, until no more facts are needed; and the emptying for a destroy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.action_data import as_data
from annex_lease.actions import Action, Decision, Grant
from annex_lease.actuator import carry_out, carry_out_destroy
from annex_lease.aws import AnnexAccess, list_instances, read_group
from annex_lease.batches import CALL_SECONDS
from annex_lease.decision import decide
from annex_lease.entries import HOUR_SECONDS
from annex_lease.facts import credential_state, failed_launch, scheduled_actions
from annex_lease.lease import Phase
from annex_lease.memory import Memory
from annex_lease.observed import Deployment, Fact, Group, Missing, Seen, with_facts
from annex_lease.outcome import Outcome, joined
from annex_lease.tags import format_time

# At a destroy an empty listing counts once a second one, this much later, is empty too: EC2's listings are eventually
# consistent, and a check that ran at the same time may just have granted. (A check after the end of a lease waits
# longer, see annex_lease.observed; after a destroy the deletion of the group itself would find what is left.)
_POLL_SECONDS = 5.0
_EMPTY_LISTINGS = 2


@dataclass(frozen=True)
class CheckReport:
    """Findings and actions of a run; in a dry run, the actions that it would carry out.

    `errors` are the actions that failed, `notes` the failures that no lease depends on. `published` is the end that was
    published to the instances before this run: a command that wrote an end learns from it of one that was written at
    the same time. `lease` says what decided the end.
    """

    group: str
    decision: Decision
    exists: bool
    actions: tuple[Action, ...]
    errors: tuple[str, ...]
    dry_run: bool = False
    published: datetime | None = None
    notes: tuple[str, ...] = ()
    lease: str = ""

    @property
    def granted(self) -> bool:
        """True if the run tried to give the group capacity, successfully or not."""
        return any(isinstance(action, Grant) for action in self.actions)

    def as_data(self) -> dict[str, object]:
        """The report for a log line or the function's result: JSON-able."""
        decision, end, used = self.decision, self.decision.end, self.decision.used_seconds
        return {
            "group": self.group,
            "phase": decision.phase.value,
            "reason": decision.reason,
            "end": format_time(end) if end else None,
            "lease": self.lease,
            "published": format_time(self.published) if self.published else None,
            "actions": [as_data(action) for action in self.actions],
            "problems": [*decision.problems, *self.notes],
            "errors": list(self.errors),
            "record_problems": list(decision.record_problems),
            "alive": decision.alive,
            "overdue": decision.overdue,
            "surplus": decision.surplus,
            "instance_hours": None if used is None else round(used / HOUR_SECONDS, 2),
            "dry_run": self.dry_run,
        }


class CheckError(Exception):
    """A run did not do all it should have; `report` holds what it did."""

    def __init__(self, message: str, report: CheckReport) -> None:
        super().__init__(message)
        self.report = report


def check(
    annex: AnnexAccess,
    now: datetime,
    *,
    closing: bool = False,
    deployment: Deployment | None = None,
    dry_run: bool = False,
    memory: Memory | None = None,
) -> CheckReport:
    """Look at the annex once and carry out what its lease requires.

    Args:
        annex: the group and its credential.
        now: current time, aware.
        closing: True if the annex is being destroyed: empty it, without grace.
        deployment: deployment that created or updated the annex just now. Default: None - there was none.
        dry_run: True to look only; the report then holds the actions that would be carried out.
        memory: findings of earlier runs. Default: None - there are none.

    Returns:
        the report; read its `errors`, or use `check_or_raise`.

    Raises:
        botocore.exceptions.ClientError: the group could not be read. Every other refusal is in the report.
        botocore.exceptions.BotoCoreError: likewise.
    """
    memory = replace(memory or Memory()) if dry_run else memory or Memory()  # a dry run is no evidence
    seen, facts = _look(annex), dict[str, object]()
    published = seen.lease.record.published_end if isinstance(seen, Group) else None
    refused, outcomes = dict[Fact, str](), list[Outcome]()
    carry = carry_out_destroy if closing else carry_out
    while True:
        seen = memory.recall(with_facts(seen, facts), now)
        decision = decide(seen, now, closing=closing, deployment=deployment)
        outcomes.append(Outcome(tried=decision.actions) if dry_run else carry(decision.actions, annex))
        # Looked up only now, so that a refusal delays nothing that was decided without it, or by other facts.
        if not (needs := decision.needs - refused.keys()) or not _has_time(annex, outcomes):
            break
        _look_up(annex, needs, facts, refused)
        if decision.actions and not dry_run:
            memory.note_actions(decision)
            if (again := _look_again(annex, outcomes)) is None:
                break
            seen = again
    memory.note(seen, now, decision)
    decision = _carried_out(decision, outcomes)
    noted = (refused.pop(Fact.ACTIVITY),) if Fact.ACTIVITY in refused else ()  # no lease depends on it
    done = joined([*outcomes, Outcome(failures=tuple(refused.values()), notes=noted)])
    return _report(annex.group, seen, decision, done, dry_run=dry_run, published=published)


def _carried_out(decision: Decision, outcomes: Sequence[Outcome]) -> Decision:
    """The decision as its actions left it: a grant that was refused leaves the annex waiting."""
    if any(isinstance(each, Grant) for each in decision.actions) and any(outcome.failures for outcome in outcomes):
        return replace(decision, phase=Phase.WAITING, reason=f"{decision.reason}, but a call was refused")
    return decision


def check_or_raise(
    annex: AnnexAccess, now: datetime, *, deployment: Deployment | None = None, memory: Memory | None = None
) -> CheckReport:
    """Run `check`; an action that failed is an error of the run, because alarms watch the function's error count.

    Raises:
        CheckError: an action failed; the others were carried out as far as they may be.
    """
    report = check(annex, now, deployment=deployment, memory=memory)
    if report.errors:
        raise CheckError("; ".join(report.errors), report)
    return report


def empty_fleet(
    annex: AnnexAccess,
    now: datetime,
    seconds_left: Callable[[], float],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> CheckReport:
    """End everything and return when nothing is left, so that the deletion of the stack finds an empty group.

    Args:
        annex: the group and its credential.
        now: current time, aware.
        seconds_left: returns the seconds that this may still take.
        sleep: waits between two looks.

    Raises:
        CheckError: time ran out with instances left, or with calls that still fail; what was stopped stays stopped.
        botocore.exceptions.ClientError: AWS refused to be read until time ran out; BotoCoreError: it was not reached.
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
            empty = empty + 1 if report.decision.empty and not report.errors else 0
            # A detached instance that is still shutting down keeps a network that is deleted next. It may take long.
            if empty >= _EMPTY_LISTINGS and not (report.decision.leaving and may_wait):
                return report
            if not may_wait:
                left = "; ".join(report.errors) or "instances are still shutting down"
                raise CheckError(f"the fleet is not empty yet: {left}; delete the stack again", report)
        sleep(_POLL_SECONDS)


def _look(annex: AnnexAccess) -> Seen:
    return read_group(annex) or Missing(annex.group)


def _look_again(annex: AnnexAccess, outcomes: list[Outcome]) -> Seen | None:
    """The annex after actions; None if it cannot be read: a failure, and the report holds what was done before."""
    try:
        return _look(annex)
    except (BotoCoreError, ClientError) as error:
        outcomes.append(Outcome(failures=(f"group unknown: {error}",)))
        return None


def _has_time(annex: AnnexAccess, outcomes: list[Outcome]) -> bool:
    """True if there is time to look further; a failure otherwise."""
    if annex.seconds_left() >= CALL_SECONDS:
        return True
    outcomes.append(Outcome(failures=("out of time to look further; the next run continues",)))
    return False


def _report(
    group: str, seen: Seen, decision: Decision, done: Outcome, *, dry_run: bool, published: datetime | None
) -> CheckReport:
    lease = seen.lease.explained() if (exists := isinstance(seen, Group)) else ""
    return CheckReport(group, decision, exists, done.tried, done.failures, dry_run, published, done.notes, lease)


_LOOK_UP: Mapping[Fact, Callable[[AnnexAccess], object]] = {
    Fact.INSTANCES: list_instances,
    Fact.CREDENTIAL: credential_state,
    Fact.SCHEDULED: scheduled_actions,
    Fact.ACTIVITY: failed_launch,
}


def _look_up(annex: AnnexAccess, needs: frozenset[Fact], found: dict[str, object], refused: dict[Fact, str]) -> None:
    """Look up the facts that are needed, each for itself: it is then in `found`, or in `refused` with the reason."""
    for fact, look_up in _LOOK_UP.items():
        if fact in needs:
            try:
                found[fact.value] = look_up(annex)
            except (BotoCoreError, ClientError) as error:
                refused[fact] = f"{fact.value} unknown: {error}"
    found["refused"] = frozenset(refused)
