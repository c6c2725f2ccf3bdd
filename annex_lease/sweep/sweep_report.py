"""Report of one run: for the caller of the function, its log, and the metrics in the last line of the log. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from annex_lease.action_data import as_data
from annex_lease.sweep.expired import Ending
from annex_lease.sweep.resources import TaggedResource
from annex_lease.sweep.sweep_plan import Removal

DIMENSION = "FunctionName"
"""The only dimension of the sweeper's metrics: two sweepers in one Region must not hide each other's silence."""
RAN = "SweeperRan"
"""1 for each run that finished, with or without errors: the heartbeat. A dry run by hand sends none."""
ENDED = "SweeperEnded"
"""Number of annexes that a run ended; sent only if there are any, and not by a dry run."""
ORPHANS = "SweeperOrphans"
"""Number of orphans that a run found, with or without a mark; sent only if there are any."""
REPORTS = "SweeperReports"
"""Number of problems that only a person can solve; sent only if there are any."""
ABORTED = "SweeperAborted"
"""1 for each run that found more orphans than it may remove, and removed none; otherwise not sent."""

_IDS_PER_LINE = 500  # CloudWatch Logs limits an event to 256 KiB, and an annex may have thousands of instances


@dataclass
class SweepReport:
    """Report of one run; of a dry run, what a run would have done. A list holds what was tried, failed or not.

    Attributes:
        dry_run: nothing was changed.
        seen: number of things of each kind that were listed.
        not_known: the listings that were refused or not begun; nothing is said about what they would have shown.
        orphans: number of orphans found, with or without a mark.
        ended: annexes past their end that still existed; `instances` are the ids of all their instances.
        skipped: annexes that were past their end in the listing, and not on the second reading.
        removed: orphans that were removed; a secret can be restored for some days.
        marked: orphans that were not found before.
        unmarked: marked resources that are not orphans.
        waiting: orphans whose mark is not old enough, or that an aborted run left alone.
        would_remove_later: removals that marks would lead to, if every run is a dry run and none is ever written.
        unattached: volumes that are attached to nothing, of annexes that are not ended; they are not removed.
        reports: problems for the operator.
        aborted: why nothing was removed although there were removals; None otherwise.
        unfinished: number of steps that were not started because the function's time was nearly used.
        errors: what failed.
    """

    dry_run: bool
    seen: dict[str, int] = field(default_factory=dict)
    not_known: list[str] = field(default_factory=list)
    orphans: int = 0
    ended: list[dict[str, object]] = field(default_factory=list)
    skipped: list[dict[str, object]] = field(default_factory=list)
    removed: list[dict[str, object]] = field(default_factory=list)
    marked: list[dict[str, object]] = field(default_factory=list)
    unmarked: list[dict[str, object]] = field(default_factory=list)
    waiting: list[dict[str, object]] = field(default_factory=list)
    would_remove_later: list[dict[str, object]] = field(default_factory=list)
    unattached: list[dict[str, object]] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    aborted: str | None = None
    unfinished: int = 0
    errors: list[str] = field(default_factory=list)

    def note_failures(self, failures: Mapping[str, str]) -> None:
        """Record the listings that failed, by what they list."""
        for what, error in failures.items():
            self.not_known.append(what)
            self.errors.append(f"{what} could not be listed: {error}")

    def as_data(self, *, maximum: int | None = None) -> dict[str, object]:
        """The report as JSON-able data.

        Args:
            maximum: number of entries to keep of each list, because a log event has a limit; a longer list gets a
                member with its length. Of the instances of an annex only the number is kept. Default: None -
                everything.
        """
        if maximum is None:
            return dict(vars(self))
        data: dict[str, object] = {}
        for name, value in vars(self).items():
            data[name] = [_shortened(entry) for entry in value[:maximum]] if isinstance(value, list) else value
            if isinstance(value, list) and len(value) > maximum:
                data[f"{name}_count"] = len(value)
        return data

    def metrics(self) -> dict[str, int]:
        """Metrics of a run that finished: the heartbeat always, the others if they are not zero.

        CloudWatch bills a metric for the hours in which it is sent.
        """
        rare = {
            # A dry run ends nothing: its report has what it would have ended.
            ENDED: 0 if self.dry_run else len(self.ended),
            ORPHANS: self.orphans,
            REPORTS: len(self.reports),
            ABORTED: int(self.aborted is not None),
        }
        return {RAN: 1, **{name: value for name, value in rare.items() if value}}


def _shortened(entry: object) -> object:
    if not isinstance(entry, dict) or "instances" not in entry:
        return entry
    return {**entry, "instances": len(entry["instances"])}


def log_lines(did: str, data: Mapping[str, object], errors: Sequence[str]) -> Iterator[dict[str, object]]:
    """Lines for the log about one thing that was done, complete: as many as the ids of its instances need.

    Args:
        did: `ended` or `removed`.
        data: its entry in the report.
        errors: what failed of it.
    """
    line = {"did": did, **data, "errors": list(errors)}
    ids = data.get("instances")
    if not isinstance(ids, list):
        yield line
        return
    parts = [ids[start : start + _IDS_PER_LINE] for start in range(0, len(ids), _IDS_PER_LINE)] or [[]]
    for number, part in enumerate(parts, start=1):
        yield {**line, "instances": part, "part": number, "parts": len(parts)}


def ending_data(ending: Ending) -> dict[str, object]:
    """An ended annex as an entry of the report."""
    actions = [as_data(action) for action in ending.actions]
    data: dict[str, object] = {"group": ending.group, "annex": ending.name, "id": ending.id, "reason": ending.reason}
    return data | {"actions": actions, "instances": list(ending.alive)}


def removal_data(removal: Removal) -> dict[str, object]:
    """A removed orphan as an entry of the report."""
    data = resource_data(removal.resource, removal.reason)
    if removal.ending is None:
        return data
    ended = ending_data(removal.ending)
    return data | {"actions": ended["actions"], "instances": ended["instances"]}


def resource_data(resource: TaggedResource, reason: str) -> dict[str, object]:
    """A resource as an entry of the report."""
    return {"kind": resource.kind.value, "id": resource.id, "tags": dict(resource.tags), "reason": reason}
