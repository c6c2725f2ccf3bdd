"""The lease checker's function: the check of every minute, and the stack's custom resource.

Nothing but the standard library is imported before the guarded paths below: a deploy whose code cannot even be
imported must be told so at once, not after CloudFormation has waited for an hour.

Environment: ``ANNEX_GROUP`` (the exact name of the Auto Scaling group) and ``ANNEX_CREDENTIAL`` (the ARN of the secret
that a grant waits for; empty: grants wait for nothing).
"""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from annex_lease.checker import Report
    from annex_lease.gateway import Annex, Clients

_ANSWER_SECONDS = 8.0  # kept free at the end of a run for the answer to CloudFormation
_WIND_UP_SECONDS = 4.0  # kept free before that for a last look at the fleet
_DEFAULT_SECONDS = 60.0  # how long a run may take where no context tells


@dataclass
class _Run:
    """One invocation: what it was given, and the line it will log."""

    event: Mapping[str, Any]
    seconds_left: Callable[[], float]
    environ: Mapping[str, str]
    now: datetime
    clients: Clients | None
    sleep: Callable[[float], None]
    line: dict[str, object] = field(default_factory=dict)

    @property
    def group(self) -> str:
        return self.environ.get("ANNEX_GROUP", "")

    @property
    def physical_id(self) -> str:
        return f"lease-of-{self.group}"

    def annex(self) -> Annex:
        """The annex to look after; this is where the rest of the package is imported first."""
        if not self.group:
            raise ValueError("ANNEX_GROUP is not set: it must hold the exact name of the Auto Scaling group")
        from annex_lease.gateway import Annex, shared_clients

        return Annex(self.group, self.environ.get("ANNEX_CREDENTIAL", ""), self.clients or shared_clients())


def handler(event: Mapping[str, Any], context: object) -> dict[str, object]:
    """Serve one invocation: a custom resource request if it says what kind (RequestType), a check otherwise.

    Raises:
        Exception: a check failed, or an answer could not be delivered. Lambda counts the error and tries again; both
            are safe to repeat.
    """
    return serve(event, context)


def serve(
    event: Mapping[str, Any],
    context: object,
    *,
    environ: Mapping[str, str] = os.environ,
    now: datetime | None = None,
    clients: Clients | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, object]:
    """`handler` with its surroundings given: environment variables, the time, the AWS clients, and how it waits."""
    started = time.monotonic()
    run = _Run(event, _seconds_left(context), environ, now or datetime.now(UTC), clients, sleep)
    kind = str(event.get("RequestType", "check"))
    run.line.update(event=kind, group=run.group, outcome="failed")
    try:
        result = _serve_request(run) if "RequestType" in event else _serve_check(run)
        run.line.setdefault("error", None)
    except Exception as error:
        run.line["error"] = _describe(error)
        raise
    finally:
        run.line["seconds"] = round(time.monotonic() - started, 3)
        # Standard output is the function's log, and one JSON document on one line is what its queries read.
        print(json.dumps(run.line, default=str), flush=True)  # noqa: T201
    return result


def _serve_check(run: _Run) -> dict[str, object]:
    try:
        report = _check(run)
        if run.event.get("check") == "scheduled":
            report = _stay_for_the_end(run, report)
    except Exception as error:
        _note_report(run, error)
        raise
    run.line.update(report.as_data(), outcome="done")
    return report.as_data()


def _stay_for_the_end(run: _Run, report: Report) -> Report:
    from annex_lease.punctuality import check_at_the_end

    return check_at_the_end(report, run.now, run.seconds_left, lambda now: _check(run, now), sleep=run.sleep)


def _check(run: _Run, now: datetime | None = None) -> Report:
    annex = run.annex()
    from annex_lease.checker import check_or_raise

    return check_or_raise(annex, now or run.now)


def _serve_request(run: _Run) -> dict[str, object]:
    """Do what CloudFormation asks, and answer whatever happens, once."""
    answer = _Answer(run)
    # Lambda kills a run that is out of time without a word, so a second thread speaks before that.
    alarm = threading.Timer(max(0.0, run.seconds_left() - _ANSWER_SECONDS), answer.out_of_time)
    alarm.daemon = True
    alarm.start()
    try:
        data = _fulfil(run)
    except Exception as error:  # noqa: BLE001 -- every failure, of whatever kind, must be told to CloudFormation
        _note_report(run, error)
        run.line["error"] = _describe(error)
        answer.send(success=False, physical_id=_id_of_failure(run, error), reason=_describe(error), data={})
    else:
        deleted = str(run.event.get("PhysicalResourceId", ""))
        physical_id = deleted if run.event["RequestType"] == "Delete" else run.physical_id
        answer.send(success=True, physical_id=physical_id, reason="", data=data)
    finally:
        alarm.cancel()
    run.line["outcome"] = "done" if answer.sent == "SUCCESS" else "failed"
    return {"answer": answer.sent}


def _fulfil(run: _Run) -> dict[str, str]:
    """Serve a request; the attributes of the custom resource come back."""
    kind = run.event["RequestType"]
    if kind not in ("Create", "Update", "Delete"):
        raise ValueError(f"RequestType is {kind!r}: it must be Create, Update or Delete")
    if kind == "Delete" and run.event.get("PhysicalResourceId") != run.physical_id:
        # Left over from a failed creation or from another group: there is nothing here that this id stands for.
        run.line["reason"] = f"{run.event.get('PhysicalResourceId')!r} is not {run.physical_id!r}: nothing was touched"
        return {}
    # Before anything is granted: code that could not say what it did must not do it.
    import annex_lease.custom_resource  # noqa: F401

    report = _empty(run) if kind == "Delete" else _check(run)
    run.line.update(report.as_data())
    if kind == "Create" and (not report.exists or report.decision.end is None):
        raise ValueError("; ".join(report.decision.problems))
    end = report.as_data()["end"]
    return {"Phase": report.decision.phase.value, "LeaseEnd": str(end or "")}


def _empty(run: _Run) -> Report:
    annex = run.annex()
    from annex_lease.checker import empty_fleet

    return empty_fleet(annex, run.now, lambda: run.seconds_left() - _ANSWER_SECONDS - _WIND_UP_SECONDS)


def _id_of_failure(run: _Run, error: Exception) -> str:
    """The id to fail under: CloudFormation will delete what a failed creation named and what an update renamed."""
    if run.event["RequestType"] != "Create":
        return str(run.event.get("PhysicalResourceId") or run.physical_id)
    report: Report | None = getattr(error, "report", None)
    if report is not None and report.granted:
        return run.physical_id
    # Nothing was granted, so there is nothing to empty: an id that is not ours lets the rollback's Delete succeed even
    # if the reason for the failure (a module that cannot be imported, a missing permission) is still there.
    return f"no-{run.physical_id}"


class _Answer:
    """The answer to one request: delivered once, by whichever thread comes first."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._lock = threading.Lock()
        self.sent: str | None = None

    def send(self, *, success: bool, physical_id: str, reason: str, data: Mapping[str, str]) -> None:
        with self._lock:
            if self.sent is None:
                _deliver(self._run, success=success, physical_id=physical_id, reason=reason, data=data)
                self.sent = "SUCCESS" if success else "FAILED"

    def out_of_time(self) -> None:
        physical_id = str(self._run.event.get("PhysicalResourceId") or self._run.physical_id)
        self._run.line["error"] = "the function ran out of time"
        try:
            reason = "the lease checker ran out of time; what it stopped stays stopped: try again"
            self.send(success=False, physical_id=physical_id, reason=reason, data={})
        except Exception as error:  # noqa: BLE001 -- the last words of a thread: nobody is left to tell but the log
            self._run.line["answer_error"] = _describe(error)


def _deliver(run: _Run, *, success: bool, physical_id: str, reason: str, data: Mapping[str, str]) -> None:
    url = str(run.event.get("ResponseURL", ""))
    try:
        from annex_lease.custom_resource import answer_body, put_answer
    except Exception:  # noqa: BLE001 -- a module that cannot be imported may raise anything
        _deliver_plainly(run, url, success=success, physical_id=physical_id, reason=reason)
        return
    body = answer_body(run.event, success=success, physical_id=physical_id, reason=reason, data=data)
    put_answer(url, body, seconds=max(1.0, run.seconds_left() - 1.0))


def _deliver_plainly(run: _Run, url: str, *, success: bool, physical_id: str, reason: str) -> None:
    """Answer with nothing but the standard library, one attempt: the module that does it well is broken."""
    if not url.startswith(("https://", "http://")):
        raise ValueError("the request has no usable ResponseURL: it must begin with https://")
    keys = ("StackId", "RequestId", "LogicalResourceId")
    status = "SUCCESS" if success else "FAILED"
    answer = {"Status": status, "Reason": reason[:200], "PhysicalResourceId": physical_id}
    body = json.dumps(answer | {key: run.event.get(key, "") for key in keys}).encode()
    request = urllib.request.Request(url, data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310 -- checked
    with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310 -- the scheme was checked above
        response.read()


def _note_report(run: _Run, error: Exception) -> None:
    report: Report | None = getattr(error, "report", None)
    if report is not None:
        run.line.update(report.as_data())


def _seconds_left(context: object) -> Callable[[], float]:
    remaining: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
    if remaining is not None:
        return lambda: remaining() / 1000
    end = time.monotonic() + _DEFAULT_SECONDS
    return lambda: end - time.monotonic()


def _describe(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
