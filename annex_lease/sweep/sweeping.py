"""A run of the sweeper: list, judge, and do what was planned, the most expensive first, one thing after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.actuator import perform
from annex_lease.batches import RefusedError
from annex_lease.gateway import Annex
from annex_lease.sweep.clients import SweepClients
from annex_lease.sweep.expired import Ending
from annex_lease.sweep.inventory import take_inventory
from annex_lease.sweep.plan import Plan, Removal, Settings, make_plan
from annex_lease.sweep.removal import mark, remove, unmark
from annex_lease.sweep.report import Report, ending_data, removal_data, resource_data

_T = TypeVar("_T")
_STEP_SECONDS = 45.0  # the longest that one step may need: a call that is throttled up to its last attempt


class SweepError(Exception):
    """A run did not do all it should have; `report` says what it did."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report


def sweep(clients: SweepClients, now: datetime, settings: Settings, seconds_left: Callable[[], float]) -> Report:
    """Look at everything once and do what there is to do.

    Args:
        clients: for the Region to sweep.
        now: the current time, aware.
        settings: how to work.
        seconds_left: how long this may still take; nothing new is begun when it is nearly over.

    Returns:
        what was done; read its `errors` and `unfinished`, or use `sweep_or_raise`.

    Raises:
        botocore.exceptions.ClientError: the Auto Scaling groups could not be listed.
        botocore.exceptions.BotoCoreError: likewise.
    """
    seen = take_inventory(clients)
    plan = make_plan(seen, now, settings)
    report = Report(settings.dry_run, plan.orphans, reports=plan.reports, aborted=plan.aborted)
    report.errors += seen.failures
    report.waiting += [resource_data(*each) for each in plan.waiting]
    _carry_out(plan, report, clients, now, seconds_left)
    return report


def sweep_or_raise(
    clients: SweepClients, now: datetime, settings: Settings, seconds_left: Callable[[], float]
) -> Report:
    """`sweep`, where anything that failed or was left is an error of the run: alarms watch the function's error count.

    Raises:
        SweepError: something failed or was left; everything else was done.
    """
    report = sweep(clients, now, settings, seconds_left)
    left = [f"{report.unfinished} steps were left: the time was nearly out"] if report.unfinished else []
    if report.errors or left:
        raise SweepError("; ".join([*report.errors, *left]), report)
    return report


def _carry_out(
    plan: Plan, report: Report, clients: SweepClients, now: datetime, seconds_left: Callable[[], float]
) -> None:
    def each(items: Sequence[_T], told: list[dict[str, object]], data: Callable[[_T], dict[str, object]],
             act: Callable[[_T], list[str]]) -> None:  # fmt: skip
        for item in items:
            if not report.dry_run and seconds_left() < _STEP_SECONDS:
                report.unfinished += 1
                continue
            told.append(data(item))
            if not report.dry_run:
                report.errors.extend(act(item))

    each(_rotated(plan.endings, now), report.ended, ending_data, lambda e: _end(e, clients, seconds_left))
    # What takes a mark back comes before anything is removed.
    each(
        plan.unmarks,
        report.unmarked,
        lambda u: resource_data(*u),
        lambda u: _try(lambda: unmark(u[0], clients), u[0].id),
    )
    each(plan.removals, report.removed, removal_data, lambda r: _remove(r, clients, seconds_left))
    each(
        plan.marks,
        report.marked,
        lambda m: resource_data(*m),
        lambda m: _try(lambda: mark(m[0], now, clients), m[0].id),
    )


def _rotated(endings: Sequence[Ending], now: datetime) -> list[Ending]:
    """Another one first in every run: annexes that cost all the time must not keep the others from being ended."""
    start = int(now.timestamp()) // 60 % len(endings) if endings else 0
    return [*endings[start:], *endings[:start]]


def _end(ending: Ending, clients: SweepClients, seconds_left: Callable[[], float]) -> list[str]:
    annex = Annex(ending.group, "", clients, name=ending.name, id=ending.id, seconds_left=seconds_left)
    errors = []
    for action in ending.actions:
        errors += _try(lambda action=action: perform(action, annex), f"{ending.group}: {type(action).__name__}")  # type: ignore[misc]
    return errors


def _remove(removal: Removal, clients: SweepClients, seconds_left: Callable[[], float]) -> list[str]:
    if removal.ending is not None:
        return _end(removal.ending, clients, seconds_left)
    return _try(lambda: remove(removal.resource, clients), removal.resource.id)


def _try(act: Callable[[], None], what: str) -> list[str]:
    try:
        act()
    except (BotoCoreError, ClientError, RefusedError) as error:
        return [f"{what}: {error}"]
    return []
