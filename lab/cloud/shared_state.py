"""The functions of MiniStack that rebuild what several threads share: they run with the lock held.

MiniStack writes for one thread, the one that answers requests. In the lab the clock, the runs of functions and
CloudFormation write too, each in a thread. So between a look of MiniStack at a list and its assignment of the list's
successor a point, a message or the state of an alarm could be lost.
"""

import functools
from collections.abc import Callable
from typing import Any

from lab.cloud import emulator, world

GUARDED: dict[str, tuple[str, ...]] = {
    # Lists of points: made at the first point, and made again by each request without points older than two weeks.
    "cloudwatch": (
        "_evict_old_metrics",
        "_store_datum",
        "record_metric",
        # Records of alarms: a new one takes over the state that the last one had when it was begun.
        "_put_metric_alarm",
        "_set_alarm_state",
        "_delete_alarms",
        "cloudformation_delete_metric_alarm",
    ),
    "provisioners": ("_cw_metric_alarm_put",),
    # Lists of messages: made again without those that were deleted, are too old, or were received too often.
    "sqs": (
        "_act_send_message",
        "_act_delete_message",
        "_act_delete_message_batch",
        "_expire_retained",
        "_dlq_sweep",
        "_collect_msgs",
        # These take a lock of MiniStack too. Every thread takes the cloud's first.
        "_receive_messages_for_esm",
        "_delete_messages_for_esm",
    ),
    "sns": ("_deliver_to_sqs",),
    "eventbridge": ("_dispatch_to_sqs",),
    # Sessions: those that ended are looked for among all before each new one.
    "sts": ("register_session",),
    # Log groups: made by the first run if there is none.
    "lambda_svc": ("_emit_lambda_logs",),
}
"""Names of functions by their module; none of them waits for a request or for a function's run."""


def install() -> None:
    """Take the functions over, also in the table of SQS's actions."""
    for module, names in GUARDED.items():
        for name in names:
            _guard(getattr(emulator, module), name)


def _guard(module: Any, name: str) -> None:
    original = getattr(module, name)
    guarded = _with_lock(original)
    setattr(module, name, guarded)
    table: dict[str, Any] = getattr(module, "_HANDLERS", {})
    table.update({action: guarded for action, function in table.items() if function is original})


def _with_lock(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*arguments: Any, **named: Any) -> Any:
        with world.lock:
            return function(*arguments, **named)

    return run
