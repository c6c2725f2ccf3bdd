"""The answer to CloudFormation: how a custom resource says that it succeeded or failed.

CloudFormation waits (an hour by default) for a JSON document of at most 4,096 bytes, PUT to the pre-signed address of
the request, with an empty content type, because the signature was made with an empty one (CloudFormation User Guide,
"Custom resource response objects" and "cfn-response module").
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping

ANSWER_BYTES = 4096
_ATTEMPTS = 5
_ATTEMPT_SECONDS = 5.0
_SCHEMES = ("https://", "http://")  # http: what an emulated CloudFormation listens on


class AnswerError(Exception):
    """The answer could not be delivered."""


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
        # A character takes up to 12 bytes in JSON, so cut by what is too much, at the least one character.
        reason = reason[: -max(1, (len(body) - ANSWER_BYTES) // 12)]


def put_answer(url: str, body: bytes, *, seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """Deliver the answer; failing servers and connections are tried again with growing pauses.

    Args:
        url: the ResponseURL of the request.
        body: from `answer_body`.
        seconds: how long this may take altogether.
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
            problem = f"{type(error).__name__}: {error}"
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
