"""Attributes of the custom resource: what a deployment says about the end of the lease."""

from __future__ import annotations

import json
from typing import Any

import botocore
import pytest

from annex_lease.tags import format_time
from tests.runtime.lease.answer_server import AnswerServer
from tests.runtime.lease.lease_cloud import HOUR, Cloud

STACK = {"StackId": "arn:aws:cloudformation:stack", "RequestId": "r-1", "LogicalResourceId": "Lease"}


@pytest.mark.parametrize("kind", ["Create", "Update"])
@pytest.mark.parametrize("until", [None, "tomorrow", "extended"])
def test_every_deployment_is_answered_with_what_decides_the_end(
    cloud: Cloud, group: str, answers: AnswerServer, kind: str, until: str | None
) -> None:
    """The template has it as an output: without the attribute the deployment would fail."""
    created = cloud.created(group)
    request = {"RequestType": kind, "ResponseURL": answers.url, "PhysicalResourceId": "lease-of-pa", **STACK}
    end = created + 1.5 * HOUR if until == "extended" else created + HOUR
    if until is not None:
        cloud.write(group, "annex:lease-until", format_time(end) if until == "extended" else until)
    cloud.check(group, created, **request)
    data: Any = answers.answer["Data"]
    assert data["Lease"].startswith(f"ends at {format_time(end)}, ")
    assert data["Lease"].endswith("as declared") is (until != "extended")


@pytest.mark.parametrize("kind", ["Create", None])
def test_a_deployment_logs_which_sdk_the_function_has(
    cloud: Cloud, group: str, answers: AnswerServer, capsys: pytest.CaptureFixture[str], kind: str | None
) -> None:
    """The Lambda runtime brings its own, which no template names; a log line of each minute does not repeat it."""
    request = {"RequestType": kind, "ResponseURL": answers.url, **STACK} if kind else {}
    cloud.check(group, cloud.created(group), **request)
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert line.get("botocore") == (botocore.__version__ if kind else None)
