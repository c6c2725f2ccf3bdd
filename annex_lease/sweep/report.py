"""What a run did, or in a dry run would have done: for its log line, its metrics and whoever invoked it."""

from __future__ import annotations

from dataclasses import dataclass, field

from annex_lease.actions import as_data
from annex_lease.sweep.expired import Ending
from annex_lease.sweep.plan import Removal
from annex_lease.sweep.seen import Resource


@dataclass
class Report:
    """What a run did; in a dry run, what it would have done. Each list holds what was tried, failed or not.

    Attributes:
        dry_run: whether nothing was changed.
        orphans: how many orphans were found, whatever was done about them.
        ended: annexes that were over and still there.
        removed: orphans that were removed; of a secret, that it can be restored for some days.
        marked: orphans found for the first time.
        unmarked: what was marked and is no orphan.
        waiting: orphans whose mark does not stand long enough, or that an aborted run left alone.
        reports: what an operator should look at.
        aborted: why nothing was removed, although something should have been.
        unfinished: how many steps were left because the function's time was nearly out.
        errors: what failed.
    """

    dry_run: bool
    orphans: int = 0
    ended: list[dict[str, object]] = field(default_factory=list)
    removed: list[dict[str, object]] = field(default_factory=list)
    marked: list[dict[str, object]] = field(default_factory=list)
    unmarked: list[dict[str, object]] = field(default_factory=list)
    waiting: list[dict[str, object]] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    aborted: str | None = None
    unfinished: int = 0
    errors: list[str] = field(default_factory=list)

    def as_data(self, *, most: int | None = None) -> dict[str, object]:
        """The report as JSON-able data.

        Args:
            most: longer lists lose their ends, because a log event has a limit, and their lengths are told.
                Default: all of them.
        """
        data: dict[str, object] = {}
        for name, value in vars(self).items():
            if isinstance(value, list) and most is not None and len(value) > most:
                data[name], data[f"{name}_count"] = value[:most], len(value)
            else:
                data[name] = value
        return data


def ending_data(ending: Ending) -> dict[str, object]:
    """An ended annex for the report."""
    actions = [as_data(action) for action in ending.actions]
    return {"group": ending.group, "annex": ending.name, "id": ending.id, "reason": ending.reason, "actions": actions}


def removal_data(removal: Removal) -> dict[str, object]:
    """A removed orphan for the report."""
    data = resource_data(removal.resource, removal.reason)
    return data | {"actions": ending_data(removal.ending)["actions"]} if removal.ending else data


def resource_data(resource: Resource, reason: str) -> dict[str, object]:
    """A resource for the report."""
    return {"kind": resource.kind.value, "id": resource.id, "tags": dict(resource.tags), "reason": reason}
