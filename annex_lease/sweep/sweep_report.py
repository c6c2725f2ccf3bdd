"""What a run did, or in a dry run would have done: for its log line, its metrics and whoever invoked it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from annex_lease.actions import as_data
from annex_lease.sweep.expired import Ending
from annex_lease.sweep.resources import Resource
from annex_lease.sweep.sweep_plan import Removal

_IDS_A_LINE = 500  # a log event has a limit, and an annex may have thousands of instances


@dataclass
class Report:
    """What a run did; in a dry run, what it would have done. Each list holds what was tried, failed or not.

    Attributes:
        dry_run: whether nothing was changed.
        orphans: how many orphans were found, whatever was done about them.
        ended: annexes that were over and still there; `instances` are the ids of all that were there.
        skipped: annexes that were over when everything was listed, and were not any more when it was their turn.
        removed: orphans that were removed; of a secret, that it can be restored for some days.
        marked: orphans found for the first time.
        unmarked: what was marked and is no orphan.
        waiting: orphans whose mark does not stand long enough, or that an aborted run left alone.
        would_remove_later: what marks would lead to, where every run is a dry run and none is ever written.
        reports: what an operator should look at.
        aborted: why nothing was removed, although something should have been.
        unfinished: how many steps were left because the function's time was nearly out.
        errors: what failed.
    """

    dry_run: bool
    orphans: int = 0
    ended: list[dict[str, object]] = field(default_factory=list)
    skipped: list[dict[str, object]] = field(default_factory=list)
    removed: list[dict[str, object]] = field(default_factory=list)
    marked: list[dict[str, object]] = field(default_factory=list)
    unmarked: list[dict[str, object]] = field(default_factory=list)
    waiting: list[dict[str, object]] = field(default_factory=list)
    would_remove_later: list[dict[str, object]] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    aborted: str | None = None
    unfinished: int = 0
    errors: list[str] = field(default_factory=list)

    def as_data(self, *, most: int | None = None) -> dict[str, object]:
        """The report as JSON-able data.

        Args:
            most: longer lists lose their ends, because a log event has a limit, and their lengths are told; of the
                instances of an annex only the number is left. Default: everything.
        """
        if most is None:
            return dict(vars(self))
        data: dict[str, object] = {}
        for name, value in vars(self).items():
            data[name] = [_short(entry) for entry in value[:most]] if isinstance(value, list) else value
            if isinstance(value, list) and len(value) > most:
                data[f"{name}_count"] = len(value)
        return data


def _short(entry: object) -> object:
    if not isinstance(entry, dict) or "instances" not in entry:
        return entry
    return {**entry, "instances": len(entry["instances"])}


def done_lines(did: str, data: Mapping[str, object], errors: Sequence[str]) -> Iterator[dict[str, object]]:
    """What was done, for the log, whole: as many lines as the ids of the instances need.

    Args:
        did: `ended` or `removed`.
        data: the entry of the report.
        errors: what failed of it.
    """
    line = {"did": did, **data, "errors": list(errors)}
    ids = data.get("instances")
    if not isinstance(ids, list):
        yield line
        return
    parts = [ids[start : start + _IDS_A_LINE] for start in range(0, len(ids), _IDS_A_LINE)] or [[]]
    for number, part in enumerate(parts, start=1):
        yield {**line, "instances": part, "part": number, "parts": len(parts)}


def ending_data(ending: Ending) -> dict[str, object]:
    """An ended annex for the report."""
    actions = [as_data(action) for action in ending.actions]
    data: dict[str, object] = {"group": ending.group, "annex": ending.name, "id": ending.id, "reason": ending.reason}
    return data | {"actions": actions, "instances": list(ending.alive)}


def removal_data(removal: Removal) -> dict[str, object]:
    """A removed orphan for the report."""
    data = resource_data(removal.resource, removal.reason)
    if removal.ending is None:
        return data
    ended = ending_data(removal.ending)
    return data | {"actions": ended["actions"], "instances": ended["instances"]}


def resource_data(resource: Resource, reason: str) -> dict[str, object]:
    """A resource for the report."""
    return {"kind": resource.kind.value, "id": resource.id, "tags": dict(resource.tags), "reason": reason}
