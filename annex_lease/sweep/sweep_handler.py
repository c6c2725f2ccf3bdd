"""Entry point of the sweeper's function: one run for each invocation.

The log holds JSON documents, one on a line. Each annex that was ended and each orphan that was removed has a line of
its own, written at once, with all ids (500 on a line). The last line is the report of the run.

Events: `{"sweep": "scheduled"}` is a run; `{"sweep": "dry-run"}` lists what a run would do and changes nothing.
Environment: see `annex_lease.sweep.sweep_settings`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from annex_lease.aws import Clients, seconds_left, shared_clients
from annex_lease.log_line import describe, embed_metrics, write
from annex_lease.sweep.sweep_report import DIMENSION, SweepReport
from annex_lease.sweep.sweep_settings import DRY_SWEEP, SCHEDULED_SWEEP, SweepSettings
from annex_lease.sweep.sweeper import SweepError, sweep_or_raise
from annex_lease.tags import shown

_LOGGED = 50  # entries of each list in the log line; the reply holds all of them


def handler(event: Mapping[str, Any], context: object) -> dict[str, object]:
    """Serve one invocation and return the report.

    Raises:
        SweepError: something failed or was not started; the next run tries again.
        ValueError: the event, or a value of the environment, is not allowed.
    """
    return serve(event, context)


def serve(
    event: Mapping[str, Any],
    context: object,
    *,
    environ: Mapping[str, str] = os.environ,
    now: datetime | None = None,
    clients: Clients | None = None,
) -> dict[str, object]:
    """`handler` with its environment variables, its time and its AWS clients as arguments."""
    started = time.monotonic()
    now = now or datetime.now(UTC)
    asked = False
    line: dict[str, object] = {"outcome": "failed", "error": None}
    report: SweepReport | None = None
    try:
        asked = _is_dry_run(event)
        settings = SweepSettings.from_environ(environ)
        left = seconds_left(context)
        report = sweep_or_raise(clients or shared_clients(), now, settings, left, write, dry_run=asked)
        line["outcome"] = "done"
    except Exception as error:
        line["error"] = describe(error)
        report = error.report if isinstance(error, SweepError) else None
        raise
    finally:
        if report is not None:
            line.update(report.as_data(maximum=_LOGGED))
        # A dry run by hand sends no heartbeat: it would hide that the schedule does not run.
        if report is not None and not asked:
            name = environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
            line.update(embed_metrics(report.metrics(), dimension=DIMENSION, value=name, time=now))
        line["seconds"] = round(time.monotonic() - started, 3)
        write(line)
    return report.as_data()


def _is_dry_run(event: object) -> bool:
    """True if the event asks for a dry run, False if it asks for a run; a misspelt event must not act."""
    if event in (SCHEDULED_SWEEP, DRY_SWEEP):
        return event == DRY_SWEEP
    allowed = f"{json.dumps(SCHEDULED_SWEEP)} to act or {json.dumps(DRY_SWEEP)} to look"
    raise ValueError(f"event: received {shown(event)}, allowed {allowed}; invoke the function again with one of them")
