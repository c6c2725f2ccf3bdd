"""Collectors, IPv6 and images in every form that a spec can have them, as the template has them."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from annex_constructs import AnnexFleet, AnnexSecurityGroup, ExecutionPoint, Pool
from annex_spec import AnnexSpec, PoolSpec
from stacks import AnnexStack
from tests.synth.templates import GIVEN_NETWORK, OWN_NETWORK, Resources, of_type, only
from tests.unit.aws_names import instance_type_names

TWO = "cm1.example.edu, cm2.example.edu:9620"
PRINTED = "<10.0.0.1:9700?addrs=10.0.0.1-9700+[2001-db8--1]-9701&alias=cm.example.edu&noUDP&sock=collector>"
ANYWHERE = {"CidrIp": "0.0.0.0/0", "CidrIpv6": "::/0"}


def template_with(flags: dict[str, Any], pool: dict[str, str], **keys: Any) -> dict[str, Any]:
    whole = PoolSpec.model_validate({"collector": "cm.example.edu", "trust_domain": "example.edu", **pool})
    annex = AnnexSpec.model_validate({**OWN_NETWORK, **keys})
    return dict(Template.from_stack(AnnexStack(App(context=flags), pool=whole, annex=annex)).to_json())


def settings_of(resources: Resources) -> list[str]:
    text = only(resources, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["UserData"]["Fn::Base64"]["Fn::Join"][1]
    return [line.strip() for line in str(text[-1]).splitlines()]


def open_ports(group: dict[str, Any]) -> dict[str, set[int]]:
    """The TCP ports to all addresses of each kind; every rule is for all of one kind."""
    found: dict[str, set[int]] = {kind: set() for kind in ANYWHERE}
    for rule in group["SecurityGroupEgress"]:
        (kind,) = rule.keys() & ANYWHERE.keys()
        assert (rule[kind], rule["IpProtocol"]) == (ANYWHERE[kind], "tcp")
        assert rule["FromPort"] == rule["ToPort"]
        found[kind].add(rule["FromPort"])
    return found


@pytest.mark.parametrize(
    ("collector", "written", "ports"),
    [
        ("cm.example.edu", "cm.example.edu:9618", {9618}),
        (TWO, "cm1.example.edu:9618,cm2.example.edu:9620", {9618, 9620}),
        ("cm:9700?sock=collector", "cm:9700?sock=collector", {9618, 9700}),
        (PRINTED, PRINTED, {9618, 9700, 9701}),
        ("[2001:db8::1]:9619", "[2001:db8::1]:9619", {9618, 9619}),
    ],
)
def test_a_collector_reaches_the_instances_and_the_security_group(
    flags: dict[str, Any], collector: str, written: str, ports: set[int]
) -> None:
    resources = template_with(flags, {"collector": collector})["Resources"]
    assert f"ANNEX_COLLECTOR={written}" in settings_of(resources)
    assert open_ports(only(resources, "AWS::EC2::SecurityGroup")) == {kind: {80, 443, *ports} for kind in ANYWHERE}


@pytest.mark.parametrize("trust_domain", ["LOCAL_POOL", "cm.example.edu:9618"])
def test_a_trust_domain_reaches_the_instances_as_it_is(flags: dict[str, Any], trust_domain: str) -> None:
    assert f"ANNEX_TRUST_DOMAIN={trust_domain}" in settings_of(
        template_with(flags, {"trust_domain": trust_domain})["Resources"]
    )


@pytest.mark.parametrize(
    ("collector", "keys", "dual"),
    [
        ("cm.example.edu", {}, False),
        ("cm.example.edu", {"ipv6": True}, True),
        ("[2001:db8::1]:9618", {}, True),
        (f"cm.example.edu, {PRINTED}", {}, False),
    ],
)
def test_the_own_network_is_dual_stack_where_it_must(
    flags: dict[str, Any], collector: str, keys: dict[str, Any], dual: bool
) -> None:
    resources = template_with(flags, {"collector": collector}, **keys)["Resources"]
    assert len(of_type(resources, "AWS::EC2::VPCCidrBlock")) == dual
    subnets = of_type(resources, "AWS::EC2::Subnet").values()
    assert [bool(each["Properties"].get("AssignIpv6AddressOnCreation")) for each in subnets] == [dual, dual]
    routes = [each["Properties"] for each in of_type(resources, "AWS::EC2::Route").values()]
    assert len([route for route in routes if route.get("DestinationIpv6CidrBlock") == "::/0"]) == 2 * dual
    assert all(each["Properties"]["MapPublicIpOnLaunch"] for each in subnets)


def test_given_subnets_keep_what_they_are(flags: dict[str, Any]) -> None:
    resources = template_with(flags, {"collector": "[2001:db8::1]:9618"}, **GIVEN_NETWORK)["Resources"]
    assert not of_type(resources, "AWS::EC2::VPCCidrBlock")
    data = only(resources, "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    assert "NetworkInterfaces" not in data, "the subnet says which addresses an instance gets"
    assert data["MetadataOptions"]["HttpProtocolIpv6"] == "enabled"


def test_ports_of_jobs_are_open_to_both_kinds_of_address(stack: Stack, vpc: ec2.IVpc) -> None:
    AnnexSecurityGroup(stack, "Group", vpc=vpc, job_ports=[ec2.Port.tcp(1094)])
    group = only(Template.from_stack(stack).to_json()["Resources"], "AWS::EC2::SecurityGroup")
    assert open_ports(group) == {kind: {443, 1094, 9618} for kind in ANYWHERE}


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("ami-0123456789abcdef0", "ami-0123456789abcdef0"),
        ("ssm:annex-image:3", "{{resolve:ssm:annex-image:3}}"),
        ("ssm:/images/annex:12", "{{resolve:ssm:/images/annex:12}}"),
        ("ssm:annex-image", "annex-image"),
        ("ssm:/images/annex", "/images/annex"),
        ("ssm:/aws/service/debian/release/13/latest/amd64", "/aws/service/debian/release/13/latest/amd64"),
        (
            "ssm:arn:aws:ssm:us-east-1:210987654321:parameter/images/annex",
            "arn:aws:ssm:us-east-1:210987654321:parameter/images/annex",
        ),
    ],
)
def test_an_image_is_read_by_cloudformation(flags: dict[str, Any], image: str, expected: str) -> None:
    template = template_with(flags, {}, image=image)
    used = only(template["Resources"], "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]["ImageId"]
    if isinstance(used, dict):
        parameter = template["Parameters"][used["Ref"]]
        assert parameter["Type"] == "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
        used = parameter["Default"]
    assert used == expected


def of_parser(name: str) -> bool:
    """True if the CDK's own parser reads the name of an instance type."""
    try:
        return bool(ec2.InstanceType(name).architecture)
    except RuntimeError:
        return False


def test_types_that_the_parser_of_the_cdk_refuses_are_synthesised(flags: dict[str, Any]) -> None:
    refused = [name for name in instance_type_names() if not of_parser(name)]
    assert "p6-b200.48xlarge" in refused and "u-6tb1.metal" in refused
    ours = [name for name in refused if not name.startswith("mac") and "gb200" not in name]
    assert len(ours) > 20
    resources = template_with(flags, {}, instance_types=tuple(ours))["Resources"]
    policy = only(resources, "AWS::AutoScaling::AutoScalingGroup")["MixedInstancesPolicy"]
    assert [each["InstanceType"] for each in policy["LaunchTemplate"]["Overrides"]] == ours


@pytest.mark.parametrize(
    ("types", "reason"),
    [
        (["c6a.large", "c6g.large"], "types of one processor architecture"),
        (["p6-b200.48xlarge", "p6e-gb200.36xlarge"], "types of one processor architecture"),
        (["c6a"], "different EC2 instance types"),
        (["t2.micro"], "not built on the Nitro System"),
        (["mac2.metal"], "macOS only"),
    ],
)
def test_the_constructs_refuse_the_types_that_the_spec_refuses(
    stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint, types: list[str], reason: str
) -> None:
    given = [ec2.InstanceType(each) for each in types]
    with pytest.raises(ValueError, match=rf"AnnexFleet instance_types: received .*, allowed .*{reason}.*; fix: "):
        AnnexFleet(stack, "Fleet", vpc=vpc, instance_types=given, max_size=2, execution_point=point)


@pytest.mark.parametrize(
    ("image", "refused"),
    [
        (ec2.MachineImage.generic_windows({"us-east-1": "ami-0123456789abcdef0"}), True),
        (ec2.MachineImage.latest_windows(ec2.WindowsVersion.WINDOWS_SERVER_2022_ENGLISH_FULL_BASE), True),
        (ec2.MachineImage.from_ssm_parameter("/image", os=ec2.OperatingSystemType.WINDOWS), True),
        (ec2.MachineImage.latest_amazon_linux2023(), False),
        (ec2.MachineImage.from_ssm_parameter("/image"), False),
    ],
)
def test_an_image_of_windows_is_refused(
    app: App, point: ExecutionPoint, image: ec2.IMachineImage, refused: bool
) -> None:
    stack = Stack(app, "InARegion", env=Environment(region="us-east-1"))
    given: dict[str, Any] = {"vpc": ec2.Vpc(stack, "Vpc"), "instance_types": [ec2.InstanceType("c6a.large")]}
    point = dataclasses.replace(point, machine_image=image)
    if refused:
        with pytest.raises(ValueError, match="ExecutionPoint machine_image: received 'an image of Windows', allowed a"):
            AnnexFleet(stack, "Fleet", max_size=2, execution_point=point, **given)
    else:
        assert AnnexFleet(stack, "Fleet", max_size=2, execution_point=point, **given)


def test_the_ports_of_a_pool_given_by_a_token() -> None:
    assert Pool(collector="cm1, cm2:9620", trust_domain="example.edu").ports == (9618, 9620)
