"""CloudFormation's requests to the custom resource of an annex, and the answers to them.

Each request is answered once, on every path but one: a deletion that fails by a fault of this code, and not of AWS,
raises. The function's on-failure destination, which shares no code with this package, then empties the group and
answers. No fault of this code may keep a stack.

CloudFormation waits (an hour by default) for a JSON document of at most 4,096 bytes, PUT to the pre-signed address of
the request with an empty content type, because the signature was made with an empty one (CloudFormation User Guide,
"Custom resource response objects" and "cfn-response module").
"""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

import botocore
from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.checker import CheckError, CheckReport, check_or_raise, empty_fleet
from annex_lease.invocation import Invocation
from annex_lease.log_line import describe
from annex_lease.observed import Deployment

ANSWER_BYTES = 4096
"""Largest answer that CloudFormation takes."""
_ATTEMPTS = 5
_ATTEMPT_SECONDS = 5.0
_SCHEMES = ("https://", "http://")  # http: an emulated CloudFormation listens on it
_ANSWER_SECONDS = 8.0  # kept free at the end of a run for the answer to CloudFormation
_WIND_UP_SECONDS = 4.0  # kept free before that for a last look at the fleet
# A role's permissions reach every part of AWS some seconds after the role (IAM User Guide, "Changes that I make are not
# always immediately visible"), and this is the first call that is made with them. A group that was just made, or its
# tags, may not be listed at once either.
_PAUSES = (5.0, 10.0, 15.0)
_DENIED = ("AccessDenied", "UnauthorizedOperation")


class AnswerError(Exception):
    """The answer could not be delivered."""


def serve_request(run: Invocation) -> dict[str, object]:
    """Serve one request.

    Raises:
        AnswerError: the answer could not be delivered.
        Exception: a deletion failed by a fault of this code.
    """
    # Of the Lambda runtime's own SDK: an attribute that a later version knows is never seen by an older one.
    run.line["botocore"] = botocore.__version__
    answer = _Answer(run)
    # Lambda kills a run that is out of time without a message, so a second thread answers before that.
    alarm = threading.Timer(max(0.0, run.seconds_left() - _ANSWER_SECONDS), answer.out_of_time)
    alarm.daemon = True
    alarm.start()
    try:
        data = _fulfil(run)
    except Exception as error:
        run.note_report(error)
        run.line["error"] = describe(error)
        if run.event["RequestType"] == "Delete" and not isinstance(error, BotoCoreError | ClientError | CheckError):
            raise
        answer.send(success=False, physical_id=_id_of_failure(run, error), reason=describe(error), data={})
    else:
        deleted = str(run.event.get("PhysicalResourceId", ""))
        physical_id = deleted if run.event["RequestType"] == "Delete" else _physical_id(run)
        answer.send(success=True, physical_id=physical_id, reason="", data=data)
    finally:
        alarm.cancel()
    run.line["outcome"] = "done" if answer.sent == "SUCCESS" else "failed"
    return {"answer": answer.sent}


def answer_body(
    event: Mapping[str, object], *, success: bool, physical_id: str, reason: str, data: Mapping[str, str]
) -> bytes:
    """The answer as JSON, at most 4,096 bytes: a longer `reason` loses its end.

    Raises:
        AnswerError: it is too long even without a reason.
    """
    reason = reason[:ANSWER_BYTES]
    while True:
        answer = {
            "Status": "SUCCESS" if success else "FAILED",
            "Reason": reason,
            "PhysicalResourceId": physical_id,
            "StackId": event.get("StackId", ""),
            "RequestId": event.get("RequestId", ""),
            "LogicalResourceId": event.get("LogicalResourceId", ""),
            "NoEcho": False,
            "Data": dict(data),
        }
        body = json.dumps(answer).encode()
        if len(body) <= ANSWER_BYTES:
            return body
        if not reason:
            raise AnswerError(f"the answer has {len(body)} bytes, CloudFormation takes {ANSWER_BYTES}")
        # A character takes up to 12 bytes in JSON, so cut by the excess, and at least one character.
        reason = reason[: -max(1, (len(body) - ANSWER_BYTES) // 12)]


def put_answer(url: str, body: bytes, *, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Deliver the answer; after a failure of a server or a connection try again, with growing pauses.

    Args:
        url: the ResponseURL of the request.
        body: from `answer_body`.
        seconds: longest that this may take in all.
        sleep: waits between attempts.

    Raises:
        AnswerError: it was refused, or not delivered within the attempts and the time.
    """
    if not url.startswith(_SCHEMES):
        raise AnswerError("the request has no usable ResponseURL: it must begin with https://")
    deadline = time.monotonic() + seconds
    for attempt in range(_ATTEMPTS):
        left = max(0.1, deadline - time.monotonic())
        try:
            _put(url, body, min(_ATTEMPT_SECONDS, left))
            return
        except (OSError, http.client.HTTPException) as error:  # HTTPError, URLError and time-outs are OSErrors
            problem = describe(error)
            final = isinstance(error, urllib.error.HTTPError) and error.code < 500
        pause = 0.25 * 2**attempt
        if final or time.monotonic() + pause >= deadline:
            break
        sleep(pause)
    raise AnswerError(f"the answer was not delivered: {problem}")


def _put(url: str, body: bytes, seconds: float) -> None:
    request = urllib.request.Request(  # noqa: S310 -- the scheme was checked, the address is CloudFormation's
        url, data=body, method="PUT", headers={"Content-Type": ""}
    )
    with urllib.request.urlopen(request, timeout=seconds) as response:  # noqa: S310 -- as above
        response.read()


def _physical_id(run: Invocation) -> str:
    return f"lease-of-{run.settings.group}"


def _fulfil(run: Invocation) -> dict[str, str]:
    """Serve a request and return the attributes of the custom resource."""
    kind = run.event["RequestType"]
    if kind not in ("Create", "Update", "Delete"):
        raise ValueError(f"RequestType is {kind!r}: it must be Create, Update or Delete")
    if kind == "Delete" and run.event.get("PhysicalResourceId") != _physical_id(run):
        # Left over from a failed creation or from another group: this id identifies nothing here.
        what = f"{run.event.get('PhysicalResourceId')!r} is not {_physical_id(run)!r}"
        run.line["reason"] = f"{what}: nothing was touched"
        return {}
    report = _empty(run) if kind == "Delete" else _check(run)
    run.line.update(report.as_data())
    if kind == "Create" and not _is_seen(report):
        raise ValueError("; ".join(report.decision.problems))
    end = report.as_data()["end"]
    return {"Phase": report.decision.phase.value, "LeaseEnd": str(end or ""), "Lease": report.lease}


def _check(run: Invocation) -> CheckReport:
    annex = run.annex()

    def look() -> CheckReport:
        # Events may come twice, and late (Lambda Developer Guide, "Asynchronous invocation"): an Update that comes
        # after a Delete opens nothing.
        deployment = Deployment.CREATED if run.event["RequestType"] == "Create" else Deployment.UPDATED
        return check_or_raise(annex, run.now, deployment=deployment, memory=run.memory)

    for pause in _PAUSES:
        no_time = run.seconds_left() < pause + 2 * _ANSWER_SECONDS
        try:
            report = look()
            if _is_seen(report) or no_time:
                return report
        except (ClientError, CheckError) as error:
            if no_time or not any(code in str(error) for code in _DENIED):
                raise
        run.sleep(pause)
    return look()


def _is_seen(report: CheckReport) -> bool:
    """True if the group was listed, and its lease could be read now or before."""
    return report.exists and report.decision.end is not None


def _empty(run: Invocation) -> CheckReport:
    left = run.seconds_left
    return empty_fleet(run.annex(), run.now, lambda: left() - _ANSWER_SECONDS - _WIND_UP_SECONDS, sleep=run.sleep)


def _id_of_failure(run: Invocation, error: Exception) -> str:
    """The id to fail under: CloudFormation will delete what a failed creation named and what an update renamed."""
    if run.event["RequestType"] != "Create":
        return str(run.event.get("PhysicalResourceId") or _physical_id(run))
    report: CheckReport | None = getattr(error, "report", None)
    if report is not None and (report.granted or report.decision.alive):
        return _physical_id(run)
    # Nothing was granted and nothing is alive, so nothing has to be emptied. With an id that is not ours the rollback's
    # Delete succeeds even if the reason for the failure (a missing permission, say) still exists.
    return f"no-{_physical_id(run)}"


class _Answer:
    """The answer to one request: delivered once, by the thread that comes first."""

    def __init__(self, run: Invocation) -> None:
        self._run = run
        self._lock = threading.Lock()
        self.sent: str | None = None

    def send(self, *, success: bool, physical_id: str, reason: str, data: Mapping[str, str]) -> None:
        with self._lock:
            if self.sent is not None:
                return
            event = self._run.event
            body = answer_body(event, success=success, physical_id=physical_id, reason=reason, data=data)
            seconds = max(1.0, self._run.seconds_left() - 1.0)
            put_answer(str(event.get("ResponseURL", "")), body, seconds=seconds)
            self.sent = "SUCCESS" if success else "FAILED"

    def out_of_time(self) -> None:
        physical_id = str(self._run.event.get("PhysicalResourceId") or _physical_id(self._run))
        self._run.line["error"] = "the function ran out of time"
        reason = "the lease checker ran out of time; what it stopped stays stopped: try again"
        try:
            self.send(success=False, physical_id=physical_id, reason=reason, data={})
        except AnswerError as error:  # a last attempt: only the log is left to report to
            self._run.line["answer_error"] = describe(error)
