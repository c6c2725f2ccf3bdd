"""Network of an annex, and user data of its instances."""

from __future__ import annotations

from typing import Any

import pytest

from tests.synth.templates import GIVEN_NETWORK, OWN_NETWORK, TOPIC, Resources, checker, of_type, only, template_of


def template_data(resources: Resources) -> dict[str, Any]:
    return dict(only(resources, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"])


def test_user_data_holds_references_and_no_secret(own_network: Resources) -> None:
    parts = template_data(own_network)["UserData"]["Fn::Base64"]["Fn::Join"][1]
    secret = next(iter(of_type(own_network, "AWS::SecretsManager::Secret")))
    bucket = {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-us-east-1"}
    assert [part for part in parts if not isinstance(part, str)] == [{"Ref": secret}, bucket]
    assert "ANNEX_COLLECTOR=cm.example.edu:9618\n" in parts[-1]


@pytest.mark.parametrize(("keys", "seconds"), [({}, 120), ({"drain_before_end": "30s"}, 30)])
def test_user_data_holds_the_drain_of_the_spec(flags: dict[str, Any], keys: dict[str, str], seconds: int) -> None:
    parts = template_data(template_of(flags, {**OWN_NETWORK, **keys})["Resources"])["UserData"]["Fn::Base64"]
    assert f" ANNEX_DRAIN_BEFORE_END={seconds}\n" in parts["Fn::Join"][1][-1]


def test_the_own_network_has_a_way_out_and_costs_nothing_idle(own_network: Resources) -> None:
    assert len(of_type(own_network, "AWS::EC2::Subnet")) == 2
    assert not of_type(own_network, "AWS::EC2::NatGateway")
    assert not of_type(own_network, "AWS::EC2::EIP")
    assert all(s["Properties"]["MapPublicIpOnLaunch"] for s in of_type(own_network, "AWS::EC2::Subnet").values())


def test_a_given_network_is_used_as_it_is(flags: dict[str, Any]) -> None:
    resources = template_of(flags, GIVEN_NETWORK)["Resources"]
    assert not [each for each in resources.values() if each["Type"] in {"AWS::EC2::VPC", "AWS::EC2::Subnet"}]
    group = only(resources, "AWS::AutoScaling::AutoScalingGroup")
    assert group["VPCZoneIdentifier"] == list(GIVEN_NETWORK["subnets"])
    assert only(resources, "AWS::EC2::SecurityGroup")["VpcId"] == GIVEN_NETWORK["vpc"]


def test_a_given_topic_is_used_as_it_is(flags: dict[str, Any]) -> None:
    resources = template_of(flags, GIVEN_NETWORK)["Resources"]
    assert not [each for each in resources.values() if each["Type"].startswith("AWS::SNS::")]
    assert checker(resources)["Environment"]["Variables"]["ANNEX_TOPIC"] == TOPIC
    actions = [each["Properties"]["AlarmActions"] for each in of_type(resources, "AWS::CloudWatch::Alarm").values()]
    assert actions == [[TOPIC]]


@pytest.mark.parametrize(("keys", "flag"), [({}, 0), ({"renew_while_busy": "1h"}, 1)])
def test_user_data_says_whether_to_protect_while_busy(flags: dict[str, Any], keys: dict[str, str], flag: int) -> None:
    parts = template_data(template_of(flags, {**OWN_NETWORK, **keys})["Resources"])["UserData"]["Fn::Base64"]
    assert f" ANNEX_PROTECT_BUSY={flag}\n" in parts["Fn::Join"][1][-1]
