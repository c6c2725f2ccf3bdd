"""Asynchronous invocation as Lambda documents it: retries, then delivery of the failed event.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""

import threading
import time
from typing import Any
from uuid import uuid4

from lab.cloud import failed_events, world
from lab.cloud.emulator import lambda_svc, responses
from lab.cloud.failed_events import Failure

_RETRIES = 2
_OLDEST_SECONDS = 21_600
_FAILED_PAUSES = (60.0, 120.0)
_THROTTLED_PAUSE, _LONGEST_THROTTLED_PAUSE = 1.0, 300.0


def install() -> None:
    """Take over every asynchronous invocation: by the API, by other services, and by CloudFormation."""
    lambda_svc.invoke_async_with_retry = invoke


def invoke(function: dict[str, Any], event: Any) -> None:
    """Run a function in a thread; only its destination and its dead-letter queue learn the result."""
    threading.Thread(target=_serve, args=(function, event), daemon=True, name="lambda-asynchronous").start()


def _serve(function: dict[str, Any], event: Any) -> None:
    arn = str(function["config"]["FunctionArn"]).split(":")
    with responses.request_scope(arn[4], arn[3]):
        settings = _settings(function)
        failure = _run(function, event, settings)
        if failure is not None:
            failed_events.give_up(function, settings, failure)


def _settings(function: dict[str, Any]) -> dict[str, Any]:
    stored = function.get("event_invoke_configs") or {}
    found: dict[str, Any] = stored.get("") or stored.get("$LATEST") or {}
    return found


def _run(function: dict[str, Any], event: Any, settings: dict[str, Any]) -> Failure | None:
    """Run until it succeeds; a function error counts as a try, throttling does not."""
    retries = settings.get("MaximumRetryAttempts")
    retries = _RETRIES if retries is None else int(retries)
    limit = world.now() + int(settings.get("MaximumEventAgeInSeconds") or _OLDEST_SECONDS)
    request_id, runs, pause = str(uuid4()), 0, _THROTTLED_PAUSE
    while True:
        result = lambda_svc._execute_function(function, event)
        if not result.get("error"):
            return None
        if result.get("throttle"):
            # "When you set reserved concurrency to zero [...] without any retries"; AWS does not document the
            # condition.
            if function.get("concurrency") == 0 or world.now() + pause > limit:
                return Failure(event, request_id, "EventAgeExceeded", runs, {})
            _wait(pause)
            pause = min(2 * pause, _LONGEST_THROTTLED_PAUSE)
            continue
        runs += 1
        if runs > retries:
            return Failure(event, request_id, "RetriesExhausted", runs, result)
        if world.now() + _FAILED_PAUSES[runs - 1] > limit:
            return Failure(event, request_id, "EventAgeExceeded", runs, result)
        _wait(_FAILED_PAUSES[runs - 1])


def _wait(seconds: float) -> None:
    """Wait by the cloud's clock, which a test may advance."""
    end = world.now() + seconds
    while world.now() < end:
        time.sleep(min(0.2, seconds))
