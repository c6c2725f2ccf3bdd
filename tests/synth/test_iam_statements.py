"""IAM statements of every role of an annex, compared whole."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from annex_constructs import AnnexFleet, LeaseChecker, LeaseTerms
from tests.synth.templates import OWN_NETWORK, Resources, named, of_type, only, reads_its_archive, template_of

ACCOUNT = {"Ref": "AWS::AccountId"}


@pytest.fixture(scope="module")
def refs(own_network: Resources) -> dict[str, Any]:
    group = {"Ref": named(own_network, "AWS::AutoScaling::AutoScalingGroup", "Group")}
    log = named(own_network, "AWS::Logs::LogGroup", "LeaseCheckerFunctionLog")
    function = named(own_network, "AWS::Lambda::Function", "LeaseCheckerFunction")
    responder = named(own_network, "AWS::Lambda::Function", "Responder")
    queue = named(own_network, "AWS::SQS::Queue", "FailedRuns")
    parts = ["arn:aws:autoscaling:us-east-1:", ACCOUNT, ":autoScalingGroup:*:autoScalingGroupName/", group]
    return {
        "group": group,
        "group_arn": {"Fn::Join": ["", parts]},
        "instances": {"Fn::Join": ["", ["arn:aws:ec2:us-east-1:", ACCOUNT, ":instance/*"]]},
        "secret": {"Ref": named(own_network, "AWS::SecretsManager::Secret", "Credential")},
        "log": {"Fn::GetAtt": [log, "Arn"]},
        "id": {"Fn::Select": [2, {"Fn::Split": ["/", {"Fn::Sub": "${AWS::StackId}.demo"}]}]},
        "responder": {"Fn::GetAtt": [responder, "Arn"]},
        "topic": {"Ref": named(own_network, "AWS::SNS::Topic", "AlarmTopic")},
        "queue": {"Fn::GetAtt": [queue, "Arn"]},
        "function": {"Fn::GetAtt": [function, "Arn"]},
        "schedules": {"Fn::Join": ["", ["arn:aws:scheduler:us-east-1:", ACCOUNT, ":schedule-group/default"]]},
    }


def role(own_network: Resources, part: str) -> dict[str, Any]:
    properties = dict(own_network[named(own_network, "AWS::IAM::Role", part)]["Properties"])
    return {key: value for key, value in properties.items() if key not in {"Description", "Tags"}}


def policy(name: str, *statements: dict[str, Any]) -> dict[str, Any]:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"PolicyName": name, "PolicyDocument": document}


def trust(service: str, **condition: Any) -> dict[str, Any]:
    statement = {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": service}, **condition}
    return {"Version": "2012-10-17", "Statement": [statement]}


def allow(sid: str, action: str | list[str], resource: object, **condition: Any) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource, **condition}


def tags_only(*keys: str) -> dict[str, Any]:
    return {"ForAllValues:StringEquals": {"aws:TagKeys": list(keys)}, "Null": {"aws:TagKeys": "false"}}


def actions(role: dict[str, Any]) -> list[object]:
    policies = role["Properties"].get("Policies", [])
    return [statement["Action"] for each in policies for statement in each["PolicyDocument"]["Statement"]]


def test_an_execution_point_reads_its_credential_and_leaves_its_group(own_network: Resources, refs: Any) -> None:
    secret = allow("OwnCredential", "secretsmanager:GetSecretValue", refs["secret"])
    assert role(own_network, "FleetRole") == {"AssumeRolePolicyDocument": trust("ec2.amazonaws.com")}
    ((name, attached),) = of_type(own_network, "AWS::IAM::Policy").items()
    leave = allow("LeaveOwnGroup", "autoscaling:TerminateInstanceInAutoScalingGroup", refs["group_arn"])
    of_fleet = {"Roles": [{"Ref": named(own_network, "AWS::IAM::Role", "FleetRole")}]}
    assert attached["Properties"] == {**policy(name, secret, leave, reads_its_archive(own_network)), **of_fleet}


LOOK = [
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeLifecycleHooks",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeScheduledActions",
    "ec2:DescribeInstances",
]
END = [
    "autoscaling:CompleteLifecycleAction",
    "autoscaling:DeleteWarmPool",
    "autoscaling:ResumeProcesses",
    "autoscaling:SetInstanceProtection",
    "autoscaling:SuspendProcesses",
    "autoscaling:UpdateAutoScalingGroup",
]
WRITTEN = (
    "annex:closed",
    "annex:granted",
    "annex:lease-busy-until",
    "annex:lease-end",
    "annex:lease-notified",
    "annex:lease-overrides",
    "annex:lease-reported",
    "annex:lease-scheduled",
    "annex:lease-warned",
    "annex:used",
)


def test_the_lease_checker_touches_its_own_annex_only(own_network: Resources, refs: Any) -> None:
    own = {"ec2:ResourceTag/aws:autoscaling:groupName": refs["group"]}
    assert role(own_network, "LeaseCheckerFunctionRole") == {
        "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
        "Policies": [
            policy(
                "Run",
                allow("Look", LOOK, "*"),
                allow("CredentialIsThere", "secretsmanager:DescribeSecret", refs["secret"]),
                allow("OwnGroup", END, refs["group_arn"]),
                allow("Record", "autoscaling:CreateOrUpdateTags", refs["group_arn"], Condition=tags_only(*WRITTEN)),
                allow(
                    "ScheduleEnd",
                    "autoscaling:PutScheduledUpdateGroupAction",
                    refs["group_arn"],
                    Condition={"NumericEqualsIfExists": {"autoscaling:MinSize": "0", "autoscaling:MaxSize": "0"}},
                ),
                allow(
                    "TerminateOwnInstances",
                    "ec2:TerminateInstances",
                    refs["instances"],
                    Condition={"StringEquals": own},
                ),
                allow(
                    "TerminateDetachedInstances",
                    "ec2:TerminateInstances",
                    refs["instances"],
                    Condition={"StringEquals": {"ec2:ResourceTag/annex:id": refs["id"]}},
                ),
                allow(
                    "NotifyOwnInstances",
                    "ec2:CreateTags",
                    refs["instances"],
                    Condition={"StringEquals": own, **tags_only("annex:lease-end")},
                ),
                allow("Publish", "sns:Publish", refs["topic"]),
                allow("FailedRuns", "sqs:SendMessage", refs["queue"]),
                allow("OnFailure", "lambda:InvokeFunction", refs["responder"]),
                allow("OwnLog", ["logs:CreateLogStream", "logs:PutLogEvents"], refs["log"]),
            )
        ],
    }


def test_the_scheduler_runs_one_function_for_this_account(own_network: Resources, refs: Any) -> None:
    condition = {"StringEquals": {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": refs["schedules"]}}
    assert role(own_network, "SchedulerRole") == {
        "AssumeRolePolicyDocument": trust("scheduler.amazonaws.com", Condition=condition),
        "Policies": [
            policy(
                "Run",
                allow("Invoke", "lambda:InvokeFunction", refs["function"]),
                allow("FailedDeliveries", "sqs:SendMessage", refs["queue"]),
            )
        ],
    }


def test_instances_protect_themselves_only_if_the_lease_is_renewed_for_them(flags: Any) -> None:
    resources = template_of(flags, {**OWN_NETWORK, "renew_while_busy": "1h"})["Resources"]
    _, leave, protect, _ = only(resources, "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert leave["Sid"] == "LeaveOwnGroup"
    assert protect == allow("ProtectWhileBusy", "autoscaling:SetInstanceProtection", leave["Resource"])


def test_no_other_account_and_no_unencrypted_call_reaches_the_queue(own_network: Resources, refs: Any) -> None:
    (policy,) = of_type(own_network, "AWS::SQS::QueuePolicy").values()
    assert policy["Properties"]["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "sqs:*",
            "Resource": refs["queue"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ]


def test_there_is_no_other_identity_and_no_managed_policy(resources: Any) -> None:
    kinds = {each["Type"] for each in resources.values() if each["Type"].startswith("AWS::IAM::")}
    assert kinds == {"AWS::IAM::InstanceProfile", "AWS::IAM::Policy", "AWS::IAM::Role"}
    owners = ("FleetRole", "LeaseCheckerFunctionRole", "SchedulerRole", "ResponderRole")
    assert {named(resources, "AWS::IAM::Role", owner) for owner in owners} == set(of_type(resources, "AWS::IAM::Role"))
    assert len(of_type(resources, "AWS::IAM::Policy")) == 1
    assert not [each for each in resources.values() if "ManagedPolicyArns" in each["Properties"]]
    assert not of_type(resources, "AWS::Lambda::Permission")


def test_a_checker_publishes_to_its_own_topic_and_no_other(stack: Stack, fleet: AnnexFleet) -> None:
    sns.Topic(stack, "Another")
    checker = LeaseChecker(stack, "Lease", fleet=fleet, lease=LeaseTerms(duration=Duration.hours(8)))
    resources = Template.from_stack(stack).to_json()["Resources"]
    role = resources[named(resources, "AWS::IAM::Role", "LeaseFunctionRole")]
    statements = role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    own = stack.resolve(checker.alarm_topic.topic_arn)
    assert [each["Resource"] for each in statements if "sns:" in str(each["Action"])] == [own]


def test_a_grant_to_the_fleet_is_a_policy_of_its_role(stack: Stack, fleet: AnnexFleet) -> None:
    sqs.Queue(stack, "Queue").grant_send_messages(fleet)
    resources = Template.from_stack(stack).to_json()["Resources"]
    (added,) = (
        p for p in of_type(resources, "AWS::IAM::Policy").values() if "InstancePolicy" not in str(p["Properties"])
    )
    assert added["Properties"]["Roles"] == [{"Ref": named(resources, "AWS::IAM::Role", "Role")}]


def test_the_permissions_do_not_depend_on_the_feature_flags_of_the_app(own_network: Resources) -> None:
    without = template_of({}, OWN_NETWORK)["Resources"]
    for name, resource in of_type(own_network, "AWS::IAM::Role").items():
        assert actions(without[name]) == actions(resource)
