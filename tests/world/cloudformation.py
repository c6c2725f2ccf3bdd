"""CloudFormation's part in a scenario: a request of the stack's custom resource, and its answer."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from tests.runtime.lease.answer_server import AnswerServer
from tests.world.stage import Stage


@contextlib.contextmanager
def answering() -> Iterator[AnswerServer]:
    """A server in the place of CloudFormation's pre-signed address."""
    server = AnswerServer()
    try:
        yield server
    finally:
        server.close()


def request(stage: Stage, kind: str) -> str:
    """A request of CloudFormation to the function; SUCCESS or FAILED, or nothing if it was killed."""
    with answering() as server:
        event = {"RequestType": kind, "ResponseURL": server.url, "StackId": "s", "RequestId": "r"}
        event |= {"LogicalResourceId": "Lease"}
        if kind != "Create":
            event["PhysicalResourceId"] = f"lease-of-{stage.site.group}"
        stage.run(event)
        return str(json.loads(server.bodies[-1])["Status"]) if server.bodies else ""
