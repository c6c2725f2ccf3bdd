"""Who may do what: every role of an annex, compared whole."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from annex_constructs import AnnexFleet
from tests.synth.templates import OWN_NETWORK, Resources, of_type, template_of

ACCOUNT = {"Ref": "AWS::AccountId"}


def named(resources: dict[str, Any], kind: str, part: str) -> str:
    (name,) = (each for each in of_type(resources, kind) if part in each)
    return name


@pytest.fixture(scope="module")
def refs(own_network: Resources) -> dict[str, Any]:
    group = {"Ref": named(own_network, "AWS::AutoScaling::AutoScalingGroup", "Group")}
    log = named(own_network, "AWS::Logs::LogGroup", "Log")
    function = named(own_network, "AWS::Lambda::Function", "Function")
    parts = ["arn:aws:autoscaling:us-east-1:", ACCOUNT, ":autoScalingGroup:*:autoScalingGroupName/", group]
    return {
        "group": group,
        "group_arn": {"Fn::Join": ["", parts]},
        "instances": {"Fn::Join": ["", ["arn:aws:ec2:us-east-1:", ACCOUNT, ":instance/*"]]},
        "secret": {"Ref": named(own_network, "AWS::SecretsManager::Secret", "Credential")},
        "log": {"Fn::GetAtt": [log, "Arn"]},
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


def actions(role: dict[str, Any]) -> list[object]:
    policies = role["Properties"]["Policies"]
    return [statement["Action"] for each in policies for statement in each["PolicyDocument"]["Statement"]]


def test_an_execution_point_reads_its_credential_and_leaves_its_group(own_network: Resources, refs: Any) -> None:
    secret = allow("OwnCredential", "secretsmanager:GetSecretValue", refs["secret"])
    assert role(own_network, "FleetRole") == {
        "AssumeRolePolicyDocument": trust("ec2.amazonaws.com"),
        "Policies": [policy("Credential", secret)],
    }
    ((name, attached),) = of_type(own_network, "AWS::IAM::Policy").items()
    leave = allow("LeaveOwnGroup", "autoscaling:TerminateInstanceInAutoScalingGroup", refs["group_arn"])
    of_fleet = {"Roles": [{"Ref": named(own_network, "AWS::IAM::Role", "FleetRole")}]}
    assert attached["Properties"] == {**policy(name, leave), **of_fleet}


def test_the_lease_checker_touches_its_own_annex_only(own_network: Resources, refs: Any) -> None:
    own = {"ec2:ResourceTag/aws:autoscaling:groupName": refs["group"]}
    told = {"ForAllValues:StringEquals": {"aws:TagKeys": ["annex:lease-end"]}}
    look = [
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeLifecycleHooks",
        "ec2:DescribeInstances",
    ]
    act = [
        "autoscaling:CompleteLifecycleAction",
        "autoscaling:CreateOrUpdateTags",
        "autoscaling:SetInstanceProtection",
        "autoscaling:SuspendProcesses",
        "autoscaling:UpdateAutoScalingGroup",
    ]
    assert role(own_network, "LeaseCheckerRole") == {
        "AssumeRolePolicyDocument": trust("lambda.amazonaws.com"),
        "Policies": [
            policy(
                "Check",
                allow("Look", look, "*"),
                allow("OwnGroup", act, refs["group_arn"]),
                allow(
                    "TerminateOwnInstances",
                    "ec2:TerminateInstances",
                    refs["instances"],
                    Condition={"StringEquals": own},
                ),
                allow(
                    "TellOwnInstances",
                    "ec2:CreateTags",
                    refs["instances"],
                    Condition={"StringEquals": own, **told},
                ),
                allow("CredentialIsThere", "secretsmanager:DescribeSecret", refs["secret"]),
                allow("OwnLog", ["logs:CreateLogStream", "logs:PutLogEvents"], refs["log"]),
            )
        ],
    }


def test_the_scheduler_runs_one_function_for_this_account(own_network: Resources, refs: Any) -> None:
    condition = {"StringEquals": {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": refs["schedules"]}}
    assert role(own_network, "SchedulerRole") == {
        "AssumeRolePolicyDocument": trust("scheduler.amazonaws.com", Condition=condition),
        "Policies": [policy("Check", allow("Check", "lambda:InvokeFunction", refs["function"]))],
    }


def test_there_is_no_other_identity_and_no_managed_policy(resources: Any) -> None:
    kinds = sorted(each["Type"] for each in resources.values() if each["Type"].startswith("AWS::IAM::"))
    assert kinds == ["AWS::IAM::InstanceProfile", "AWS::IAM::Policy", *["AWS::IAM::Role"] * 3]
    assert not [each for each in resources.values() if "ManagedPolicyArns" in each["Properties"]]
    assert not of_type(resources, "AWS::Lambda::Permission")


def test_a_grant_to_the_fleet_is_a_policy_of_its_role(stack: Stack, fleet: AnnexFleet) -> None:
    sqs.Queue(stack, "Queue").grant_send_messages(fleet)
    resources = Template.from_stack(stack).to_json()["Resources"]
    (added,) = (p for p in of_type(resources, "AWS::IAM::Policy").values() if "Retirement" not in str(p["Properties"]))
    assert added["Properties"]["Roles"] == [{"Ref": named(resources, "AWS::IAM::Role", "Role")}]


def test_the_permissions_do_not_depend_on_the_feature_flags_of_the_app(own_network: Resources) -> None:
    without = template_of({}, OWN_NETWORK)["Resources"]
    for name, resource in of_type(own_network, "AWS::IAM::Role").items():
        assert actions(without[name]) == actions(resource)
