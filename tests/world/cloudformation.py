"""CloudFormation's part in a scenario: a request of the stack's custom resource, and its answer."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from annex_lease.policy import policy_tags
from annex_lease.tags import RUNTIME_TAGS
from tests.runtime.lease.answer_server import AnswerServer
from tests.world.stage import Stage

_servers: list[AnswerServer] = []


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """A server in the place of CloudFormation's pre-signed address, for all requests made meanwhile."""
    server = AnswerServer()
    _servers.append(server)
    try:
        yield
    finally:
        _servers.remove(server)
        server.close()


def request(stage: Stage, kind: str) -> str:
    """A request of CloudFormation to the function; SUCCESS or FAILED, or nothing if the function was killed.

    Raises:
        IndexError: no server is `answering`.
    """
    server = _servers[-1]
    event = {"RequestType": kind, "ResponseURL": server.url, "StackId": "s", "RequestId": "r"}
    event |= {"LogicalResourceId": "Lease"}
    if kind != "Create":
        event["PhysicalResourceId"] = f"lease-of-{stage.site.group}"
    server.bodies.clear()
    stage.run(event)
    return str(json.loads(server.bodies[-1])["Status"]) if server.bodies else ""


def deploy(stage: Stage, **policy: Any) -> str:
    """Deploy these values of the policy; None: not declared any more. The first answer of the custom resource.

    CloudFormation deletes the tags of a group that changed, writes them, and calls the custom resource after that.
    """
    before = {tag.key: tag.value for tag in policy_tags(stage.site.policy)}
    stage.site = replace(stage.site, policy=replace(stage.site.policy, **policy))
    declared = {tag.key: tag.value for tag in policy_tags(stage.site.policy)}
    changed = [key for key, value in before.items() if declared.get(key) != value]
    tag = {"ResourceId": stage.site.group, "ResourceType": "auto-scaling-group"}
    if changed:
        stage.world.operator.autoscaling.delete_tags(Tags=[{**tag, "Key": key} for key in changed])
    for key, value in declared.items():
        if before.get(key) != value:
            stage.write(key, value)
    return _until_done(stage, "Update")


def deploy_without_runtime_tags(stage: Stage, *kept: str, **policy: Any) -> str:
    """Deploy these values on a cloud that takes away every tag that the template does not declare, but for those kept.

    No page of AWS says whether CloudFormation does that.
    """
    lose_runtime_tags(stage, RUNTIME_TAGS - {*kept})
    return deploy(stage, **policy)


def lose_runtime_tags(stage: Stage, keys: Iterable[str] = RUNTIME_TAGS) -> None:
    """Take tags away that are written while the annex exists."""
    tag = {"ResourceId": stage.site.group, "ResourceType": "auto-scaling-group"}
    there = stage.tags()
    lost = [{**tag, "Key": key} for key in sorted(keys) if key in there]
    if lost:
        stage.world.operator.autoscaling.delete_tags(Tags=lost)


def create(stage: Stage) -> str:
    """Create the custom resource on the group; where that fails, the operator deploys again. The first answer."""
    return _until_done(stage, "Create")


def delete(stage: Stage) -> str:
    """Delete the stack's custom resource; where that fails, the operator deletes the stack again. The first answer."""
    return _until_done(stage, "Delete")


def _until_done(stage: Stage, kind: str) -> str:
    """Repeat a request until it succeeds, as an operator repeats the deployment. The first answer."""
    first = answer = request(stage, kind)
    for _ in range(10):
        if answer == "SUCCESS":
            break
        stage.world.advance(60)
        answer = request(stage, kind)
    assert answer == "SUCCESS", f"the answer to ten requests is {answer}; last run {stage.runs[-1]}"
    return first
