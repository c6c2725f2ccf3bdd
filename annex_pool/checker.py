"""Asking the lease checker to look at an annex now, instead of at its next minute."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from annex_lease.tags import parse_time
from annex_pool.aws import asking
from annex_pool.error import AnnexError
from annex_pool.finding import FUNCTION, Deployed, find_arn

_LOOK, _DRY_RUN = b"{}", b'{"check": "dry-run"}'


@dataclass(frozen=True)
class Answer:
    """What the lease checker found.

    Attributes:
        phase: waiting, granted, active, draining or ended.
        reason: why, in words; may be empty.
        end: the effective end of the lease in its text form; None if there is none.
        problems: what an operator should look at.
        errors: what the checker tried and could not do.
        published: the end that execution points were told of before this check; None if there was none.
        actions: what it did, in this order, or would do in a dry run; as it tells them: `action`, `reason` and more.
        data: the whole answer, as it was sent.
    """

    phase: str
    reason: str
    end: str | None
    problems: tuple[str, ...]
    errors: tuple[str, ...] = ()
    published: datetime | None = None
    actions: tuple[Mapping[str, object], ...] = ()
    data: Mapping[str, object] = field(default_factory=dict, repr=False)


def ask_checker(found: Deployed, *, dry_run: bool = False) -> Answer:
    """Have the lease checker of this annex do a check, and wait for what it found.

    Args:
        found: the annex.
        dry_run: it only looks, and tells what it would do.

    Raises:
        AnnexError: it cannot be found or called, or it failed.
    """
    arn = find_arn(found, FUNCTION, time.sleep)
    with asking(f"to run the lease checker of annex {found.name} in {found.aws.region}"):
        reply = found.aws.functions.invoke(
            FunctionName=arn, InvocationType="RequestResponse", Payload=_DRY_RUN if dry_run else _LOOK
        )
        payload = reply["Payload"].read()
    answer = read_answer(found.name, payload, failed="FunctionError" in reply)
    if dry_run and answer.data.get("dry_run") is not True:
        raise AnnexError(
            f"the lease checker of annex {found.name} does not say that this was a dry run, so it may have acted: it "
            f"is older than this command; deploy it again with `cdk deploy Annex-{found.name}`"
        )
    return answer


def read_answer(name: str, payload: bytes, *, failed: bool) -> Answer:
    """The checker's reply as data.

    Args:
        name: the annex's name.
        payload: the body of the reply.
        failed: whether Lambda says that the function failed.

    Raises:
        AnnexError: it failed, or the reply is not what a checker sends.
    """
    try:
        data = json.loads(payload)
    except ValueError:
        data = None
    if not isinstance(data, Mapping):
        raise AnnexError(f"the lease checker of annex {name} sent a reply that is no JSON object; see its log")
    if failed or "phase" not in data:
        reason = data.get("errorMessage", "it sent no phase")
        raise AnnexError(f"the lease checker of annex {name} failed: {reason}; see its log")
    end = data.get("end")
    return Answer(
        phase=str(data["phase"]),
        reason=str(data.get("reason") or ""),
        end=None if end is None else str(end),
        problems=_texts(data, "problems"),
        errors=_texts(data, "errors"),
        published=_time(data.get("published")),
        actions=tuple(action for action in data.get("actions") or () if isinstance(action, Mapping)),
        data=data,
    )


def _time(value: object) -> datetime | None:
    try:
        return parse_time(str(value)) if value else None
    except ValueError:
        return None


def _texts(data: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = data.get(key)
    return tuple(str(text) for text in value) if isinstance(value, list) else ()
