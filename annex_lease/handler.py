"""The lease checker's function: the check of every minute, and the stack's custom resource.

Environment: ``ANNEX_GROUP`` (the exact name of the Auto Scaling group), ``ANNEX_CREDENTIAL`` (the ARN of the secret
that a grant waits for; empty: grants wait for nothing), ``ANNEX_NAME`` and ``ANNEX_ID`` (the annex's; by them instances
are found that the group lost), ``ANNEX_TOPIC`` (the ARN of the topic for the warning before the end; empty: none).

Code that cannot even be imported answers nobody; for the custom resource the function's on-failure destination then
does: see `annex_constructs.lease.checker_responder`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from annex_lease.aws import Clients
from annex_lease.checker import Report, check, check_or_raise
from annex_lease.invocation import Invocation, describe, note_report, seconds_left
from annex_lease.memory import Memory
from annex_lease.metrics import embedded
from annex_lease.punctuality import check_at_the_end
from annex_lease.stack_request import serve_request

_MEMORY = Memory()


def handler(event: Mapping[str, Any], context: object) -> dict[str, object]:
    """Serve one invocation: a custom resource request if it says what kind (RequestType), a check otherwise.

    ``{"check": "scheduled"}`` stays awake for an end within the next minute, ``{"check": "dry-run"}`` only looks and
    reports what a check would do.

    Raises:
        Exception: a check failed, or an answer could not be delivered. Lambda counts the error; both may be repeated.
    """
    return serve(event, context, memory=_MEMORY)


def serve(
    event: Mapping[str, Any],
    context: object,
    *,
    environ: Mapping[str, str] = os.environ,
    now: datetime | None = None,
    clients: Clients | None = None,
    sleep: Callable[[float], None] = time.sleep,
    memory: Memory | None = None,
) -> dict[str, object]:
    """`handler` with its surroundings given: environment, time, AWS clients, how it waits, what it remembers."""
    started = time.monotonic()
    moment = now or datetime.now(UTC)
    run = Invocation(event, seconds_left(context), environ, moment, clients, sleep, memory or Memory())
    kind = str(event.get("RequestType", event.get("check", "check")))
    run.line.update(event=kind, group=run.group, outcome="failed")
    try:
        result = serve_request(run) if "RequestType" in event else _serve_check(run)
        run.line.setdefault("error", None)
    except Exception as error:
        run.line["error"] = describe(error)
        raise
    finally:
        run.line["seconds"] = round(time.monotonic() - started, 3)
        annex = environ.get("ANNEX_ID") or environ.get("ANNEX_NAME", "")
        run.line.update(embedded(run.line, annex, moment))
        # Standard output is the function's log, and one JSON document on one line is what its queries read.
        print(json.dumps(run.line, default=str), flush=True)  # noqa: T201
    return result


def _serve_check(run: Invocation) -> dict[str, object]:
    try:
        report = _checked(run)
    except Exception as error:
        note_report(run, error)
        raise
    run.line.update(report.as_data(), outcome="done")
    return report.as_data()


def _checked(run: Invocation) -> Report:
    annex, kind = run.annex(), run.event.get("check")
    if kind == "dry-run":
        # A memory of its own: what a dry run sees is no evidence for the runs that act.
        return check(annex, run.now, dry_run=True, sleep=run.sleep)

    def look(now: datetime) -> Report:
        return check_or_raise(annex, now, memory=run.memory, sleep=run.sleep)

    report = look(run.now)
    return check_at_the_end(report, run.now, run.seconds_left, look, sleep=run.sleep) if kind == "scheduled" else report
