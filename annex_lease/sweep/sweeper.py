"""One run of the sweeper: end what is over, then list everything else, plan, and carry the plan out.

What is over is found from the descriptions of the groups alone, so it is ended at the same speed beside any number of
annexes that live, and even if every other listing fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.actuator import carry_out
from annex_lease.aws import AnnexAccess, Clients, read_group
from annex_lease.observed import Group
from annex_lease.sweep.expired import Ending, InstanceOwners, decide_again, find_endings, is_named, is_over
from annex_lease.sweep.inventory import INSTANCES_OVER, LOG_GROUPS, RegionReader, listed
from annex_lease.sweep.removal import mark, remove, unmark
from annex_lease.sweep.resources import Inventory, TaggedResource
from annex_lease.sweep.sweep_plan import Removal, SweepPlan, make_plan
from annex_lease.sweep.sweep_report import SweepReport, ending_data, log_lines, removal_data, resource_data
from annex_lease.sweep.sweep_settings import SweepSettings

Log = Callable[[Mapping[str, object]], None]
"""Takes one line for the log, about an annex that was ended or an orphan that was removed."""
_T = TypeVar("_T")
_Entry = dict[str, object]
_Reasoned = tuple[TaggedResource, str]
_STEP_SECONDS = 45.0  # the longest that one step may need: a call that is throttled up to its last attempt
_ORPHANS = "the orphans"


class SweepError(Exception):
    """A run left something undone; `report` says what it did."""

    def __init__(self, message: str, report: SweepReport) -> None:
        super().__init__(message)
        self.report = report


def sweep(
    clients: Clients,
    now: datetime,
    settings: SweepSettings,
    seconds_left: Callable[[], float],
    log: Log,
    *,
    dry_run: bool = False,
    region: RegionReader | None = None,
) -> SweepReport:
    """End what is over, then list everything once, plan, and carry the plan out.

    Args:
        clients: AWS clients for the Region to sweep.
        now: the current time, aware.
        settings: settings of the sweeper.
        seconds_left: time that the run may still take; near its end no new step is started.
        log: takes the lines about what is done.
        dry_run: only report, in this run. Default: False - only if the settings say so.
        region: reader of the Region. Default: None - one with these clients.

    Returns:
        report of the run; read its `errors` and `unfinished`, or use `sweep_or_raise`.

    Raises:
        botocore.exceptions.ClientError: the Auto Scaling groups could not be listed.
        botocore.exceptions.BotoCoreError: likewise.
    """
    reader = region or RegionReader(clients)
    groups = reader.groups()
    report = SweepReport(dry_run or settings.dry_run)
    run = _Run(report, clients, reader, now, settings, seconds_left, log)
    run.end_what_is_over(groups)
    run.remove_orphans(groups)
    return report


def sweep_or_raise(
    clients: Clients,
    now: datetime,
    settings: SweepSettings,
    seconds_left: Callable[[], float],
    log: Log,
    *,
    dry_run: bool = False,
) -> SweepReport:
    """`sweep`, where every failure is an error of the run: an alarm watches the function's error count.

    Raises:
        SweepError: something failed or was not started; everything else was done.
    """
    report = sweep(clients, now, settings, seconds_left, log, dry_run=dry_run)
    left = [f"{report.unfinished} steps were not started: the time was nearly used"] if report.unfinished else []
    if report.errors or left:
        raise SweepError("; ".join([*report.errors, *left]), report)
    return report


@dataclass(frozen=True)
class _Run:
    report: SweepReport
    clients: Clients
    reader: RegionReader
    now: datetime
    settings: SweepSettings
    seconds_left: Callable[[], float]
    log: Log

    def end_what_is_over(self, groups: Sequence[Group]) -> None:
        over = [group for group in groups if is_over(group, self.now, self.settings.slack)]
        annexes = sum(1 for group in groups if is_named(group))
        self.report.seen |= {"groups": len(groups), "annexes": annexes, "annexes_over": len(over)}
        failures: dict[str, str] = {}
        instances = listed(INSTANCES_OVER, lambda: self.reader.instances_of(over), failures) if over else ()
        self.report.note_failures(failures)
        names = frozenset(group.name for group in groups)
        owners = None if instances is None else InstanceOwners(instances, names)
        endings = find_endings(over, owners, self.now, self.settings.slack)
        self._each(_rotated(endings, self.now), self.report.ended, ending_data, self._end)

    def remove_orphans(self, groups: tuple[Group, ...]) -> None:
        report = self.report
        if not report.dry_run and self.seconds_left() < _STEP_SECONDS:
            report.not_known.append(_ORPHANS)
            report.errors.append(f"{_ORPHANS} were not looked for: the time was nearly used")
            return
        seen = self.reader.inventory(groups)
        plan = make_plan(seen, self.now, self.settings)
        if plan.doubtful:
            seen = self._without_phantoms(seen, plan.doubtful)
            plan = make_plan(seen, self.now, self.settings)
        report.note_failures(seen.failures)
        if seen.failures:
            report.not_known.append(_ORPHANS)
        report.seen |= Counter(each.kind.value for each in (*(seen.instances or ()), *(seen.others or ())))
        report.seen |= {} if seen.stacks is None else {"stacks": len(seen.stacks)}
        self._carry_out(plan)

    def _without_phantoms(self, seen: Inventory, doubtful: Sequence[TaggedResource]) -> Inventory:
        """The inventory without the log groups that are listed and do not exist."""
        failures = dict(seen.failures)
        found = listed(LOG_GROUPS, lambda: self.reader.existing(doubtful), failures)
        if found is None or seen.others is None:
            return replace(seen, others=None, failures=failures)
        gone = {each.id for each in doubtful} - {each.id for each in found}
        return replace(seen, others=tuple(each for each in seen.others if each.id not in gone))

    def _carry_out(self, plan: SweepPlan) -> None:
        report = self.report
        report.orphans, report.aborted = plan.orphans, plan.aborted
        report.reports += plan.reports
        report.waiting += [resource_data(*each) for each in plan.waiting]
        report.unattached += [resource_data(*each) for each in plan.unattached]
        report.would_remove_later += [removal_data(each) for each in plan.later]
        # Marks are deleted before anything is removed.
        self._each(plan.unmarks, report.unmarked, _reasoned_data, self._unmark)
        self._each(plan.removals, report.removed, removal_data, self._remove)
        self._each(plan.marks, report.marked, _reasoned_data, self._mark)

    def _each(
        self,
        items: Sequence[_T],
        reported: list[_Entry],
        data: Callable[[_T], _Entry],
        act: Callable[[_T], _Entry | None],
    ) -> None:
        for item in items:
            if self.report.dry_run:
                reported.append(data(item))
            elif self.seconds_left() < _STEP_SECONDS:
                self.report.unfinished += 1
            elif (tried := act(item)) is not None:
                reported.append(tried)

    def _end(self, ending: Ending) -> _Entry | None:
        due = self._decided_again(ending)
        return None if due is None else self._done("ended", ending_data(due), self._perform(due))

    def _remove(self, removal: Removal) -> _Entry | None:
        if removal.ending is None:
            errors = _try(lambda: remove(removal.resource, self.clients), removal.resource.id)
            return self._done("removed", removal_data(removal), errors)
        due = self._decided_again(removal.ending)
        if due is None:
            return None
        return self._done("removed", removal_data(replace(removal, ending=due)), self._perform(due))

    def _mark(self, found: _Reasoned) -> _Entry:
        self.report.errors.extend(_try(lambda: mark(found[0], self.now, self.clients), found[0].id))
        return _reasoned_data(found)

    def _unmark(self, found: _Reasoned) -> _Entry:
        self.report.errors.extend(_try(lambda: unmark(found[0], self.clients), found[0].id))
        return _reasoned_data(found)

    def _decided_again(self, planned: Ending) -> Ending | None:
        """The ending as it is due now: a renewal may have come since everything was listed."""
        try:
            group = read_group(self._annex(planned))
        except (BotoCoreError, ClientError) as error:
            self.report.errors.append(f"{planned.group}: not ended, because it could not be read again: {error}")
            return None
        due = decide_again(planned, group, self.now, self.settings.slack)
        if due is None:
            reason = "on the second reading its lease lasts, or nothing is left to end"
            self.report.skipped.append(
                {"group": planned.group, "annex": planned.name, "id": planned.id, "reason": reason}
            )
        return due

    def _perform(self, ending: Ending) -> list[str]:
        failures = carry_out(ending.actions, self._annex(ending)).failures
        return [f"{ending.group}: {failure}" for failure in failures]

    def _annex(self, ending: Ending) -> AnnexAccess:
        return AnnexAccess(ending.group, "", self.clients, ending.name, ending.id, seconds_left=self.seconds_left)

    def _done(self, did: str, data: _Entry, errors: list[str]) -> _Entry:
        self.report.errors.extend(errors)
        for line in log_lines(did, data, errors):
            self.log(line)
        return data


def _reasoned_data(found: _Reasoned) -> _Entry:
    return resource_data(*found)


def _rotated(endings: Sequence[Ending], now: datetime) -> list[Ending]:
    """The endings, each run beginning with another: one that takes all the time must not starve the others."""
    start = int(now.timestamp()) // 60 % len(endings) if endings else 0
    return [*endings[start:], *endings[:start]]


def _try(act: Callable[[], None], what: str) -> list[str]:
    try:
        act()
    except (BotoCoreError, ClientError) as error:
        return [f"{what}: {error}"]
    return []
