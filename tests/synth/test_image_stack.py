"""The stack of an image: recipe, pipeline, first image and the instances that build."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.synth.image_template import (
    BUILDER,
    SMALLEST,
    TOPIC,
    US_KEY,
    image_template,
    recipe,
)
from tests.synth.templates import Resources, named, of_type, only


def arn_of(resources: Resources, kind: str) -> dict[str, Any]:
    (name,) = of_type(resources, f"{BUILDER}{kind}")
    return {"Fn::GetAtt": [name, "Arn"]}


def components(resources: Resources) -> list[str]:
    """Last part of the name of each component, in the order of the recipe."""
    names = [each["ComponentArn"]["Fn::GetAtt"][0] for each in recipe(resources)["Components"]]
    return [resources[name]["Properties"]["Name"].removeprefix("annex-base-") for name in names]


def test_the_recipe(smallest: Resources, everything: Resources) -> None:
    found = recipe(smallest)
    assert components(smallest) == ["files-1", "htcondor", "end"]
    assert components(everything) == ["files-1", "htcondor", "pelican", "docker", "script", "end"]
    assert found["ParentImage"] == "ssm:/aws/service/debian/release/13/latest/amd64"
    assert found["Name"] == "annex-base"
    volume = {"Encrypted": True, "VolumeSize": 20, "VolumeType": "gp3", "DeleteOnTermination": True}
    assert found["BlockDeviceMappings"] == [{"DeviceName": "/dev/xvda", "Ebs": volume}]
    agent = found["AdditionalInstanceConfiguration"]
    assert agent["SystemsManagerAgent"] == {"UninstallAfterBuild": False}
    found = recipe(everything)
    assert found["ParentImage"] == "ssm:/my/parent"
    volume |= {"VolumeSize": 30, "KmsKeyId": US_KEY}
    assert found["BlockDeviceMappings"] == [{"DeviceName": "/dev/sda1", "Ebs": volume}]
    # Image Builder knows how to bring its agent to a system that it supports; of this parent nothing is known.
    assert "AdditionalInstanceConfiguration" not in found


@pytest.mark.parametrize(
    ("parent", "types", "expected"),
    [
        ("ubuntu-24.04", ("c7g.large",), "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/"),
        ("ubuntu-24.04", ("c6a.large",), "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/"),
        ("amazon-linux-2023", ("c6a.large",), "/aws/service/ami-amazon-linux-latest/"),
    ],
)
def test_a_parent_with_a_public_parameter(flags: Any, parent: str, types: tuple[str, ...], expected: str) -> None:
    found = recipe(image_template(flags, {**SMALLEST, "parent": parent, "instance_types": types})["Resources"])
    assert found["ParentImage"].startswith(f"ssm:{expected}")
    assert "AdditionalInstanceConfiguration" not in found


@pytest.mark.parametrize(
    ("parent", "expected"),
    [
        ("ami-0123456789abcdef0", "ami-0123456789abcdef0"),
        ("ssm:/my/parent:3", "{{resolve:ssm:/my/parent:3}}"),
        ("ssm:name", "ssm:name"),
        (
            "ssm:arn:aws:ssm:us-east-1:210987654321:parameter/parent",
            "ssm:arn:aws:ssm:us-east-1:210987654321:parameter/parent",
        ),
    ],
)
def test_a_parent_of_ones_own(flags: Any, parent: str, expected: str) -> None:
    assert recipe(image_template(flags, {**SMALLEST, "parent": parent})["Resources"])["ParentImage"] == expected


def test_a_parent_that_is_looked_up(flags: Any) -> None:
    spec = {**SMALLEST, "account": "123456789012", "parent": "rocky-9", "instance_types": ("c7g.large",)}
    key = (
        "ami:account=123456789012:filters.architecture.0=arm64:filters.image-type.0=machine:"
        "filters.name.0=Rocky-9-EC2-Base-9.*:filters.root-device-type.0=ebs:filters.state.0=available:"
        "filters.virtualization-type.0=hvm:owners.0=792107900819:region=us-east-1"
    )
    found = recipe(image_template({**flags, key: "ami-0123456789abcdef1"}, spec)["Resources"])
    assert found["ParentImage"] == "ami-0123456789abcdef1"
    script = json.dumps(found["AdditionalInstanceConfiguration"]["UserDataOverride"])
    assert "/latest/linux_arm64/amazon-ssm-agent.rpm" in script
    with pytest.raises(ValueError, match="account and Region are known"):
        image_template(flags, {**spec, "account": None})


def test_the_user_data_that_brings_the_agent(smallest: Resources) -> None:
    (function, argument), *more = recipe(smallest)["AdditionalInstanceConfiguration"]["UserDataOverride"].items()
    assert (function, more) == ("Fn::Base64", [])
    separator, parts = argument["Fn::Join"]
    values = {"AWS::Region": "us-east-1", "AWS::URLSuffix": "amazonaws.com"}
    script = separator.join(part if isinstance(part, str) else values[part["Ref"]] for part in parts)
    assert script.startswith("#!/bin/sh\ntouch /tmp/perform_cleanup\n")
    url = "https://s3.us-east-1.amazonaws.com/amazon-ssm-us-east-1/latest/debian_amd64/amazon-ssm-agent.deb"
    assert f"{url} /tmp/amazon-ssm-agent.deb" in script
    assert "dpkg -i /tmp/amazon-ssm-agent.deb\n" in script


def test_the_pipeline(smallest: Resources, everything: Resources) -> None:
    log = {"Ref": named(smallest, "AWS::Logs::LogGroup", "Log")}
    version = recipe(smallest)["Version"]
    assert only(smallest, f"{BUILDER}ImagePipeline") == {
        "Name": "annex-base",
        "Description": "Builds image base of HTCondor annexes",
        "ImageRecipeArn": arn_of(smallest, "ImageRecipe"),
        "InfrastructureConfigurationArn": arn_of(smallest, "InfrastructureConfiguration"),
        "DistributionConfigurationArn": arn_of(smallest, "DistributionConfiguration"),
        "ExecutionRole": {"Fn::GetAtt": [named(smallest, "AWS::IAM::Role", "BuilderRole"), "Arn"]},
        "EnhancedImageMetadataEnabled": False,
        "ImageTestsConfiguration": {"ImageTestsEnabled": True, "TimeoutMinutes": 60},
        "LoggingConfiguration": {"ImageLogGroupName": log, "PipelineLogGroupName": log},
        "Schedule": {
            "ScheduleExpression": "cron(0 4 1 * ? *)",
            "PipelineExecutionStartCondition": "EXPRESSION_MATCH_AND_DEPENDENCY_UPDATES_AVAILABLE",
        },
        "Status": "ENABLED",
        "ImageTags": {"annex:image": "base", "annex:recipe": version},
        "Tags": {"annex:image": "base"},
    }
    found = only(everything, f"{BUILDER}ImagePipeline")
    assert found["Schedule"] == {
        "ScheduleExpression": "cron(0 4 ? * sun *)",
        "PipelineExecutionStartCondition": "EXPRESSION_MATCH_ONLY",
    }
    assert found["ImageTags"] == {
        "annex:image": "base",
        "annex:recipe": recipe(everything)["Version"],
        "team": "physics",
    }


def test_no_schedule(flags: Any) -> None:
    resources = image_template(flags, {**SMALLEST, "schedule": "never"})["Resources"]
    assert "Schedule" not in only(resources, f"{BUILDER}ImagePipeline")


def test_the_first_image_is_built_by_the_deployment_and_stays(smallest: Resources) -> None:
    ((_, image),) = of_type(smallest, f"{BUILDER}Image").items()
    (pipeline,) = of_type(smallest, f"{BUILDER}ImagePipeline")
    assert image == {
        "Type": f"{BUILDER}Image",
        "Properties": {
            "ImagePipelineExecutionSettings": {
                "DeploymentId": {"Fn::GetAtt": [pipeline, "DeploymentId"]},
                "OnUpdate": True,
            },
            "Tags": {"annex:image": "base", "annex:recipe": recipe(smallest)["Version"]},
        },
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
    }
    kept = {each["Type"] for each in smallest.values() if each.get("DeletionPolicy") == "Retain"}
    assert kept == {f"{BUILDER}Image"}


def test_the_instances_that_build(smallest: Resources, everything: Resources) -> None:
    profile = {"Ref": next(iter(of_type(smallest, "AWS::IAM::InstanceProfile")))}
    expected: dict[str, Any] = {
        "Name": "annex-base",
        "Description": "Instances that build image base of HTCondor annexes",
        "InstanceProfileName": profile,
        "InstanceTypes": ["c6a.large", "c6i.large"],
        "InstanceMetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        "TerminateInstanceOnFailure": True,
        "ResourceTags": {"annex:image": "base"},
        "Tags": {"annex:image": "base"},
    }
    assert only(smallest, f"{BUILDER}InfrastructureConfiguration") == expected
    team = {"annex:image": "base", "team": "physics"}
    assert only(everything, f"{BUILDER}InfrastructureConfiguration") == {
        **expected,
        "InstanceTypes": ["c7g.large"],
        "SubnetId": "subnet-0123456789abcdef0",
        "SecurityGroupIds": ["sg-0123456789abcdef0"],
        "SnsTopicArn": TOPIC,
        "ResourceTags": team,
        "Tags": team,
    }
