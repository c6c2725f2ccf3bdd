"""The examples, as their readers would run them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.synth.templates import EXAMPLES, ROOT, Resources, example_template, of_type, only


def test_there_are_three() -> None:
    assert [example.name for example in EXAMPLES] == ["existing_vpc", "minimal", "operators"]
    assert all((example / "cdk.json").is_file() for example in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_an_annex_that_starts_nothing_by_itself(example: Path) -> None:
    resources: Resources = example_template(example)["Resources"]
    group = only(resources, "AWS::AutoScaling::AutoScalingGroup")
    assert group["MinSize"] == "0"
    assert "DesiredCapacity" not in group
    assert len(of_type(resources, "Custom::AnnexLease")) == 1


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_has_the_settings_of_the_project_app(example: Path) -> None:
    """The CDK reads no other file than that of the app's directory: a copy of an example takes its flags along."""
    settings = json.loads((ROOT / "cdk.json").read_text())
    settings.pop("watch")  # directories of this checkout
    assert json.loads((example / "cdk.json").read_text()) == settings, "copy them from cdk.json of the project"


def test_four_lines_are_enough() -> None:
    lines = (ROOT / "examples/minimal/app.py").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("point ="))
    assert lines[start + 3].startswith("Annex(")
    assert lines[start + 4] == "app.synth()"


def test_the_bucket_is_readable_by_the_fleet_and_its_lease_is_its_own() -> None:
    resources: Resources = example_template(ROOT / "examples/existing_vpc")["Resources"]
    policies = [each["Properties"] for each in of_type(resources, "AWS::IAM::Policy").values()]
    actions = [s["Action"] for each in policies for s in each["PolicyDocument"]["Statement"]]
    assert ["s3:GetObject*", "s3:GetBucket*", "s3:List*"] in actions
    tags = {tag["Key"]: tag["Value"] for tag in only(resources, "AWS::AutoScaling::AutoScalingGroup")["Tags"]}
    assert tags["annex:lease-ends-at"] == "2030-06-01T08:00:00Z"
    assert (tags["annex:lease-renew"], tags["annex:max-instance-hours"]) == ("7200", "10000")
    assert [each["Properties"]["Protocol"] for each in of_type(resources, "AWS::SNS::Subscription").values()] == [
        "email"
    ]
    assert not of_type(resources, "AWS::EC2::VPC")


def test_the_commands_and_tags_of_the_example_reach_its_instances() -> None:
    resources: Resources = example_template(ROOT / "examples/existing_vpc")["Resources"]
    data = only(resources, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    for line in ("sysctl -w vm.max_map_count=262144", "logger 'cloud-init has finished'"):
        assert {"Fn::Base64": f"#!/bin/bash\n{line}"} in data["UserData"]["Fn::Base64"]["Fn::Join"][1]
    for each in data["TagSpecifications"]:
        assert {"Key": "cost-centre", "Value": "4711"} in each["Tags"], each["ResourceType"]


def test_operators_may_do_more_than_the_central_manager() -> None:
    resources: Resources = example_template(ROOT / "examples/operators")["Resources"]
    allowed = {
        role["Ref"]: {
            action for s in each["Properties"]["PolicyDocument"]["Statement"] for action in listed(s["Action"])
        }
        for each in of_type(resources, "AWS::IAM::Policy").values()
        for role in each["Properties"]["Roles"]
    }
    (operators,) = (actions for role, actions in allowed.items() if role.startswith("Operators"))
    (central_manager,) = (actions for role, actions in allowed.items() if role.startswith("CentralManager"))
    assert "secretsmanager:PutSecretValue" in central_manager
    assert "autoscaling:UpdateAutoScalingGroup" not in central_manager
    assert {"secretsmanager:PutSecretValue", "autoscaling:UpdateAutoScalingGroup"} <= operators


def test_the_alarm_of_the_app_is_raised_by_an_ignored_tag() -> None:
    resources: Resources = example_template(ROOT / "examples/operators")["Resources"]
    (own,) = (each for name, each in of_type(resources, "AWS::CloudWatch::Alarm").items() if name.startswith("Invalid"))
    alarm = own["Properties"]
    assert (alarm["MetricName"], alarm["Threshold"]) == ("LeaseRecordIgnored", 1)
    assert alarm["ComparisonOperator"] == "GreaterThanOrEqualToThreshold"


def listed(action: str | list[str]) -> list[str]:
    return [action] if isinstance(action, str) else action
