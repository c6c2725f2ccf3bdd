"""Delivery of failed events to destination and dead-letter queue, with the function's role.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import hashlib
import json
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from lab.cloud import roles, world
from lab.cloud.emulator import lambda_svc, sqs

_log = logging.getLogger(__name__)

_ACTIONS = {"lambda": "lambda:InvokeFunction", "sns": "sns:Publish", "sqs": "sqs:SendMessage"}


@dataclass(frozen=True)
class Failure:
    """An event without further retries, and the result of its last run; empty if there was no run."""

    event: Any
    request_id: str
    condition: str
    runs: int
    result: dict[str, Any]


def may_send(role: str, target: str) -> bool:
    """True if a role may send to a function, queue or topic. A refusal is logged; on AWS it is silent."""
    allowed = roles.allows(role, _ACTIONS.get(target.split(":")[2], "none:None"), target)
    if not allowed:
        _log.warning("a failed event is lost: role %s may not send it to %s", role, target)
    return allowed


def give_up(function: dict[str, Any], settings: dict[str, Any], failure: Failure) -> None:
    """Send the event to the destination and to the dead-letter queue, each with the function's own role."""
    configuration = function["config"]
    destination = ((settings.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    dead_letters = (configuration.get("DeadLetterConfig") or {}).get("TargetArn")
    role = str(configuration["Role"])
    if destination and may_send(role, destination):
        _deliver(destination, record_of(configuration, failure), {})
    if dead_letters and may_send(role, dead_letters):
        _deliver(dead_letters, failure.event, _attributes(failure))


def record_of(configuration: dict[str, Any], failure: Failure) -> dict[str, Any]:
    """The invocation record of a failed event, as the Developer Guide shows it."""
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": failure.request_id,
            "functionArn": f"{configuration['FunctionArn']}:$LATEST",
            "condition": failure.condition,
            "approximateInvokeCount": failure.runs,
        },
        "requestPayload": failure.event,
    }
    if failure.result:
        error = failure.result.get("function_error") or "Unhandled"
        record["responseContext"] = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": error}
        record["responsePayload"] = failure.result.get("body")
    return record


def _attributes(failure: Failure) -> dict[str, dict[str, str]]:
    """https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html#invocation-dlq."""
    body = failure.result.get("body")
    message = str(body.get("errorMessage", "") if isinstance(body, dict) else body or failure.condition)
    return {
        "RequestID": {"DataType": "String", "StringValue": failure.request_id},
        "ErrorCode": {"DataType": "Number", "StringValue": "200" if failure.result else "429"},
        "ErrorMessage": {"DataType": "String", "StringValue": message[:1024] or "-"},
    }


def _deliver(target: str, payload: Any, attributes: dict[str, dict[str, str]]) -> None:
    if target.split(":")[2] == "lambda":
        function, configuration, name = lambda_svc._get_func_record_for_ref(target)
        if function and configuration:
            lambda_svc.invoke_async_with_retry(
                lambda_svc._execution_record_for_config(function, configuration), payload
            )
        else:
            _log.warning("there is no Lambda function %s to take a failed event", name)
        return
    if target.split(":")[2] != "sqs":
        raise NotImplementedError(f"the lab delivers failed events to functions and queues, not to {target}")
    queue = sqs._queue_by_arn(target)
    if queue is None:
        _log.warning("there is no queue %s to take a failed event", target)
        return
    with world.lock:  # MiniStack makes the list again when a message is deleted
        queue["messages"].append(_message(queue, json.dumps(payload), attributes))


def _message(queue: dict[str, Any], body: str, attributes: dict[str, dict[str, str]]) -> dict[str, Any]:
    """A message as MiniStack stores it."""
    now = time.time()
    return {
        "id": str(uuid4()),
        "body": body,
        "md5_body": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "md5_attrs": "",
        "receipt_handle": None,
        "sent_at": now,
        "visible_at": now + sqs.queue_delay(queue),
        "receive_count": 0,
        "first_receive_at": None,
        "message_attributes": attributes,
        "sys": {"SenderId": "lambda", "SentTimestamp": str(int(now * 1000))},
        "group_id": None,
        "dedup_id": None,
        "dedup_cache_key": None,
        "seq": None,
    }
