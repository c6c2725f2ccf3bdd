"""One invocation of the function: what it was given, and the line it will log."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from annex_lease.aws import Annex, Clients, shared_clients
from annex_lease.memory import Memory
from annex_lease.report import Report

_DEFAULT_SECONDS = 60.0  # how long a run may take where no context tells


@dataclass
class Invocation:
    """What one invocation works with; `line` is what it will log."""

    event: Mapping[str, Any]
    seconds_left: Callable[[], float]
    environ: Mapping[str, str]
    now: datetime
    clients: Clients | None
    sleep: Callable[[float], None]
    memory: Memory
    line: dict[str, object] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """The exact name of the Auto Scaling group; empty if the function was not told."""
        return self.environ.get("ANNEX_GROUP", "")

    def annex(self) -> Annex:
        """The annex to look after.

        Raises:
            ValueError: the environment does not name its group.
        """
        if not self.group:
            raise ValueError("ANNEX_GROUP is not set: it must hold the exact name of the Auto Scaling group")
        return Annex(
            self.group,
            self.environ.get("ANNEX_CREDENTIAL", ""),
            self.clients or shared_clients(),
            name=self.environ.get("ANNEX_NAME", ""),
            id=self.environ.get("ANNEX_ID", ""),
            topic=self.environ.get("ANNEX_TOPIC", ""),
            seconds_left=self.seconds_left,
        )


def note_report(run: Invocation, error: Exception) -> None:
    """Put what a failed check found and did into the line, if the error tells."""
    report: Report | None = getattr(error, "report", None)
    if report is not None:
        run.line.update(report.as_data())


def describe(error: Exception) -> str:
    """An error as the log and CloudFormation's events show it."""
    return f"{type(error).__name__}: {error}"


def seconds_left(context: object) -> Callable[[], float]:
    """How long the function may still run, by Lambda's context; a minute from now where there is none."""
    remaining: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
    if remaining is not None:
        return lambda: remaining() / 1000
    end = time.monotonic() + _DEFAULT_SECONDS
    return lambda: end - time.monotonic()
