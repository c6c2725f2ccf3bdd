"""Responder of the lease checker in the template: permissions, order and timeouts."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest

import annex_constructs
from tests.synth.templates import Resources, of_type, only
from tests.synth.test_order import needs

CODE = Path(annex_constructs.__file__).parent / "lease" / "responder" / "index.py"


@pytest.fixture
def functions(resources: Resources) -> tuple[str, str]:
    """Logical ids of the lease checker and of its responder."""
    found = of_type(resources, "AWS::Lambda::Function")
    (responder,) = (name for name, each in found.items() if "ZipFile" in each["Properties"]["Code"])
    (checker,) = set(found) - {responder}
    return checker, responder


def role_of(resources: Resources, function: str) -> dict[str, Any]:
    return dict(resources[resources[function]["Properties"]["Role"]["Fn::GetAtt"][0]]["Properties"])


def statements(role: dict[str, Any]) -> list[dict[str, Any]]:
    (policy,) = role["Policies"]
    return list(policy["PolicyDocument"]["Statement"])


def called() -> set[str]:
    """The API calls in the code, as IAM names them."""
    services = {"scaling": "autoscaling", "ec2": "ec2"}
    operations = set()
    for node in ast.walk(ast.parse(CODE.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in services:
            operations.add((services[node.value.id], node.attr))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get_paginator":
            (name,) = node.args
            assert isinstance(node.func.value, ast.Name)
            assert isinstance(name, ast.Constant)
            operations.add((services[node.func.value.id], str(name.value)))
    return {
        f"{service}:{''.join(word.title() for word in name.split('_'))}"
        for service, name in operations
        if name != "get_paginator"
    }


def test_it_may_do_what_it_does_and_nothing_else(resources: Resources, functions: tuple[str, str]) -> None:
    allowed: set[str] = set()
    for statement in statements(role_of(resources, functions[1])):
        action = statement["Action"]
        allowed |= {action} if isinstance(action, str) else set(action)
    assert allowed == called() | {"logs:CreateLogStream", "logs:PutLogEvents"}
    assert "autoscaling:DescribeAutoScalingGroups" in called()


def test_it_may_do_it_to_its_own_annex_only(resources: Resources, functions: tuple[str, str]) -> None:
    found = {each["Sid"]: each for each in statements(role_of(resources, functions[1]))}
    ((group, _),) = of_type(resources, "AWS::AutoScaling::AutoScalingGroup").items()
    variables = resources[functions[1]]["Properties"]["Environment"]["Variables"]
    assert {name for name, each in found.items() if each["Resource"] == "*"} == {"Look"}
    assert {"Ref": group} in found["OwnGroup"]["Resource"]["Fn::Join"][1]
    tag = "ec2:ResourceTag"
    assert found["TerminateOwnInstances"]["Condition"] == {
        "StringEquals": {f"{tag}/aws:autoscaling:groupName": {"Ref": group}}
    }
    assert found["TerminateDetachedInstances"]["Condition"] == {
        "StringEquals": {f"{tag}/annex:id": variables["ANNEX_ID"]}
    }
    assert set(variables) == {"ANNEX_GROUP", "ANNEX_ID"}
    assert variables["ANNEX_GROUP"] == {"Ref": group}
    assert variables["ANNEX_ID"] == only(resources, "Custom::AnnexLease")["Declared"]["annex:id"]


def test_lambda_hands_it_what_the_checker_failed_at(resources: Resources, functions: tuple[str, str]) -> None:
    checker, responder = functions
    settings = only(resources, "AWS::Lambda::EventInvokeConfig")
    assert settings["FunctionName"] == {"Ref": checker}
    assert settings["MaximumRetryAttempts"] == 0
    assert settings["MaximumEventAgeInSeconds"] == 60
    arn = {"Fn::GetAtt": [responder, "Arn"]}
    assert settings["DestinationConfig"] == {"OnFailure": {"Destination": arn}}
    # Lambda delivers by the right of the checker's own role.
    granted = [each for each in statements(role_of(resources, checker)) if each["Resource"] == arn]
    assert [each["Action"] for each in granted] == ["lambda:InvokeFunction"]


def test_it_exists_whenever_cloudformation_asks(resources: Resources, functions: tuple[str, str]) -> None:
    needed = needs(resources)
    (lease,) = of_type(resources, "Custom::AnnexLease")
    (settings,) = of_type(resources, "AWS::Lambda::EventInvokeConfig")
    assert {*functions, settings} <= needed[lease]
    assert functions[0] not in needed[functions[1]]


def test_both_can_run_before_cloudformation_gives_up(resources: Resources, functions: tuple[str, str]) -> None:
    checker, responder = (resources[name]["Properties"]["Timeout"] for name in functions)
    waits = only(resources, "Custom::AnnexLease")["ServiceTimeout"]
    queued = only(resources, "AWS::Lambda::EventInvokeConfig")["MaximumEventAgeInSeconds"]
    # An event waits in the queue, and then runs until it times out.
    assert queued + checker + responder <= int(waits) - 2 * 60
    # No deployment hangs for long if neither of them answers.
    assert int(waits) <= 15 * 60


def test_its_code_stands_in_the_template(resources: Resources, functions: tuple[str, str]) -> None:
    function = resources[functions[1]]["Properties"]
    assert function["Code"]["ZipFile"] == CODE.read_text()
    assert function["Handler"] == "index.handler"
    # Inline code may have 4 MB (CloudFormation Template Reference, `AWS::Lambda::Function Code`, `ZipFile`; the CDK
    # dropped its check of 4,096 bytes with https://github.com/aws/aws-cdk/pull/20624). A template may have 1 MB, or
    # 51,200 bytes without a bucket: the code is a small part of it.
    assert len(CODE.read_bytes()) < 16_000


def test_it_is_not_taken_for_the_checker(resources: Resources, functions: tuple[str, str]) -> None:
    tags = [{tag["Key"]: tag["Value"] for tag in resources[name]["Properties"]["Tags"]} for name in functions]
    assert ["annex:responder" in each for each in tags] == [False, True]
    assert tags[0]["annex:name"] == tags[1]["annex:name"]
    assert tags[0]["annex:id"] == tags[1]["annex:id"]
