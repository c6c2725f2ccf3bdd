"""What a run found and did, as the caller of the function and its log read it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from annex_lease.actions import Action, Grant, as_data
from annex_lease.ledger import HOUR_SECONDS
from annex_lease.outcome import Decision
from annex_lease.tags import format_time


@dataclass(frozen=True)
class Report:
    """What a run found and did, or would do if it is a dry run.

    `errors` are the actions that failed, `notes` tell of those that no lease depends on. `published` is the end that
    instances were told of before this run: with it, who wrote an earlier end at the same moment as somebody a later one
    learns of that.
    """

    group: str
    decision: Decision
    exists: bool
    actions: tuple[Action, ...]
    errors: tuple[str, ...]
    dry_run: bool = False
    published: datetime | None = None
    notes: tuple[str, ...] = ()

    @property
    def granted(self) -> bool:
        """Whether the run tried to give the group capacity, successfully or not."""
        return any(isinstance(action, Grant) for action in self.actions)

    def as_data(self) -> dict[str, object]:
        """The report for a log line or the function's result: JSON-able."""
        decision, end, used = self.decision, self.decision.end, self.decision.used_seconds
        return {
            "group": self.group,
            "phase": decision.phase.value,
            "reason": decision.reason,
            "end": format_time(end) if end else None,
            "published": format_time(self.published) if self.published else None,
            "actions": [as_data(action) for action in self.actions],
            "problems": [*decision.problems, *self.notes],
            "errors": list(self.errors),
            "record_problems": list(decision.record_problems),
            "alive": decision.alive,
            "overdue": decision.overdue,
            "instance_hours": None if used is None else round(used / HOUR_SECONDS, 2),
            "dry_run": self.dry_run,
        }


class CheckError(Exception):
    """A run did not do all it should have; `report` says what it did."""

    def __init__(self, message: str, report: Report) -> None:
        super().__init__(message)
        self.report = report
