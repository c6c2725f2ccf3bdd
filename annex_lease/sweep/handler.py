"""The sweeper's function: one run for each invocation, one JSON document on one line in its log.

Events: ``{"sweep": "dry-run"}`` lists what a run would do and changes nothing; anything else is a run.
Environment, all of it optional: ``SWEEP_DRY_RUN`` (1: every run is a dry run), ``SWEEP_MOST_REMOVALS`` (default 50),
``SWEEP_SLACK_SECONDS`` (how long after its end an annex is left to its own checker, default 600) and
``SWEEP_WAIT_SECONDS`` (how long a mark must stand, default 3600). The last two are there for tests.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from annex_lease.contract import parse_count
from annex_lease.sweep.clients import SweepClients, shared_clients
from annex_lease.sweep.metrics import counts, embedded
from annex_lease.sweep.plan import Settings
from annex_lease.sweep.report import Report
from annex_lease.sweep.sweeping import SweepError, sweep_or_raise

_LOGGED = 50  # entries of each list in the log line; the reply holds all of them
_LONGEST_SECONDS = 7 * 86_400


def handler(event: Mapping[str, Any], context: object) -> dict[str, object]:
    """Serve one invocation; the reply is the report.

    Raises:
        SweepError: something failed or was left; everything else was done, and the next run tries again.
        ValueError: the environment holds a value that is not allowed.
    """
    return serve(event, context)


def serve(
    event: Mapping[str, Any],
    context: object,
    *,
    environ: Mapping[str, str] = os.environ,
    now: datetime | None = None,
    clients: SweepClients | None = None,
) -> dict[str, object]:
    """`handler` with its surroundings given: environment variables, the time, the AWS clients."""
    started = time.monotonic()
    now = now or datetime.now(UTC)
    asked = event.get("sweep") == "dry-run"
    line: dict[str, object] = {"outcome": "failed", "error": None}
    report: Report | None = None
    try:
        settings = _settings(environ, asked=asked)
        report = sweep_or_raise(clients or shared_clients(), now, settings, _seconds_left(context))
        line["outcome"] = "done"
    except Exception as error:
        line["error"] = f"{type(error).__name__}: {error}"
        report = error.report if isinstance(error, SweepError) else None
        raise
    finally:
        if report is not None:
            line.update(report.as_data(most=_LOGGED))
        # A dry run that somebody asked for is no sign of life: it would hide that the schedule is silent.
        if report is not None and not asked:
            line.update(embedded(counts(report), environ.get("AWS_LAMBDA_FUNCTION_NAME", ""), now))
        line["seconds"] = round(time.monotonic() - started, 3)
        # Standard output is the function's log.
        print(json.dumps(line, default=str), flush=True)  # noqa: T201
    return report.as_data()


def _settings(environ: Mapping[str, str], *, asked: bool) -> Settings:
    default = Settings()
    always = _number(environ, "SWEEP_DRY_RUN", 0, most=1)
    return Settings(
        slack=timedelta(seconds=_number(environ, "SWEEP_SLACK_SECONDS", int(default.slack.total_seconds()))),
        wait=timedelta(seconds=_number(environ, "SWEEP_WAIT_SECONDS", int(default.wait.total_seconds()))),
        most_removals=_number(environ, "SWEEP_MOST_REMOVALS", default.most_removals),
        dry_run=asked or always == 1,
    )


def _number(environ: Mapping[str, str], name: str, default: int, *, most: int = _LONGEST_SECONDS) -> int:
    try:
        return parse_count(environ.get(name, str(default)), most=most)
    except ValueError as error:
        raise ValueError(f"{name}: {error}; change the function's environment") from None


def _seconds_left(context: object) -> Callable[[], float]:
    remaining: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
    return (lambda: math.inf) if remaining is None else (lambda: remaining() / 1000)
