"""IAM statements of the base stack, compared whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.synth.base_template import base_template
from tests.synth.templates import Resources, of_type, only

ACCOUNT = {"Ref": "AWS::AccountId"}
OURS = {"aws:ResourceTag/annex:name": "false"}
IS_OURS = {"Null": OURS}
ID = {"aws:ResourceTag/annex:id": "false"}
HAS_ID = {"Null": ID}
HAS_BOTH = {"Null": {**OURS, **ID}}
MARK = {
    "Null": {**ID, "aws:TagKeys": "false"},
    "ForAllValues:StringEquals": {"aws:TagKeys": ["annex:orphan"]},
}


@pytest.fixture(scope="module")
def base(flags: dict[str, Any]) -> Resources:
    return dict(base_template(flags, alarm_email="admin@example.edu")["Resources"])


def arn(service: str, rest: str) -> dict[str, Any]:
    return {"Fn::Join": ["", [f"arn:aws:{service}:us-east-1:", ACCOUNT, f":{rest}"]]}


def allow(sid: str, actions: list[str], *resources: object, **condition: Any) -> dict[str, Any]:
    found = {"Condition": condition["condition"]} if condition else {}
    one = list(resources) if len(resources) > 1 else resources[0]
    return {"Sid": sid, "Effect": "Allow", "Action": actions[0] if len(actions) == 1 else actions, "Resource": one,
            **found}  # fmt: skip


def named(resources: Resources, kind: str, part: str) -> str:
    (name,) = (each for each in of_type(resources, kind) if part in each)
    return name


def ending() -> list[dict[str, Any]]:
    """Statements that end an annex, and mark one whose lease cannot be read."""
    groups = arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/*")
    actions = [
        "autoscaling:CompleteLifecycleAction",
        "autoscaling:DeleteWarmPool",
        "autoscaling:ResumeProcesses",
        "autoscaling:SetInstanceProtection",
        "autoscaling:SuspendProcesses",
        "autoscaling:UpdateAutoScalingGroup",
    ]
    marking = ["autoscaling:CreateOrUpdateTags", "autoscaling:DeleteTags"]
    return [
        allow("EndAnnexes", actions, groups, condition=IS_OURS),
        allow("MarkGroups", marking, groups, condition=MARK),
    ]


def removing() -> list[dict[str, Any]]:
    """Statements that mark orphans and remove them."""
    instances, volumes = arn("ec2", "instance/*"), arn("ec2", "volume/*")
    interfaces, secrets = arn("ec2", "network-interface/*"), arn("secretsmanager", "secret:*")
    logs, tagging = arn("logs", "log-group:*"), ["ec2:CreateTags", "ec2:DeleteTags"]
    restorable = {**HAS_BOTH, "BoolIfExists": {"secretsmanager:ForceDeleteWithoutRecovery": "false"}}
    marking = ["secretsmanager:TagResource", "secretsmanager:UntagResource"]
    return [
        allow("TerminateInstances", ["ec2:TerminateInstances"], instances, condition=HAS_ID),
        allow("DeleteVolumes", ["ec2:DeleteVolume"], volumes, condition=HAS_BOTH),
        allow("DeleteInterfaces", ["ec2:DeleteNetworkInterface"], interfaces, condition=HAS_BOTH),
        allow("MarkOfEc2", tagging, instances, interfaces, volumes, condition=MARK),
        allow("DeleteSecrets", ["secretsmanager:DeleteSecret"], secrets, condition=restorable),
        allow("MarkSecrets", marking, secrets, condition=MARK),
        allow("DeleteLogGroups", ["logs:DeleteLogGroup"], logs, condition=HAS_BOTH),
        allow("MarkLogGroups", ["logs:TagResource", "logs:UntagResource"], logs, condition=MARK),
    ]


def test_the_sweeper_acts_on_what_carries_the_tags_of_an_annex_only(base: Resources) -> None:
    log = {"Fn::GetAtt": [named(base, "AWS::Logs::LogGroup", "Log"), "Arn"]}
    queue = {"Fn::GetAtt": [named(base, "AWS::SQS::Queue", "FailedRuns"), "Arn"]}
    looking = [
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeLifecycleHooks",
        "cloudformation:DescribeStacks",
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeVolumes",
        "logs:DescribeLogGroups",
        "secretsmanager:ListSecrets",
        "tag:GetResources",
    ]
    role = base[named(base, "AWS::IAM::Role", "BaseSweeperRole")]["Properties"]
    (policy,) = role["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        allow("Look", looking, "*"),
        *ending(),
        *removing(),
        allow("FailedRuns", ["sqs:SendMessage"], queue),
        allow("OwnLog", ["logs:CreateLogStream", "logs:PutLogEvents"], log),
    ]
    assert not {"ManagedPolicyArns"} & set(role)
    assert not of_type(base, "AWS::IAM::Policy")
    assert not of_type(base, "AWS::Lambda::Permission")


def test_the_scheduler_runs_the_sweeper_and_nothing_else(base: Resources) -> None:
    function = {"Fn::GetAtt": [named(base, "AWS::Lambda::Function", "Sweeper"), "Arn"]}
    queue = {"Fn::GetAtt": [named(base, "AWS::SQS::Queue", "FailedRuns"), "Arn"]}
    role = base[named(base, "AWS::IAM::Role", "SchedulerRole")]["Properties"]
    (policy,) = role["Policies"]
    assert policy["PolicyDocument"]["Statement"] == [
        allow("Invoke", ["lambda:InvokeFunction"], function),
        allow("FailedDeliveries", ["sqs:SendMessage"], queue),
    ]
    assert role["Description"] == "Runs the sweeper of HTCondor annexes"
    schedule = only(base, "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "rate(15 minutes)"
    assert schedule["State"] == "ENABLED"
    assert schedule["Target"]["Arn"] == function
    assert json.loads(schedule["Target"]["Input"]) == {"sweep": "scheduled"}
    assert schedule["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 0
