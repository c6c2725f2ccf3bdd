"""A message that one thread of the cloud sends while another removes messages from the queue is kept."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from lab.cloud import failed_events
from lab.cloud.emulator import eventbridge, sns, sqs

from .rivals import ACCOUNT, REGION, Read, Rival

pytestmark = pytest.mark.usefixtures("guarded")
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:shared"


def queue(**attributes: str) -> dict[str, Any]:
    sqs._HANDLERS["CreateQueue"]({"QueueName": "shared", "Attributes": attributes}, "")
    found: dict[str, Any] = sqs._queue_by_arn(QUEUE)
    return found


def send(body: str) -> None:
    sqs._HANDLERS["SendMessage"]({"QueueUrl": sqs._queue_url("shared"), "MessageBody": body}, "")


def delete(_: dict[str, Any]) -> None:
    sqs._HANDLERS["DeleteMessage"]({"QueueUrl": sqs._queue_url("shared"), "ReceiptHandle": "handle"}, "")


def delete_batch(_: dict[str, Any]) -> None:
    entries = [{"Id": "1", "ReceiptHandle": "handle"}]
    sqs._HANDLERS["DeleteMessageBatch"]({"QueueUrl": sqs._queue_url("shared"), "Entries": entries}, "")


def delete_as_mapping(_: dict[str, Any]) -> None:
    sqs._delete_messages_for_esm(sqs._queue_url("shared"), {"handle"})


REMOVALS: dict[str, Callable[[dict[str, Any]], None]] = {
    "delete": delete,
    "batch": delete_batch,
    "mapping": delete_as_mapping,
    "old": lambda found: sqs._expire_retained(found),
    "redrive": lambda found: sqs._dlq_sweep(found),
}
WRITERS: dict[str, Callable[[], Any]] = {
    "topic": lambda: sns._deliver_to_sqs(QUEUE, "new", raw=False, raw_message="new"),
    "rule": lambda: eventbridge._dispatch_to_sqs(eventbridge.parse_arn(QUEUE), "new"),
    "function": lambda: failed_events._deliver(QUEUE, "new", {}),
    "request": lambda: send("new"),
}


@pytest.mark.parametrize("removal", REMOVALS)
@pytest.mark.parametrize("writer", WRITERS)
def test_a_message_that_is_sent_while_others_are_removed_stays(
    monkeypatch: pytest.MonkeyPatch, removal: str, writer: str
) -> None:
    # The policy of the queue is another rule's matter.
    monkeypatch.setattr(sqs, "queue_policy_allows", lambda *_: True)
    rival = Rival(WRITERS[writer])
    found = queue(MessageRetentionPeriod="60")
    sqs._HANDLERS["CreateQueue"]({"QueueName": "dead", "Attributes": {}}, "")
    found["attributes"]["RedrivePolicy"] = f'{{"maxReceiveCount": 1, "deadLetterTargetArn": "{QUEUE[:-6]}dead"}}'
    for body in ("removed", "kept"):
        send(body)
    found["messages"][0].update(receipt_handle="handle", receive_count=1, sent_at=time.time() - 3600)
    found["messages"] = Read(found["messages"], rival)
    REMOVALS[removal](found)
    rival.end()
    assert [one["body"].strip('"') for one in found["messages"]] == ["kept", "new"]
