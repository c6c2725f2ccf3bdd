"""Entry of the lease checker's function: the check of each minute, and the custom resource of the stack.

`annex_lease.invocation.CheckerSettings` documents the environment of the function.

Code that cannot be imported answers nothing. For the custom resource the function's on-failure destination answers
then: see `annex_constructs.lease.checker_responder`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.aws import AnnexAccess, Clients, seconds_left, shared_clients
from annex_lease.checker import CheckError, CheckReport, check, check_or_raise
from annex_lease.cloudformation import serve_request
from annex_lease.invocation import DRY_CHECK, SCHEDULED_CHECK, CheckerSettings, Invocation, embedded
from annex_lease.log_line import describe, write
from annex_lease.memory import Memory
from annex_lease.terms import CHECK_PERIOD

_MEMORY = Memory()
_PERIOD_SECONDS = CHECK_PERIOD.total_seconds()  # an end further away has a run of its own
_CHECK_SECONDS = 30.0  # kept free for the check at the end


def handler(event: Mapping[str, Any], context: object) -> dict[str, object]:
    """Serve one invocation: a request of a custom resource if it has a RequestType, a check otherwise.

    ``{"check": "scheduled"}`` waits for an end within the next minute, ``{"check": "dry-run"}`` only looks and reports
    what a check would do.

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
    """Serve one invocation as `handler` does, with its dependencies as parameters.

    Args:
        event: event of the invocation.
        context: Lambda's context.
        environ: environment variables.
        now: time of the run, aware. Default: the current time.
        clients: AWS clients. Default: those of the function's Region and role.
        sleep: waits for so many seconds.
        memory: findings of earlier runs. Default: none.
    """
    started = time.monotonic()
    moment, left, settings = now or datetime.now(UTC), seconds_left(context), CheckerSettings.from_environ(environ)

    def connect() -> AnnexAccess:
        return AnnexAccess(
            settings.group,
            settings.credential,
            clients or shared_clients(),
            name=settings.name,
            id=settings.id,
            topic=settings.topic,
            seconds_left=left,
            caps=settings.caps(),
        )

    run = Invocation(event, settings, moment, left, sleep, memory or Memory(), connect)
    kind = str(event.get("RequestType", event.get("check", "check")))
    run.line.update(event=kind, group=settings.group, outcome="failed")
    try:
        result = serve_request(run) if "RequestType" in event else _serve_check(run)
        run.line.setdefault("error", None)
    except Exception as error:
        run.line["error"] = describe(error)
        raise
    finally:
        run.line["seconds"] = round(time.monotonic() - started, 3)
        run.line.update(embedded(run.line, settings.id or settings.name, moment))
        write(run.line)
    return result


def check_at_the_end(
    report: CheckReport,
    now: datetime,
    seconds_left: Callable[[], float],
    check: Callable[[datetime], CheckReport],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> CheckReport:
    """Check again at the end of the lease if that comes before the next scheduled run; otherwise return `report`.

    The lease then ends at its end and not up to a minute late. In that minute an instance that fails, or an execution
    point that powers itself off, would still be replaced. The record is read again: an override that was written
    meanwhile counts.

    Args:
        report: report of the run that has just been done.
        now: time of that run, aware.
        seconds_left: returns the seconds that the function may still run.
        check: checks the annex as of the time that it is given.
        sleep: waits for so many seconds.

    Raises:
        CheckError: the check at the end failed; its report holds what both checks did.
    """
    end = report.decision.end
    wait = (end - now).total_seconds() if end else 0.0
    if not 0 < wait <= min(_PERIOD_SECONDS, seconds_left() - _CHECK_SECONDS):
        return report
    sleep(wait)
    try:
        return _joined(report, check(now + timedelta(seconds=wait)))
    except CheckError as error:
        raise CheckError(str(error), _joined(report, error.report)) from error
    except (BotoCoreError, ClientError) as error:
        raise CheckError(describe(error), report) from error


def _joined(first: CheckReport, second: CheckReport) -> CheckReport:
    """The second report of a run, with what the first check did: one log line holds both."""
    return replace(
        second,
        actions=(*first.actions, *(each for each in second.actions if each not in first.actions)),
        notes=tuple(dict.fromkeys((*first.notes, *second.notes))),
        published=first.published,
    )


def _serve_check(run: Invocation) -> dict[str, object]:
    try:
        report = _checked(run)
    except Exception as error:
        run.note_report(error)
        raise
    run.line.update(report.as_data(), outcome="done")
    return report.as_data()


def _checked(run: Invocation) -> CheckReport:
    annex, kind = run.annex(), run.event.get("check")
    if kind == DRY_CHECK["check"]:
        return check(annex, run.now, dry_run=True, memory=run.memory)

    def look(now: datetime) -> CheckReport:
        return check_or_raise(annex, now, memory=run.memory)

    report = look(run.now)
    if kind != SCHEDULED_CHECK["check"]:
        return report
    return check_at_the_end(report, run.now, run.seconds_left, look, sleep=run.sleep)
