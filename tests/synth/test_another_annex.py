"""A live annex with another name or another VPC is another annex: the old one is ended whole, by its own checker."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Duration, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from annex_constructs import Annex, AnnexFleet, ExecutionPoint, LeaseAlarms, LeaseChecker, LeaseTerms
from tests.synth.templates import GIVEN_NETWORK, OWN_NETWORK, Resources, checker, named, of_type, only, template_of
from tests.synth.test_order import needs

LEASE = LeaseTerms(duration=Duration.hours(8))
TYPES = [ec2.InstanceType("c6a.large")]
# What has the old identity in its settings, its permissions or its record, and what its instances use.
WITH_IDENTITY = {
    "AWS::AutoScaling::AutoScalingGroup",
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::SecurityGroup",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::Scheduler::Schedule",
    "AWS::SecretsManager::Secret",
    "Custom::AnnexLease",
}
OTHER_VPC = {**GIVEN_NETWORK, "vpc": "vpc-0fedcba9876543210"}
OTHER_SUBNETS = {**GIVEN_NETWORK, "subnets": ("subnet-0fedcba9876543210",)}


def vpc_of(stack: Stack, vpc_id: str) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id=vpc_id,
        availability_zones=["us-east-1a"],
        private_subnet_ids=["subnet-0123456789abcdef0"],
        private_subnet_route_table_ids=["rtb-0123456789abcdef0"],
    )


def whole(flags: dict[str, Any], point: ExecutionPoint, name: str, vpc_id: str | None = None) -> Resources:
    stack = Stack(App(context=flags), "Other")
    vpc = vpc_of(stack, vpc_id) if vpc_id else None
    annex: dict[str, Any] = {
        "execution_point": point,
        "instance_types": TYPES,
        "max_size": 2,
        "lease": LEASE,
        "vpc": vpc,
    }
    Annex(stack, "Annex", annex_name=name, **annex)
    return dict(Template.from_stack(stack).to_json()["Resources"])


def in_parts(
    flags: dict[str, Any],
    point: ExecutionPoint,
    name: str,
    vpc_id: str | None = None,
    *,
    fleet_id: str = "Fleet",
    checker_id: str = "Lease",
) -> Resources:
    stack = Stack(App(context=flags), "Other")
    fleet = AnnexFleet(
        stack,
        fleet_id,
        annex_name=name,
        vpc=vpc_of(stack, vpc_id or "vpc-0123456789abcdef0"),
        instance_types=TYPES,
        max_size=2,
        execution_point=point,
    )
    LeaseAlarms(stack, "Alarms", checker=LeaseChecker(stack, checker_id, fleet=fleet, lease=LEASE))
    return dict(Template.from_stack(stack).to_json()["Resources"])


def kept(before: Resources, after: Resources) -> set[str]:
    """Types of what CloudFormation changes in place."""
    return {before[name]["Type"] for name in before.keys() & after.keys()}


@pytest.mark.parametrize("compose", [whole, in_parts])
def test_of_a_renamed_annex_nothing_with_the_old_name_stays(
    flags: dict[str, Any], point: ExecutionPoint, compose: Any
) -> None:
    before, after = compose(flags, point, "demo"), compose(flags, point, "muon")
    assert not kept(before, after) & WITH_IDENTITY
    assert {each["Type"] for each in before.values()} == {each["Type"] for each in after.values()}
    assert "demo" in str(before)
    assert "demo" not in str(after)


def test_the_old_checker_knows_the_old_identity_until_it_is_removed(
    flags: dict[str, Any], point: ExecutionPoint
) -> None:
    """CloudFormation removes what is gone from a template in the order of that template, after the new is made."""
    before, after = whole(flags, point, "demo"), whole(flags, point, "muon")
    settings = [checker(each)["Environment"]["Variables"] for each in (before, after)]
    assert [each["ANNEX_NAME"] for each in settings] == ["demo", "muon"]
    groups = [named(each, "AWS::AutoScaling::AutoScalingGroup", "") for each in (before, after)]
    assert [each["ANNEX_GROUP"] for each in settings] == [{"Ref": group} for group in groups]
    assert groups[0] != groups[1]
    (lease,) = of_type(before, "Custom::AnnexLease")
    removed_after_it = before.keys() - after.keys() - {lease}
    assert removed_after_it <= needs(before)[lease]


def test_the_network_of_a_renamed_annex_stays(flags: dict[str, Any], point: ExecutionPoint) -> None:
    before, after = whole(flags, point, "demo"), whole(flags, point, "muon")
    network = {name for name, each in before.items() if "AnnexNetwork" in name}
    assert len(network) > 8
    assert network <= after.keys()


@pytest.mark.parametrize(
    ("one", "other"), [(OWN_NETWORK, GIVEN_NETWORK), (GIVEN_NETWORK, OWN_NETWORK), (GIVEN_NETWORK, OTHER_VPC)]
)
def test_an_annex_in_another_vpc_is_another_annex(
    flags: dict[str, Any], one: dict[str, Any], other: dict[str, Any]
) -> None:
    """A VPC, its subnets and its security groups cannot be removed while instances are in them."""
    before, after = template_of(flags, one)["Resources"], template_of(flags, other)["Resources"]
    assert not kept(before, after) & WITH_IDENTITY
    (lease,) = of_type(before, "Custom::AnnexLease")
    alarm = named(before, "AWS::CloudWatch::Alarm", "Unenforced")
    assert before.keys() - after.keys() - {lease, alarm} <= needs(before)[lease]


def test_other_subnets_of_the_same_vpc_replace_nothing(flags: dict[str, Any]) -> None:
    before, after = template_of(flags, GIVEN_NETWORK)["Resources"], template_of(flags, OTHER_SUBNETS)["Resources"]
    assert before.keys() == after.keys()
    assert only(after, "AWS::AutoScaling::AutoScalingGroup")["VPCZoneIdentifier"] == list(OTHER_SUBNETS["subnets"])


def test_a_fleet_with_another_path_has_another_checker(flags: dict[str, Any], point: ExecutionPoint) -> None:
    """Otherwise the checker would be changed to the new fleet, before the old one is removed."""
    one = in_parts(flags, point, "demo")
    other = in_parts(flags, point, "demo", fleet_id="Moved")
    assert not kept(one, other) & WITH_IDENTITY


def test_a_checker_with_another_path_is_refused_by_cloudformation(flags: dict[str, Any], point: ExecutionPoint) -> None:
    """A custom resource takes no other service token, and the old checker must never empty the fleet of the new one."""
    one = in_parts(flags, point, "demo")
    other = in_parts(flags, point, "demo", checker_id="Moved")
    (lease,) = of_type(one, "Custom::AnnexLease")
    assert one[lease]["Properties"]["ServiceToken"] != other[lease]["Properties"]["ServiceToken"]
    group = named(one, "AWS::AutoScaling::AutoScalingGroup", "")
    assert group in other


@pytest.mark.parametrize("compose", [whole, in_parts])
def test_the_same_name_and_vpc_give_the_same_ids(flags: dict[str, Any], point: ExecutionPoint, compose: Any) -> None:
    vpc = "vpc-0123456789abcdef0"
    assert compose(flags, point, "demo", vpc) == compose(flags, point, "demo", vpc)


@pytest.mark.parametrize("names", [("demo", "demo2"), ("a", "b"), ("a-b", "ab")])
def test_no_two_names_share_ids(flags: dict[str, Any], point: ExecutionPoint, names: tuple[str, str]) -> None:
    one, other = (in_parts(flags, point, name) for name in names)
    assert not kept(one, other) & WITH_IDENTITY
