"""The roles of an image: every statement in full."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.synth.image_template import EVERYTHING, SMALLEST, image_template, with_scripts
from tests.synth.templates import Resources, named, of_type

ACCOUNT = {"Ref": "AWS::AccountId"}
CREATED = {"aws:ResourceTag/CreatedBy": "EC2 Image Builder"}


@pytest.fixture(scope="module")
def resources(flags: dict[str, Any]) -> Resources:
    return dict(image_template(flags, SMALLEST)["Resources"])


def arn(service: str, rest: str, region: str = "us-east-1") -> dict[str, Any]:
    return {"Fn::Join": ["", [f"arn:aws:{service}:{region}:", ACCOUNT, f":{rest}"]]}


def role(resources: Resources, part: str) -> dict[str, Any]:
    return dict(resources[named(resources, "AWS::IAM::Role", part)]["Properties"])


def statements(properties: dict[str, Any]) -> list[dict[str, Any]]:
    (policy,) = properties["Policies"]
    return list(policy["PolicyDocument"]["Statement"])


def trusted(properties: dict[str, Any]) -> dict[str, Any]:
    (statement,) = properties["AssumeRolePolicyDocument"]["Statement"]
    return dict(statement)


def test_there_are_three_roles_and_no_other_policy(resources: Resources) -> None:
    assert len(of_type(resources, "AWS::IAM::Role")) == 3
    assert not of_type(resources, "AWS::IAM::Policy")
    assert not of_type(resources, "AWS::IAM::ManagedPolicy")


@pytest.mark.parametrize(
    ("part", "service"),
    [
        ("InstanceRole", "ec2.amazonaws.com"),
        ("BuilderRole", "imagebuilder.amazonaws.com"),
        ("RemovalRole", "imagebuilder.amazonaws.com"),
    ],
)
def test_one_service_may_assume_a_role(resources: Resources, part: str, service: str) -> None:
    expected = {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": service}}
    assert trusted(role(resources, part)) == expected


def test_the_instances_that_build(resources: Resources) -> None:
    found = role(resources, "InstanceRole")
    assert "ManagedPolicyArns" not in found
    assert statements(found) == [
        {
            "Sid": "OwnComponents",
            "Effect": "Allow",
            "Action": "imagebuilder:GetComponent",
            "Resource": arn("imagebuilder", "component/annex-base-*"),
        },
        {
            "Sid": "BuildAgent",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::ec2imagebuilder*",
        },
        {
            "Sid": "SystemsManagerAgent",
            "Effect": "Allow",
            "Action": [
                "ec2messages:AcknowledgeMessage",
                "ec2messages:DeleteMessage",
                "ec2messages:FailMessage",
                "ec2messages:GetEndpoint",
                "ec2messages:GetMessages",
                "ec2messages:SendReply",
                "ssm:DescribeAssociation",
                "ssm:DescribeDocument",
                "ssm:GetDocument",
                "ssm:GetManifest",
                "ssm:ListAssociations",
                "ssm:ListInstanceAssociations",
                "ssm:UpdateAssociationStatus",
                "ssm:UpdateInstanceAssociationStatus",
                "ssm:UpdateInstanceInformation",
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ],
            "Resource": "*",
        },
        {
            "Sid": "OwnLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": arn("logs", "log-group:/aws/imagebuilder/annex-base:*"),
        },
    ]


def test_image_builder(resources: Resources) -> None:
    found = role(resources, "BuilderRole")
    managed = ["arn:", {"Ref": "AWS::Partition"}, ":iam::aws:policy/service-role/EC2ImageBuilderExecutionPolicy"]
    assert found["ManagedPolicyArns"] == [{"Fn::Join": ["", managed]}]
    own = {"Fn::GetAtt": [named(resources, "AWS::IAM::Role", "InstanceRole"), "Arn"]}
    assert statements(found) == [
        {"Sid": "OnlyOwnInstances", "Effect": "Deny", "Action": "iam:PassRole", "NotResource": own},
        {
            "Sid": "NewestImage",
            "Effect": "Allow",
            "Action": ["ssm:GetParameter", "ssm:PutParameter"],
            "Resource": arn("ssm", "parameter/annex/image/base"),
        },
    ]


def test_image_builder_writes_a_parameter_in_each_region_and_reads_the_parents(
    flags: dict[str, Any], tmp_path: Path
) -> None:
    spec = {**EVERYTHING, "account": None}
    resources = image_template(flags, spec, with_scripts(tmp_path))["Resources"]
    _, newest, parent = statements(role(resources, "BuilderRole"))
    copy = arn("ssm", "parameter/annex/image/base", "eu-west-1")
    assert newest["Resource"] == [copy, arn("ssm", "parameter/annex/image/base")]
    assert parent == {
        "Sid": "Parent",
        "Effect": "Allow",
        "Action": "ssm:GetParameter",
        "Resource": arn("ssm", "parameter/my/parent"),
    }


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        ("ssm:name", arn("ssm", "parameter/name")),
        ("ssm:arn:aws:ssm:us-east-1:210987654321:parameter/p", "arn:aws:ssm:us-east-1:210987654321:parameter/p"),
        ("ssm:/aws/service/debian/release/13/latest/amd64", None),
        ("ssm:/my/parent:3", None),
        ("ami-0123456789abcdef0", None),
    ],
)
def test_the_right_to_read_the_parents_parameter(flags: dict[str, Any], parent: str, expected: object) -> None:
    resources = image_template(flags, {**SMALLEST, "parent": parent})["Resources"]
    found = [each["Resource"] for each in statements(role(resources, "BuilderRole")) if each["Sid"] == "Parent"]
    assert found == ([] if expected is None else [expected])


def test_the_removal_of_old_images(resources: Resources) -> None:
    found = role(resources, "RemovalRole")
    assert "ManagedPolicyArns" not in found
    assert statements(found) == [
        {
            "Sid": "OldImages",
            "Effect": "Allow",
            "Action": ["ec2:DeregisterImage", "ec2:DescribeImageAttribute"],
            "Resource": "arn:aws:ec2:*::image/*",
            "Condition": {"StringEquals": {**CREATED, "aws:ResourceTag/annex:image": "base"}},
        },
        {
            "Sid": "OldSnapshots",
            "Effect": "Allow",
            "Action": "ec2:DeleteSnapshot",
            "Resource": "arn:aws:ec2:*::snapshot/*",
            "Condition": {"StringEquals": CREATED},
        },
        {
            "Sid": "OldRecords",
            "Effect": "Allow",
            "Action": "imagebuilder:DeleteImage",
            "Resource": arn("imagebuilder", "image/annex-base/*"),
        },
        {
            "Sid": "Find",
            "Effect": "Allow",
            "Action": ["ec2:DescribeImages", "tag:GetResources"],
            "Resource": "*",
        },
    ]
