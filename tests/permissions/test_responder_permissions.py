"""Synthesised role of the responder: enough to end an annex in any state, and nothing more."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest

import annex_constructs
from tests.permissions.authorisation import Authorised, Policies, Request, ask, granted, instance_request
from tests.permissions.deployed import SITE, Deployed
from tests.runtime.lease.answer_server import AnswerServer
from tests.world.aws_scaling import LAUNCHING, TERMINATING
from tests.world.aws_state import GROUP_TAG
from tests.world.stage import Context, Stage
from tests.world.worlds import ModelWorld

CODE = Path(annex_constructs.__file__).parent / "lease" / "responder" / "index.py"
BY_LAMBDA = {("OwnLog", "logs:CreateLogStream"), ("OwnLog", "logs:PutLogEvents")}


@pytest.fixture(scope="module")
def policies(annex: Deployed) -> Policies:
    return annex.role("ResponderRole")


def responder(world: ModelWorld, monkeypatch: pytest.MonkeyPatch) -> Any:
    for key, value in SITE.environ().items():
        monkeypatch.setenv(key, value)
    spec = importlib.util.spec_from_file_location("responder", CODE)
    assert spec is not None
    assert spec.loader is not None
    code: Any = importlib.util.module_from_spec(spec)
    with mock.patch("boto3.client", lambda service, **_: getattr(world.clients, service)):
        spec.loader.exec_module(code)
    code.time = SimpleNamespace(sleep=world.advance)
    return code


def handed_over(stage: Stage, code: Any, kind: str) -> str:
    server = AnswerServer()
    event = {"RequestType": kind, "ResponseURL": server.url, "StackId": "s", "RequestId": "r", "LogicalResourceId": "l"}
    event |= {} if kind == "Create" else {"PhysicalResourceId": f"lease-of-{SITE.group}"}
    record = {"requestPayload": event, "requestContext": {"condition": "RetriesExhausted"}}
    try:
        code.handler(record, Context(stage.world, 300))
        return str(json.loads(server.bodies[-1])["Status"])
    finally:
        server.close()


def obstructed(world: ModelWorld) -> Stage:
    """Annex with every obstacle: protection of instances and group, suspended processes, hooks, a warm pool, a
    detached instance.
    """
    stage = Stage(world, SITE)
    stage.make(protect_new=True, policy={"size": 4})
    stage.minutes(2)
    operator, group = world.operator.autoscaling, {"AutoScalingGroupName": SITE.group}
    for name, transition in (("Up", LAUNCHING), ("Down", TERMINATING)):
        operator.put_lifecycle_hook(**group, LifecycleHookName=name, LifecycleTransition=transition)
    operator.detach_instances(**group, InstanceIds=stage.alive()[:1], ShouldDecrementDesiredCapacity=False)
    operator.put_warm_pool(**group, MinSize=0, MaxGroupPreparedCapacity=5)
    operator.update_auto_scaling_group(**group, DeletionProtection="prevent-all-deletion")
    operator.suspend_processes(**group, ScalingProcesses=["Terminate"])
    world.advance(60)
    assert len(stage.alive()) == 6
    return stage


def test_it_ends_an_annex_and_uses_every_permission(policies: Policies, monkeypatch: pytest.MonkeyPatch) -> None:
    world = ModelWorld()
    stage = obstructed(world)
    guard = Authorised(policies, lambda: world.aws.account)
    world.aws.faults = guard
    code = responder(world, monkeypatch)
    assert handed_over(stage, code, "Create") == "FAILED"
    assert handed_over(stage, code, "Delete") == "SUCCESS"
    assert stage.alive() == []
    assert stage.group()["DeletionProtection"] == "none"
    assert "WarmPoolConfiguration" not in stage.group()
    assert guard.denied == []
    assert granted(policies) - guard.used == BY_LAMBDA


def test_without_its_permissions_it_does_not_say_that_it_is_done(
    policies: Policies, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = ModelWorld()
    stage = obstructed(world)
    less = [[one for one in policy if not one.sid.startswith("Terminate")] for policy in policies]
    world.aws.faults = Authorised(less, lambda: world.aws.account)
    assert handed_over(stage, responder(world, monkeypatch), "Delete") == "FAILED"
    assert stage.alive() != []


def test_it_touches_no_other_annex(policies: Policies) -> None:
    prefix = "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:0:autoScalingGroupName/"
    assert not ask(policies, Request("autoscaling:UpdateAutoScalingGroup", f"{prefix}{SITE.group}x")).allowed
    for tags in ({}, {"annex:name": "pa"}, {GROUP_TAG: f"{SITE.group}x"}, {"annex:id": f"x{SITE.annex_id}"}):
        assert not ask(policies, instance_request("ec2:TerminateInstances", "i-0", tags)).allowed


@pytest.mark.parametrize("stack", ["annex", "base"])
def test_the_scheduler_runs_one_function_and_nothing_else(stack: str, request: pytest.FixtureRequest) -> None:
    """EventBridge Scheduler itself uses this role ("Execution role", EventBridge Scheduler User Guide)."""
    deployed: Deployed = request.getfixturevalue(stack)
    policies = deployed.role("SchedulerRole")
    assert {action for _, action in granted(policies)} == {"lambda:InvokeFunction", "sqs:SendMessage"}
    (schedule,) = deployed.of_type("AWS::Scheduler::Schedule")
    target = deployed.value(deployed.resources[schedule]["Properties"]["Target"])
    allowed = {one.actions[0]: one.resources for policy in policies for one in policy}
    assert allowed["lambda:InvokeFunction"] == [target["Arn"]]
    assert allowed["sqs:SendMessage"] == [target["DeadLetterConfig"]["Arn"]]
    (role,) = deployed.of_type("AWS::IAM::Role", "SchedulerRole")
    (trust,) = deployed.resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert set(trust["Condition"]["StringEquals"]) == {"aws:SourceAccount", "aws:SourceArn"}
