"""Nothing of an annex outlives it: a walk over every resource of every kind of annex and of every example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.synth.templates import EXAMPLES, SPECS, Resources, example_template, of_type, template_of

# What the examples' owners keep for themselves, beside the annex.
KEPT = {"AWS::S3::Bucket"}


@pytest.fixture(scope="module", params=[*SPECS, *EXAMPLES], ids=lambda each: getattr(each, "name", each))
def every(request: pytest.FixtureRequest, flags: dict[str, Any]) -> Resources:
    if isinstance(request.param, str):
        return dict(template_of(flags, SPECS[request.param])["Resources"])
    return dict(example_template(request.param)["Resources"])


def keys(value: Any) -> Iterator[str]:
    """Every key at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def test_no_resource_is_retained(every: Resources) -> None:
    for logical_id, each in every.items():
        if each["Type"] not in KEPT:
            assert each.get("DeletionPolicy", "Delete") == "Delete", logical_id
            assert each.get("UpdateReplacePolicy", "Delete") == "Delete", logical_id


def test_what_aws_would_keep_by_itself_is_set_to_be_deleted(every: Resources) -> None:
    """Log groups, queues and secrets: said in so many words, not left to a default of the CDK."""
    for kind in ("AWS::Logs::LogGroup", "AWS::SQS::Queue", "AWS::SecretsManager::Secret"):
        assert of_type(every, kind)
        for logical_id, each in of_type(every, kind).items():
            assert (each["DeletionPolicy"], each["UpdateReplacePolicy"]) == ("Delete", "Delete"), logical_id
    for logical_id, each in of_type(every, "AWS::Logs::LogGroup").items():
        assert 1 <= each["Properties"]["RetentionInDays"] <= 90, logical_id


def test_every_function_logs_into_a_group_of_the_stack(every: Resources) -> None:
    """Lambda makes a log group for a function without one, and no stack removes it."""
    for logical_id, each in of_type(every, "AWS::Lambda::Function").items():
        assert each["Properties"]["LoggingConfig"]["LogGroup"]["Ref"] in of_type(every, "AWS::Logs::LogGroup"), (
            logical_id
        )


def test_no_group_can_keep_an_instance(every: Resources) -> None:
    for logical_id, each in of_type(every, "AWS::AutoScaling::AutoScalingGroup").items():
        group = each["Properties"]
        assert group["MinSize"] == "0", logical_id
        assert group["NewInstancesProtectedFromScaleIn"] is False, logical_id
        keeping = {"DesiredCapacity", "DeletionProtection", "InstanceLifecyclePolicy", "LifecycleHookSpecificationList"}
        assert not keeping & set(group), logical_id
    others = {"AWS::AutoScaling::WarmPool", "AWS::AutoScaling::LifecycleHook", "AWS::AutoScaling::ScalingPolicy"}
    assert not [name for name, each in every.items() if each["Type"] in others]


def test_no_instance_leaves_a_volume_or_an_interface(every: Resources) -> None:
    for logical_id, each in of_type(every, "AWS::EC2::LaunchTemplate").items():
        data = each["Properties"]["LaunchTemplateData"]
        assert data["BlockDeviceMappings"], logical_id
        assert all(mapping["Ebs"]["DeleteOnTermination"] is True for mapping in data["BlockDeviceMappings"]), logical_id
        assert all(one["DeleteOnTermination"] is True for one in data.get("NetworkInterfaces", [])), logical_id
        assert data["InstanceInitiatedShutdownBehavior"] == "terminate", logical_id
        assert not {"DisableApiTermination", "DisableApiStop", "HibernationOptions"} & set(data), logical_id


def test_nothing_is_made_that_costs_and_cannot_be_deleted(every: Resources) -> None:
    costly = {
        "AWS::EC2::EIP",
        "AWS::EC2::Instance",
        "AWS::EC2::NatGateway",
        "AWS::EC2::NetworkInterface",
        "AWS::EC2::Snapshot",
        "AWS::EC2::VPCEndpoint",
        "AWS::EC2::Volume",
        "AWS::KMS::Key",
        "AWS::SSM::Parameter",
    }
    assert not [name for name, each in every.items() if each["Type"] in costly]
    assert not {"DeletionProtectionEnabled", "TerminationProtection"} & set(keys(every))


def test_no_annex_needs_another_stack(every: Resources) -> None:
    """Neither the base stack nor another annex can be in the way of an annex's update or end, nor it in theirs."""
    assert not {"Fn::ImportValue", "Fn::GetStackOutput"} & set(keys(every))
    assert not [name for name, each in every.items() if each["Type"] == "AWS::CloudFormation::Stack"]
