"""A run of the lease checker: observe, decide, act, until nothing more needs to be known; and emptying for destroy."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.actions import Action, Warn
from annex_lease.actuator import perform
from annex_lease.aws import Annex, credential_present, list_instances, read_group
from annex_lease.batches import CALL_SECONDS, RefusedError
from annex_lease.decision import decide
from annex_lease.memory import Memory
from annex_lease.observed import Fact, Group, Missing
from annex_lease.outcome import Decision, Phase
from annex_lease.record import read_record
from annex_lease.report import CheckError, Report

__all__ = ["CheckError", "Report", "check", "check_or_raise", "empty_fleet"]

# At a destroy an empty listing counts once a second one, this much later, is empty too: EC2's listings are eventually
# consistent, and a check that ran at the same time may just have granted. (A check after the end of a lease waits
# longer, see annex_lease.memory; after a destroy the deletion of the group itself would find what is left.)
_POLL_SECONDS = 5.0
_EMPTY_LISTINGS = 2
# CloudFormation deletes and writes the tags of a group in two calls, which follow each other within seconds.
_SECOND_READING_SECONDS = 15.0


def check(
    annex: Annex,
    now: datetime,
    *,
    closing: bool = False,
    dry_run: bool = False,
    memory: Memory | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Look at the annex once and do what its lease asks for.

    Args:
        annex: the group and its credential.
        now: the current time, aware.
        closing: the annex is being destroyed: empty it, without grace.
        dry_run: only look; the report's actions are what would be done.
        memory: what earlier runs found. Default: None - nothing.
        sleep: waits between two readings of a record that cannot be read.

    Returns:
        what was found and done; read its `errors`, or use `check_or_raise`.

    Raises:
        botocore.exceptions.ClientError: the group could not be read, or a fact about it.
        botocore.exceptions.BotoCoreError: likewise.
    """
    memory = memory or Memory()
    seen = _look(annex)
    published = read_record(seen.tags).published_end if isinstance(seen, Group) else None
    facts: dict[str, Any] = {}
    actions: list[Action] = []
    errors: list[str] = []
    notes: list[str] = []
    while True:
        seen = memory.recall(replace(seen, **_of(seen, facts)), now)
        decision = decide(seen, now, closing=closing)
        failed = [] if dry_run else _act(decision, annex, actions, notes)
        actions += decision.actions if dry_run else ()
        errors += failed
        if not decision.needs or (failed and not decision.independent):
            break
        # Looked up only now, so that a failure here cannot hold up what was decided without it.
        facts |= _facts(annex, decision.needs, sleep)
        if Fact.CONFIRMATION in decision.needs or (decision.actions and not dry_run):
            seen = _look(annex)
    memory.note(now, empty=decision.empty, listed="instances" in facts, ended=decision.phase is Phase.ENDED)
    unique = tuple(dict.fromkeys(actions))
    failures = tuple(dict.fromkeys(errors))
    exists = isinstance(seen, Group)
    return Report(annex.group, decision, exists, unique, failures, dry_run, published, tuple(dict.fromkeys(notes)))


def check_or_raise(
    annex: Annex, now: datetime, *, memory: Memory | None = None, sleep: Callable[[float], None] = time.sleep
) -> Report:
    """`check`, where an action that failed is an error of the run: the function's error count is what alarms watch.

    Raises:
        CheckError: an action failed; the others were done as far as they may be.
    """
    report = check(annex, now, memory=memory, sleep=sleep)
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
            report = check(annex, now, closing=True, sleep=sleep)
        except (BotoCoreError, ClientError):
            if not may_wait:
                raise
            empty = 0
        else:
            empty = empty + 1 if report.decision.empty and not report.errors else 0
            if empty >= _EMPTY_LISTINGS:
                return report
            if not may_wait:
                left = "; ".join(report.errors) or "instances are still shutting down"
                raise CheckError(f"the fleet is not empty yet: {left}; delete the stack again", report)
        sleep(_POLL_SECONDS)


def _look(annex: Annex) -> Group | Missing:
    return read_group(annex) or Missing(annex.group)


def _of(seen: Group | Missing, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the facts that there is a place for."""
    return {key: value for key, value in facts.items() if hasattr(seen, key)}


def _facts(annex: Annex, needs: frozenset[Fact], sleep: Callable[[float], None]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if Fact.CREDENTIAL in needs:
        found["credential"] = credential_present(annex)
    if Fact.INSTANCES in needs:
        found["instances"] = list_instances(annex)
    if Fact.CONFIRMATION in needs:
        sleep(_SECOND_READING_SECONDS)
        found["confirmed"] = True
    return found


def _act(decision: Decision, annex: Annex, tried: list[Action], notes: list[str]) -> list[str]:
    failed = []
    for action in decision.actions:
        if annex.seconds_left() < CALL_SECONDS:
            failed.append(f"{type(action).__name__}: out of time; the next run goes on")
            break
        tried.append(action)
        try:
            perform(action, annex)
        except (BotoCoreError, ClientError, RefusedError) as error:
            if isinstance(action, Warn):
                # The lease is enforced all the same: an alarm that says it is not would be wrong.
                notes.append(f"the warning before the end could not be published: {error}")
                continue
            failed.append(f"{type(action).__name__}: {error}")
            if not decision.independent:
                break
    return failed
