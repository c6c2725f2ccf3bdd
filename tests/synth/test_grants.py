"""Grants for operators: of an annex in the stack, in another stack of the app, and of another app."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from annex_constructs import Annex, ExecutionPoint, IAnnex, LeaseTerms
from tests.synth.templates import Resources, of_type, only

ACCOUNT, ANY = {"Ref": "AWS::AccountId"}, "*"
FIND = ["autoscaling:DescribeAutoScalingGroups", "ec2:DescribeRegions", "sts:GetCallerIdentity", "tag:GetResources"]
SEE = ["ec2:DescribeInstances", "autoscaling:DescribeLifecycleHooks"]
IMAGE = ["ec2:DescribeImages", "ec2:DescribeInstanceTypeOfferings", "ec2:DescribeLaunchTemplateVersions"]
FLEET = ["ec2:DescribeLaunchTemplateVersions", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"]
CHECK, DESCRIBE = "lambda:InvokeFunction", "secretsmanager:DescribeSecret"
SETTINGS = "lambda:GetFunctionConfiguration"
LAUNCHES = "autoscaling:DescribeScalingActivities"
GROUP = [
    "autoscaling:CompleteLifecycleAction",
    "autoscaling:DeleteWarmPool",
    "autoscaling:ResumeProcesses",
    "autoscaling:SetInstanceProtection",
    "autoscaling:SuspendProcesses",
]
ATTRIBUTES = {
    "annex_name": "muon",
    "annex_id": "8e1f4ad0.muon",
    "auto_scaling_group_name": "Annex-muon-Group",
    "credential_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:muon-AbCdEf",
    "checker_name": "Annex-muon-Checker",
}


@pytest.fixture
def stack(flags: dict[str, Any]) -> Stack:
    # Without the flag that merges statements: what is compared is what was granted.
    context = {**flags, "@aws-cdk/aws-iam:minimizePolicies": False}
    return Stack(App(context=context), "Other", env=Environment(region="us-east-1"))


@pytest.fixture
def annex(stack: Stack, point: ExecutionPoint) -> Annex:
    types, lease = [ec2.InstanceType("c6a.large")], LeaseTerms(duration=Duration.hours(8))
    return Annex(stack, "Muon", execution_point=point, instance_types=types, max_size=3, lease=lease)


@pytest.fixture
def imported(stack: Stack) -> IAnnex:
    return Annex.from_annex_attributes(stack, "Muon", **ATTRIBUTES)


def operator(scope: Stack) -> iam.Role:
    return iam.Role(scope, "Operator", assumed_by=iam.AccountRootPrincipal())


def allow(action: str | list[str], resource: object, **condition: Any) -> dict[str, Any]:
    conditions = {"Condition": condition["condition"]} if condition else {}
    return {"Effect": "Allow", "Action": action, "Resource": resource, **conditions}


def granted(scope: Stack) -> list[dict[str, Any]]:
    policies = of_type(dict(Template.from_stack(scope).to_json()["Resources"]), "AWS::IAM::Policy")
    (policy,) = (each["Properties"] for name, each in policies.items() if name.startswith("Operator"))
    return list(policy["PolicyDocument"]["Statement"])


def arn(service: str, rest: str) -> dict[str, Any]:
    return {"Fn::Join": ["", [f"arn:aws:{service}:us-east-1:", ACCOUNT, f":{rest}"]]}


def tags_only(*keys: str) -> dict[str, Any]:
    return {"ForAllValues:StringEquals": {"aws:TagKeys": list(keys)}, "Null": {"aws:TagKeys": "false"}}


NAME = ATTRIBUTES["auto_scaling_group_name"]
GROUP_ARN = arn("autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{NAME}")
INSTANCES, SECRET = arn("ec2", "instance/*"), ATTRIBUTES["credential_arn"]
CHECKER = arn("lambda", f"function:{ATTRIBUTES['checker_name']}")
TERMINATE, CONSOLE = (
    [
        allow(action, INSTANCES, condition={"StringEquals": {f"ec2:ResourceTag/{key}": value}})
        for key, value in (("aws:autoscaling:groupName", NAME), ("annex:id", "8e1f4ad0.muon"))
    ]
    for action in ("ec2:TerminateInstances", "ec2:GetConsoleOutput")
)
EXTEND_TAGS = allow(
    "autoscaling:CreateOrUpdateTags",
    GROUP_ARN,
    condition=tags_only("annex:lease-overrides", "annex:lease-renewed", "annex:lease-until"),
)
EMPTY = allow(
    "autoscaling:UpdateAutoScalingGroup",
    GROUP_ARN,
    condition={
        "Null": {"autoscaling:MaxSize": "true", "autoscaling:LaunchConfigurationName": "true"},
        "NumericEqualsIfExists": {"autoscaling:MinSize": "0"},
    },
)
STATEMENTS = {
    "grant_read_status": [
        *(allow(FIND, ANY), allow(SEE[0], ANY), *CONSOLE, allow(LAUNCHES, ANY), allow(FLEET, ANY)),
        *(allow(SETTINGS, CHECKER), allow(DESCRIBE, SECRET)),
    ],
    "grant_push_credential": [
        allow(FIND, ANY),
        allow(SETTINGS, CHECKER),
        allow(IMAGE, ANY),
        allow(DESCRIBE, SECRET),
        allow("secretsmanager:PutSecretValue", SECRET),
        allow(CHECK, CHECKER),
    ],
    "grant_extend": [allow(FIND, ANY), allow(DESCRIBE, SECRET), EXTEND_TAGS, allow(CHECK, CHECKER)],
    "grant_stop": [
        allow(FIND, ANY),
        allow(SEE[0], ANY),
        allow(SEE[1], ANY),
        allow(
            "autoscaling:CreateOrUpdateTags",
            GROUP_ARN,
            condition=tags_only("annex:lease-overrides", "annex:lease-until"),
        ),
        allow(GROUP, GROUP_ARN),
        EMPTY,
        *TERMINATE,
        allow(CHECK, CHECKER),
    ],
}


@pytest.mark.parametrize("verb", STATEMENTS)
def test_a_narrow_grant_whole(stack: Stack, imported: IAnnex, verb: str) -> None:
    getattr(imported, verb)(operator(stack)).assert_success()
    assert granted(stack) == STATEMENTS[verb]


def test_operators_get_every_verb_whole(stack: Stack, imported: IAnnex) -> None:
    imported.grant_operate(operator(stack)).assert_success()
    *acting, listing = granted(stack)
    assert acting == [
        allow(FIND, ANY),
        allow(SEE[0], ANY),
        allow(LAUNCHES, ANY),
        allow(FLEET, ANY),
        allow(SEE[1], ANY),
        allow(IMAGE, ANY),
        allow(SETTINGS, CHECKER),
        *CONSOLE,
        allow(DESCRIBE, SECRET),
        allow("secretsmanager:PutSecretValue", SECRET),
        EXTEND_TAGS,
        allow(GROUP, GROUP_ARN),
        EMPTY,
        *TERMINATE,
        allow(CHECK, CHECKER),
    ]
    assert listing["Resource"] == ANY
    looks = ("Describe", "Get", "List")
    assert all(action.split(":")[1].startswith(looks) for action in listing["Action"])


def test_an_annex_of_the_stack_is_named_by_references(stack: Stack, annex: Annex) -> None:
    annex.grant_stop(operator(stack))
    statements = granted(stack)
    group = stack.resolve(annex.fleet.auto_scaling_group.auto_scaling_group_name)
    parts = ["arn:aws:autoscaling:us-east-1:", ACCOUNT, ":autoScalingGroup:*:autoScalingGroupName/", group]
    assert [each["Resource"] for each in statements if each["Action"] == GROUP] == [{"Fn::Join": ["", parts]}]
    assert statements[-1]["Resource"] == stack.resolve(annex.checker.function.function_arn)
    by_tag = [each["Condition"]["StringEquals"] for each in statements if each["Action"] == "ec2:TerminateInstances"]
    uuid = {"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}
    assert by_tag == [
        {"ec2:ResourceTag/aws:autoscaling:groupName": group},
        {"ec2:ResourceTag/annex:id": {"Fn::Join": [".", [uuid, "muon"]]}},
    ]


def test_another_stack_of_the_app_imports_the_id(stack: Stack, annex: Annex) -> None:
    """`AWS::StackId` written into another stack would be that stack's own: the id of another annex."""
    other = Stack(Stack.of(stack).node.root, "Operators", env=Environment(region="us-east-1"))  # type: ignore[arg-type]
    annex.grant_stop(operator(other))
    cloudwatch.Alarm(other, "Alarm", metric=annex.metric_record_ignored(), threshold=1, evaluation_periods=1)
    outputs = Template.from_stack(stack).to_json()["Outputs"]
    (name,) = (name for name, each in outputs.items() if each["Value"] == {"Ref": "AWS::StackId"})
    stack_id = {"Fn::GetStackOutput": {"StackName": "Other", "Region": "us-east-1", "OutputName": name}}
    identity = {"Fn::Join": [".", [{"Fn::Select": [2, {"Fn::Split": ["/", stack_id]}]}, "muon"]]}
    conditions = [each.get("Condition", {}).get("StringEquals", {}) for each in granted(other)]
    assert {"ec2:ResourceTag/annex:id": identity} in conditions
    resources: Resources = dict(Template.from_stack(other).to_json()["Resources"])
    assert only(resources, "AWS::CloudWatch::Alarm")["Dimensions"] == [{"Name": "Annex", "Value": identity}]


def test_an_annex_of_another_app_has_the_attributes_it_was_given(stack: Stack, imported: IAnnex) -> None:
    assert imported.annex_name == "muon"
    assert imported.annex_id == ATTRIBUTES["annex_id"]
    assert imported.auto_scaling_group_name == NAME
    assert imported.credential_arn == SECRET
    assert stack.resolve(imported.checker_arn) == CHECKER
    with pytest.raises(ValueError, match="Annex annex_name: received 'Muon'"):
        Annex.from_annex_attributes(stack, "Second", **{**ATTRIBUTES, "annex_name": "Muon"})


def test_the_role_of_an_annex_can_be_given(stack: Stack, point: ExecutionPoint) -> None:
    role = iam.Role(stack, "Points", assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))
    types, lease = [ec2.InstanceType("c6a.large")], LeaseTerms(duration=Duration.hours(8))
    annex = Annex(stack, "Muon", execution_point=point, instance_types=types, max_size=3, lease=lease, role=role)
    assert annex.grant_principal is role
    resources: Resources = dict(Template.from_stack(stack).to_json()["Resources"])
    (policy,) = of_type(resources, "AWS::IAM::Policy").values()
    assert policy["Properties"]["Roles"] == [{"Ref": stack.resolve(role.role_name)["Ref"]}]
    actions = {each["Action"] for each in policy["Properties"]["PolicyDocument"]["Statement"]}
    assert {"secretsmanager:GetSecretValue", "autoscaling:TerminateInstanceInAutoScalingGroup"} <= actions
