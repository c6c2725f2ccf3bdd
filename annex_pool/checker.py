"""Asking the lease checker to look at an annex now, instead of at its next minute."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from annex_pool.aws import Aws, asking
from annex_pool.error import AnnexError
from annex_pool.finding import FUNCTION, find_arn


@dataclass(frozen=True)
class Answer:
    """What the lease checker found.

    Attributes:
        phase: waiting, active, ending or ended.
        reason: why, in words; may be empty.
        end: the effective end of the lease in its text form; None if there is none.
        problems: what an operator should look at.
    """

    phase: str
    reason: str
    end: str | None
    problems: tuple[str, ...]


def ask_checker(aws: Aws, name: str) -> Answer:
    """Have the lease checker of this annex do a check, and wait for what it found.

    Raises:
        AnnexError: it cannot be found or called, or it failed.
    """
    arn = find_arn(aws, name, FUNCTION, time.sleep)
    with asking(f"to run the lease checker of annex {name} in {aws.region}"):
        reply = aws.functions.invoke(FunctionName=arn, InvocationType="RequestResponse", Payload=b"{}")
        payload = reply["Payload"].read()
    return read_answer(name, payload, failed="FunctionError" in reply)


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
    problems = tuple(str(problem) for problem in data.get("problems") or ())
    return Answer(str(data["phase"]), str(data.get("reason") or ""), None if end is None else str(end), problems)
