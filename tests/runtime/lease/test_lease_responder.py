"""Actions and answers of the lease checker's responder, for every state of the annex."""

from __future__ import annotations

import json
import urllib.error
from collections.abc import Iterator
from typing import Any

import pytest

from tests.runtime.lease.answer_server import AnswerServer
from tests.runtime.lease.lease_cloud import fail, record
from tests.runtime.lease.responder_world import ENVIRONMENT, GROUP, NAME, OWN, Annex
from tests.runtime.moto_aws import aws_in_process


@pytest.fixture
def annex(monkeypatch: pytest.MonkeyPatch, answers: AnswerServer) -> Iterator[Annex]:
    with aws_in_process(monkeypatch, **ENVIRONMENT):
        yield Annex(answers)


def test_a_failed_creation_is_reported_at_once_and_its_rollback_has_nothing_to_delete(annex: Annex) -> None:
    annex.make(0)
    annex.hand_over("Create")
    assert annex.answers.answer == {
        "Status": "FAILED",
        "Reason": "the lease checker failed: broken on purpose",
        "PhysicalResourceId": f"no-{OWN}",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/Annex-pa/0b4f",
        "RequestId": "r",
        "LogicalResourceId": "Lease",
    }
    # What the address was signed for.
    assert annex.answers.content_types == [""]
    assert annex.waits == 0


def test_a_creation_that_granted_before_it_failed_is_emptied_by_its_rollback(annex: Annex) -> None:
    annex.make(2)
    annex.hand_over("Create")
    assert annex.answers.answer["Status"] == "FAILED"
    assert annex.answers.answer["PhysicalResourceId"] == OWN


def test_a_creation_that_cannot_be_looked_at_may_have_granted(annex: Annex) -> None:
    annex.make(0)
    fail(annex.code.scaling, "DescribeAutoScalingGroups", "AccessDenied")
    annex.hand_over("Create")
    assert annex.answers.answer["PhysicalResourceId"] == OWN


def test_an_event_that_no_function_ever_saw_is_answered_with_the_reason(annex: Annex) -> None:
    annex.make(0)
    context = {"condition": "EventAgeExceeded"}
    annex.hand_over("Create", requestContext=context, responseContext=None, responsePayload=None)
    assert annex.answers.answer["Reason"] == "the lease checker failed: EventAgeExceeded"


def test_a_failed_update_is_reported_and_touches_nothing(annex: Annex) -> None:
    ids = annex.make(2)
    annex.hand_over("Update", OWN)
    assert annex.answers.answer["Status"] == "FAILED"
    assert annex.answers.answer["PhysicalResourceId"] == OWN
    assert annex.running() == ids


@pytest.mark.parametrize("physical_id", [f"no-{OWN}", "lease-of-another"])
def test_the_deletion_of_something_else_touches_nothing(annex: Annex, physical_id: str) -> None:
    ids = annex.make(2)
    annex.hand_over("Delete", physical_id)
    assert annex.answers.answer["Status"] == "SUCCESS"
    assert annex.answers.answer["PhysicalResourceId"] == physical_id
    assert annex.running() == ids


@pytest.mark.parametrize("payload", [{"check": "scheduled"}, {}, None])
def test_a_scheduled_check_that_failed_is_none_of_its_business(annex: Annex, payload: Any) -> None:
    ids = annex.make(2)
    annex.hand_over("Delete", OWN, requestPayload=payload)
    assert annex.answers.bodies == []
    assert annex.running() == ids


def test_a_deletion_empties_the_group_within_the_limits_of_the_api(annex: Annex) -> None:
    ids = annex.make(120, protected=True)
    calls = record(annex.code.scaling, ["UpdateAutoScalingGroup", "SuspendProcesses", "ResumeProcesses"])
    cleared = record(annex.code.scaling, ["SetInstanceProtection"])
    terminated = record(annex.code.ec2, ["TerminateInstances"])
    annex.hand_over("Delete", OWN)
    assert annex.answers.answer["Status"] == "SUCCESS"
    assert annex.answers.answer["PhysicalResourceId"] == OWN
    assert annex.running() == []
    # First of all nothing can start any more.
    of, empty = {"AutoScalingGroupName": GROUP}, {"MinSize": 0, "DesiredCapacity": 0}
    assert calls[:3] == [
        ("UpdateAutoScalingGroup", {**of, **empty, "NewInstancesProtectedFromScaleIn": False}),
        ("SuspendProcesses", {**of, "ScalingProcesses": ["Launch"]}),
        ("ResumeProcesses", {**of, "ScalingProcesses": ["Terminate"]}),
    ]
    assert [len(each["InstanceIds"]) for _, each in cleared] == [50, 50, 20]
    assert [len(each["InstanceIds"]) for _, each in terminated] == [100, 20]
    assert {one for _, each in terminated for one in each["InstanceIds"]} == set(ids)


def test_one_id_cannot_save_the_others(annex: Annex) -> None:
    ids = annex.make(3)
    annex.ec2.modify_instance_attribute(InstanceId=ids[1], DisableApiTermination={"Value": True})

    def release() -> None:
        assert annex.running() == [ids[1]]
        annex.ec2.modify_instance_attribute(InstanceId=ids[1], DisableApiTermination={"Value": False})

    # Else moto would empty the group at once; AWS takes its time.
    fail(annex.code.scaling, "UpdateAutoScalingGroup", "ServiceUnavailable", times=1)
    annex.while_waiting = lambda: release() if annex.waits == 1 else None
    annex.hand_over("Delete", OWN)
    assert annex.answers.answer["Status"] == "SUCCESS"
    assert annex.running() == []


def test_a_throttled_batch_is_not_asked_for_one_by_one(annex: Annex) -> None:
    annex.make(5)
    fail(annex.code.scaling, "UpdateAutoScalingGroup", "ServiceUnavailable", times=1)
    calls = fail(annex.code.ec2, "TerminateInstances", "RequestLimitExceeded", times=1)
    annex.hand_over("Delete", OWN)
    assert annex.answers.answer["Status"] == "SUCCESS"
    assert len(calls) <= 2


def test_a_detached_instance_is_terminated_and_that_of_another_annex_stays(annex: Annex) -> None:
    annex.make(1)
    detached = annex.start(annex_name=NAME, annex_id="0b4f.pa")
    others = [annex.start(annex_name=NAME, annex_id="another.pa"), annex.start(annex_name="pa2", annex_id="0b4f.pa2")]
    annex.hand_over("Delete", OWN)
    assert annex.answers.answer["Status"] == "SUCCESS"
    assert detached not in annex.running()
    assert annex.running() == others


def test_success_takes_two_empty_looks(annex: Annex) -> None:
    annex.make(1)
    late: list[str] = []

    def appear() -> None:
        # EC2 shows an instance only after the first empty look.
        if annex.waits == 2:
            late.append(annex.start(annex_name=NAME, annex_id="0b4f.pa"))

    annex.while_waiting = appear
    annex.hand_over("Delete", OWN)
    assert annex.answers.answer["Status"] == "SUCCESS"
    assert late
    assert annex.running() == []


def test_a_group_that_is_gone_is_empty(annex: Annex) -> None:
    annex.hand_over("Delete", OWN)
    assert annex.answers.answer["Status"] == "SUCCESS"
    assert annex.waits == 1


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("scaling", "DescribeAutoScalingGroups"),
        ("ec2", "DescribeInstances"),
        ("scaling", "UpdateAutoScalingGroup"),
        ("scaling", "SuspendProcesses"),
        ("scaling", "ResumeProcesses"),
        ("scaling", "DescribeLifecycleHooks"),
    ],
)
def test_what_aws_refuses_until_the_end_is_answered_in_time(annex: Annex, service: str, operation: str) -> None:
    annex.make(1)
    fail(getattr(annex.code, service), operation, "AccessDenied")
    annex.hand_over("Delete", OWN)
    assert annex.answers.answer["Status"] == "FAILED"
    assert annex.answers.answer["PhysicalResourceId"] == OWN
    assert "delete the stack again" in str(annex.answers.answer["Reason"])
    assert operation in str(annex.answers.answer["Reason"])
    assert 30 < annex.seconds_left <= 60
    if operation == "DescribeLifecycleHooks":
        assert annex.running() == [], "no instance is alive because of it"


def test_an_instance_that_will_not_go_is_named(annex: Annex) -> None:
    (stubborn,) = annex.make(1)
    fail(annex.code.scaling, "UpdateAutoScalingGroup", "ServiceUnavailable", times=1)
    annex.ec2.modify_instance_attribute(InstanceId=stubborn, DisableApiTermination={"Value": True})
    annex.while_waiting = lambda: annex.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=GROUP, MinSize=1, DesiredCapacity=1
    )
    fail(annex.code.scaling, "UpdateAutoScalingGroup", "ServiceUnavailable")
    annex.hand_over("Delete", OWN)
    assert annex.answers.answer["Status"] == "FAILED"
    assert stubborn in str(annex.answers.answer["Reason"])


def test_a_pending_hook_is_finished(annex: Annex) -> None:
    (starting, ending) = annex.make(2)
    for name, transition in (("up", "LAUNCHING"), ("down", "TERMINATING")):
        annex.autoscaling.put_lifecycle_hook(
            AutoScalingGroupName=GROUP,
            LifecycleHookName=name,
            LifecycleTransition=f"autoscaling:EC2_INSTANCE_{transition}",
        )
    # moto knows no action for hooks and empties a group at once.
    finished: list[tuple[str, str, str]] = []
    scaling = annex.code.scaling

    class Waiting:
        def __getattr__(self, name: str) -> Any:
            return getattr(scaling, name)

        def complete_lifecycle_action(self, **given: str) -> None:
            finished.append((given["InstanceId"], given["LifecycleHookName"], given["LifecycleActionResult"]))

    annex.code.scaling = Waiting()
    group = annex.group()
    states = {starting: "Pending:Wait", ending: "Terminating:Wait"}
    for each in group["Instances"]:
        each["LifecycleState"] = states[each["InstanceId"]]
    assert annex.code.stop(group, []) == []
    assert finished == [(starting, "up", "ABANDON"), (ending, "down", "CONTINUE")]


@pytest.mark.parametrize("text", ["x" * 10_000, "ü" * 10_000, "\N{SKULL}" * 10_000, '"\\\n' * 3_000])
def test_an_answer_is_never_too_long(annex: Annex, text: str) -> None:
    annex.make(0)
    annex.hand_over("Create", responsePayload={"errorMessage": text})
    assert len(annex.answers.bodies[0]) <= 4096
    assert json.loads(annex.answers.bodies[0])["Status"] == "FAILED"


def test_an_answer_that_is_not_taken_is_an_error_that_lambda_tries_again(annex: Annex) -> None:
    annex.make(0)
    annex.answers.statuses = [503]
    with pytest.raises(urllib.error.HTTPError):
        annex.hand_over("Create")
    annex.hand_over("Create")
    assert len(annex.answers.bodies) == 2


def test_nothing_but_an_address_is_opened(annex: Annex) -> None:
    annex.make(0)
    request = {"RequestType": "Create", "ResponseURL": "file:///etc/passwd", "StackId": "s", "RequestId": "r"}
    with pytest.raises(ValueError, match="https://"):
        annex.hand_over("Create", requestPayload={**request, "LogicalResourceId": "l"})
