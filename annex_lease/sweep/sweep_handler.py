"""The sweeper's function: one run for each invocation.

Its log holds JSON documents, one on a line: for each annex that was ended and each orphan that was removed what was
done, as soon as it was and with all ids (500 on a line), and in the end the report of the run.

Events: ``{"sweep": "scheduled"}`` is a run, ``{"sweep": "dry-run"}`` lists what a run would do and changes nothing.
Environment, all of it optional: ``SWEEP_DRY_RUN`` (1: every run is a dry run; as no orphan is ever marked then, the
report tells in `would_remove_later` what marks would lead to), ``SWEEP_MAX_REMOVALS`` (default 50),
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

from annex_lease.sweep.clients import SweepClients, shared_clients
from annex_lease.sweep.sweep_metrics import counts, embedded
from annex_lease.sweep.sweep_plan import Settings
from annex_lease.sweep.sweep_report import Report
from annex_lease.sweep.sweeper import SweepError, sweep_or_raise
from annex_lease.tags import parse_count, shown

_LOGGED = 50  # entries of each list in the log line; the reply holds all of them
_LONGEST_SECONDS = 7 * 86_400


def handler(event: Mapping[str, Any], context: object) -> dict[str, object]:
    """Serve one invocation; the reply is the report.

    Raises:
        SweepError: something failed or was left; everything else was done, and the next run tries again.
        ValueError: the event, or a value of the environment, is not allowed.
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
    asked = False
    line: dict[str, object] = {"outcome": "failed", "error": None}
    report: Report | None = None
    try:
        asked = _dry_run_asked(event)
        settings = _settings(environ, asked=asked)
        report = sweep_or_raise(clients or shared_clients(), now, settings, _seconds_left(context), _log)
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
        _log(line)
    return report.as_data()


def _log(line: Mapping[str, object]) -> None:
    # Standard output is the function's log.
    print(json.dumps(line, default=str), flush=True)  # noqa: T201


def _dry_run_asked(event: object) -> bool:
    """Whether the event asks for a dry run: what is misspelt must not act."""
    if event in ({"sweep": "scheduled"}, {"sweep": "dry-run"}):
        return event == {"sweep": "dry-run"}
    allowed = '{"sweep": "scheduled"} to act or {"sweep": "dry-run"} to look'
    raise ValueError(f"event: received {shown(event)}, allowed {allowed}; invoke the function again with one of them")


def _settings(environ: Mapping[str, str], *, asked: bool) -> Settings:
    default = Settings()
    always = _number(environ, "SWEEP_DRY_RUN", 0, most=1)
    return Settings(
        slack=timedelta(seconds=_number(environ, "SWEEP_SLACK_SECONDS", int(default.slack.total_seconds()))),
        wait=timedelta(seconds=_number(environ, "SWEEP_WAIT_SECONDS", int(default.wait.total_seconds()))),
        max_removals=_number(environ, "SWEEP_MAX_REMOVALS", default.max_removals),
        dry_run=asked or always == 1,
        marking=always == 0,
    )


def _number(environ: Mapping[str, str], name: str, default: int, *, most: int = _LONGEST_SECONDS) -> int:
    try:
        return parse_count(environ.get(name, str(default)), maximum=most)
    except ValueError as error:
        raise ValueError(f"{name}: {error}; change the function's environment") from None


def _seconds_left(context: object) -> Callable[[], float]:
    remaining: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
    return (lambda: math.inf) if remaining is None else (lambda: remaining() / 1000)
