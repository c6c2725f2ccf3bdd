"""CloudFormation's requests to the custom resource: do what is asked, and answer, once, on every path but one.

That one is a deletion that fails by a fault of this code and not by AWS: it raises, so that the function's on-failure
destination, which shares no code with this package, empties the group and answers. No fault here may keep a stack.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.checker import check_or_raise, empty_fleet
from annex_lease.cloudformation import AnswerError, answer_body, put_answer
from annex_lease.invocation import Invocation, describe, note_report
from annex_lease.report import CheckError, Report

_ANSWER_SECONDS = 8.0  # kept free at the end of a run for the answer to CloudFormation
_WIND_UP_SECONDS = 4.0  # kept free before that for a last look at the fleet
# A role's permissions reach every part of AWS some seconds after the role (IAM User Guide, "Changes that I make are not
# always immediately visible"), and this is the first call that is made with them.
_NEW_ROLE_PAUSES = (5.0, 10.0, 15.0)
_DENIED = ("AccessDenied", "UnauthorizedOperation")


def serve_request(run: Invocation) -> dict[str, object]:
    """Serve one request.

    Raises:
        AnswerError: the answer could not be delivered.
        Exception: a deletion failed by a fault of this code.
    """
    answer = _Answer(run)
    # Lambda kills a run that is out of time without a word, so a second thread speaks before that.
    alarm = threading.Timer(max(0.0, run.seconds_left() - _ANSWER_SECONDS), answer.out_of_time)
    alarm.daemon = True
    alarm.start()
    try:
        data = _fulfil(run)
    except Exception as error:
        note_report(run, error)
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


def _physical_id(run: Invocation) -> str:
    return f"lease-of-{run.group}"


def _fulfil(run: Invocation) -> dict[str, str]:
    """Serve a request; the attributes of the custom resource come back."""
    kind = run.event["RequestType"]
    if kind not in ("Create", "Update", "Delete"):
        raise ValueError(f"RequestType is {kind!r}: it must be Create, Update or Delete")
    if kind == "Delete" and run.event.get("PhysicalResourceId") != _physical_id(run):
        # Left over from a failed creation or from another group: there is nothing here that this id stands for.
        what = f"{run.event.get('PhysicalResourceId')!r} is not {_physical_id(run)!r}"
        run.line["reason"] = f"{what}: nothing was touched"
        return {}
    report = _empty(run) if kind == "Delete" else _check(run)
    run.line.update(report.as_data())
    if kind == "Create" and (not report.exists or report.decision.end is None):
        raise ValueError("; ".join(report.decision.problems))
    end = report.as_data()["end"]
    return {"Phase": report.decision.phase.value, "LeaseEnd": str(end or "")}


def _check(run: Invocation) -> Report:
    annex = run.annex()
    for pause in _NEW_ROLE_PAUSES:
        try:
            return check_or_raise(annex, run.now, memory=run.memory, sleep=run.sleep)
        except (ClientError, CheckError) as error:
            if not any(word in str(error) for word in _DENIED) or run.seconds_left() < pause + 2 * _ANSWER_SECONDS:
                raise
        run.sleep(pause)
    return check_or_raise(annex, run.now, memory=run.memory, sleep=run.sleep)


def _empty(run: Invocation) -> Report:
    left = run.seconds_left
    return empty_fleet(run.annex(), run.now, lambda: left() - _ANSWER_SECONDS - _WIND_UP_SECONDS, sleep=run.sleep)


def _id_of_failure(run: Invocation, error: Exception) -> str:
    """The id to fail under: CloudFormation will delete what a failed creation named and what an update renamed."""
    if run.event["RequestType"] != "Create":
        return str(run.event.get("PhysicalResourceId") or _physical_id(run))
    report: Report | None = getattr(error, "report", None)
    if report is not None and (report.granted or report.decision.alive):
        return _physical_id(run)
    # Nothing was granted and nothing lives, so there is nothing to empty: an id that is not ours lets the rollback's
    # Delete succeed even if the reason for the failure (a missing permission, say) is still there.
    return f"no-{_physical_id(run)}"


class _Answer:
    """The answer to one request: delivered once, by whichever thread comes first."""

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
        except AnswerError as error:  # the last words of a thread: nobody is left to tell but the log
            self._run.line["answer_error"] = describe(error)
