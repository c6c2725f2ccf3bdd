"""Messages of the lease checker to the topic of its annex: JSON for programs, with a `text` for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from annex_lease.aws import AnnexAccess
from annex_lease.tags import format_time

_SUBJECT = 100  # Publish, API reference: fewer than 100 characters


def warn(annex: AnnexAccess, end: datetime, alive: int) -> None:
    """Publish that the lease ends soon; without a topic nothing is published.

    Args:
        annex: the annex.
        end: effective end of the lease, aware.
        alive: number of instances that run.

    Raises:
        botocore.exceptions.ClientError: AWS refused the call or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    shown = format_time(end)
    text = f"The lease of annex {annex.name} ends at {shown}; {alive} instances are running."
    _publish(annex, f"lease ends at {shown}", "lease-ends-soon", text, end=shown, instances=alive)


def report(annex: AnnexAccess, problems: Sequence[str]) -> None:
    """Publish what is not in order although the lease is enforced; without a topic nothing is published.

    Args:
        annex: the annex.
        problems: one sentence for each.

    Raises:
        botocore.exceptions.ClientError: AWS refused the call or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    text = f"The lease of annex {annex.name} is enforced, but something is not in order: {'; '.join(problems)}."
    _publish(annex, "lease is not in order", "lease-not-in-order", text, problems=list(problems))


def _publish(annex: AnnexAccess, what: str, event: str, text: str, **members: object) -> None:
    if not annex.topic:
        return
    message = {"annex": annex.name, "event": event, **members, "text": text}
    subject = f"HTCondor annex {annex.name}: {what}"[: _SUBJECT - 1]
    annex.clients.sns.publish(TopicArn=annex.topic, Subject=subject, Message=json.dumps(message))
