"""Order in which resources are made, and so removed."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from annex_constructs import AnnexFleet, ExecutionPoint
from tests.synth.templates import OWN_NETWORK, Resources, named, of_type, template_of


def references(value: Any) -> set[str]:
    """Logical ids that a value refers to."""
    if isinstance(value, dict):
        found = {value["Ref"]} if isinstance(value.get("Ref"), str) else set()
        if isinstance(value.get("Fn::GetAtt"), list):
            found.add(value["Fn::GetAtt"][0])
        return found.union(*(references(each) for each in value.values()))
    if isinstance(value, list):
        return set().union(*(references(each) for each in value))
    return set()


def needs(resources: Resources) -> dict[str, set[str]]:
    direct = {
        name: (references(each["Properties"]) | set(each.get("DependsOn", []))) & set(resources)
        for name, each in resources.items()
    }
    return {name: closure(name, direct) for name in resources}


def closure(name: str, direct: dict[str, set[str]]) -> set[str]:
    reached: set[str] = set()
    ahead = set(direct[name])
    while ahead:
        each = ahead.pop()
        if each not in reached:
            reached.add(each)
            ahead |= direct[each]
    return reached


def test_the_lease_is_made_last_and_removed_first(resources: Resources) -> None:
    needed = needs(resources)
    (lease,) = of_type(resources, "Custom::AnnexLease")
    # Everything: the schedule and every permission before the first grant, the way out before the first instance. But
    # for the alarm that nothing is checked: it would go off while there is nothing yet that checks.
    alarm = named(resources, "AWS::CloudWatch::Alarm", "Unenforced")
    assert needed[lease] == set(resources) - {lease, alarm}
    assert [name for name, others in needed.items() if lease in others] == [alarm]


def test_the_first_check_finds_everything_it_needs(resources: Resources) -> None:
    (schedule,) = of_type(resources, "AWS::Scheduler::Schedule")
    (lease,) = of_type(resources, "Custom::AnnexLease")
    reporting = {"AWS::CloudWatch::Alarm", "AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::SNS::Subscription"}
    missing = set(resources) - needs(resources)[schedule] - {schedule, lease}
    assert {resources[name]["Type"] for name in missing} <= reporting


def test_no_instance_can_start_before_its_lease_is_enforced(resources: Resources) -> None:
    # The group is born empty, and the two that can grant it more are made after it, and after each other.
    (group,) = of_type(resources, "AWS::AutoScaling::AutoScalingGroup").values()
    assert (group["Properties"]["MinSize"], group["Properties"].get("DesiredCapacity")) == ("0", None)
    (schedule,) = of_type(resources, "AWS::Scheduler::Schedule")
    (lease,) = of_type(resources, "Custom::AnnexLease")
    needed = needs(resources)
    assert schedule in needed[lease]
    for each in (named(resources, "AWS::Lambda::Function", "LeaseCheckerFunction"), "LeaseCheckerFunctionRole"):
        assert [name for name in needed[schedule] if each in name]


def test_there_is_no_circle(resources: Resources) -> None:
    assert not [name for name, others in needs(resources).items() if name in others]


def test_the_group_waits_for_what_its_instances_may_do(resources: Resources) -> None:
    needed = needs(resources)
    (group,) = of_type(resources, "AWS::AutoScaling::AutoScalingGroup")
    (role,) = (name for name in of_type(resources, "AWS::IAM::Role") if "FleetRole" in name)
    assert role in needed[group]
    function = named(resources, "AWS::Lambda::Function", "LeaseCheckerFunction")
    assert group in needed[function]
    assert function not in needed[group]


WAYS_OUT = frozenset(
    {
        "AWS::EC2::VPCGatewayAttachment",
        "AWS::EC2::InternetGateway",
        "AWS::EC2::EgressOnlyInternetGateway",
        "AWS::EC2::RouteTable",
        "AWS::EC2::Route",
        "AWS::EC2::SubnetRouteTableAssociation",
        "AWS::EC2::Subnet",
        "AWS::EC2::VPCCidrBlock",
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
    }
)


def after_the_group(resources: Resources) -> list[str]:
    """Parts of the network that a group does not wait for, so that they may be removed while it has instances."""
    needed = needs(resources)
    network = {name for name, each in resources.items() if each["Type"] in WAYS_OUT}
    groups = of_type(resources, "AWS::AutoScaling::AutoScalingGroup")
    return sorted({name for group in groups for name in network - needed[group]})


@pytest.mark.parametrize("ipv6", [False, True])
def test_a_group_is_removed_before_its_network(flags: dict[str, Any], ipv6: bool) -> None:
    """EC2 refuses to detach a gateway while an instance has a public address ("has some mapped public address(es)")."""
    resources = template_of(flags, {**OWN_NETWORK, "ipv6": ipv6})["Resources"]
    kinds = {each["Type"] for each in resources.values()}
    assert {"AWS::EC2::VPCGatewayAttachment", "AWS::EC2::Route", "AWS::EC2::SubnetRouteTableAssociation"} <= kinds
    assert after_the_group(resources) == []


def test_a_group_is_removed_before_a_network_of_its_app(app: App, point: ExecutionPoint) -> None:
    stack = Stack(app, "Own")
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2, nat_gateways=1)
    types = [ec2.InstanceType("c6a.large")]
    AnnexFleet(stack, "Muon", vpc=vpc, instance_types=types, max_size=2, execution_point=point)
    resources = dict(Template.from_stack(stack).to_json()["Resources"])
    assert of_type(resources, "AWS::EC2::NatGateway")
    assert after_the_group(resources) == []


def test_a_network_without_a_dependency_is_found(own_network: Resources) -> None:
    (group,) = of_type(own_network, "AWS::AutoScaling::AutoScalingGroup")
    assert after_the_group({**own_network, group: {**own_network[group], "DependsOn": []}}) != []
