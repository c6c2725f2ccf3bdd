"""A check on request: run the lease checker of an annex now, and read its answer."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from annex_lease.invocation import DRY_CHECK
from annex_lease.lease import Phase
from annex_lease.tags import parse_time, shown
from annex_pool.command_error import AnnexError
from annex_pool.deployed import Deployed
from annex_pool.own_resources import FUNCTION, find_arn
from annex_pool.region import asking

_CHECK: dict[str, str] = {}  # any event that is not one of the checker's others


@dataclass(frozen=True)
class Answer:
    """Answer of the lease checker.

    Attributes:
        phase: phase of the annex, as it was before the actions.
        reason: why the annex is in this phase; may be empty.
        end: the effective end of the lease in its text form; None if there is none.
        problems: what needs an operator's attention.
        errors: actions that the checker tried and that failed.
        published: the end that was published to execution points before this check; None if there was none.
        actions: the checker's actions in order, done or (dry run) to be done; each has `action`, `reason` and more.
        data: the whole answer as received.
    """

    phase: Phase
    reason: str
    end: str | None
    problems: tuple[str, ...]
    errors: tuple[str, ...] = ()
    published: datetime | None = None
    actions: tuple[Mapping[str, object], ...] = ()
    data: Mapping[str, object] = field(default_factory=dict, repr=False)


def ask_checker(found: Deployed, *, dry_run: bool = False) -> Answer:
    """Run the lease checker of this annex and wait for its answer.

    Args:
        found: the annex.
        dry_run: the checker reports what it would do, and changes nothing.

    Raises:
        AnnexError: the function cannot be found or called, or it failed.
    """
    arn = find_arn(found, FUNCTION, time.sleep)
    with asking(f"to run the lease checker of annex {found.name} in {found.aws.region}"):
        reply = found.aws.functions.invoke(
            FunctionName=arn,
            InvocationType="RequestResponse",
            Payload=json.dumps(DRY_CHECK if dry_run else _CHECK).encode(),
        )
        payload = reply["Payload"].read()
    answer = read_answer(found.name, payload, failed="FunctionError" in reply, deploy=found.cdk("deploy"))
    if dry_run and answer.data.get("dry_run") is not True:
        raise AnnexError(
            f"the lease checker of annex {found.name} did not confirm the dry run, so it may have acted: it is older "
            f"than this command; deploy it again with {found.cdk('deploy')}"
        )
    return answer


def read_answer(name: str, payload: bytes, *, failed: bool, deploy: str = "`cdk deploy`") -> Answer:
    """Read the reply of the checker's function.

    Args:
        name: the annex's name.
        payload: the body of the reply.
        failed: True if Lambda reports that the function failed.
        deploy: command that deploys the annex, for errors.

    Raises:
        AnnexError: the function failed, or the reply has another form or an unknown phase.
    """
    try:
        data = json.loads(payload)
    except ValueError:
        data = None
    if not isinstance(data, Mapping):
        raise AnnexError(f"the reply of the lease checker of annex {name} is no JSON object; see the checker's log")
    if failed or "phase" not in data:
        reason = data.get("errorMessage", "it sent no phase")
        raise AnnexError(f"the lease checker of annex {name} failed: {reason}; see the checker's log")
    end = data.get("end")
    return Answer(
        phase=_phase(name, data["phase"], deploy),
        reason=str(data.get("reason") or ""),
        end=None if end is None else str(end),
        problems=_texts(data, "problems"),
        errors=_texts(data, "errors"),
        published=_time(data.get("published")),
        actions=tuple(action for action in data.get("actions") or () if isinstance(action, Mapping)),
        data=data,
    )


def _phase(name: str, value: object, deploy: str) -> Phase:
    try:
        return Phase(value)
    except ValueError:
        raise AnnexError(
            f"the lease checker of annex {name} reports the phase {shown(value)}, which this command does not know: "
            f"they are of different versions; deploy it again with {deploy}"
        ) from None


def _time(value: object) -> datetime | None:
    try:
        return parse_time(str(value)) if value else None
    except ValueError:
        return None


def _texts(data: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = data.get(key)
    return tuple(str(text) for text in value) if isinstance(value, list) else ()
