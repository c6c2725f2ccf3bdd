"""The constructs as parts: their parameters, properties and errors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Stack, Tags, Token
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk.assertions import Template

from annex_constructs import (
    Annex,
    AnnexFleet,
    AnnexSecurityGroup,
    ExecutionPoint,
    LeaseChecker,
    LeaseTerms,
    Pool,
)
from tests.synth.templates import Resources, of_type, only

EIGHT_HOURS = LeaseTerms(duration=Duration.hours(8))
TYPES = [ec2.InstanceType("c6a.large")]


def resources_of(stack: Stack) -> Resources:
    return dict(Template.from_stack(stack).to_json()["Resources"])


def tags_of(resources: Resources) -> dict[str, Any]:
    return {tag["Key"]: tag["Value"] for tag in only(resources, "AWS::AutoScaling::AutoScalingGroup")["Tags"]}


def test_an_annex_hands_out_its_parts(stack: Stack, point: ExecutionPoint) -> None:
    annex = Annex(stack, "Muon", execution_point=point, instance_types=TYPES, max_size=3, lease=EIGHT_HOURS)
    assert annex.annex_name == "muon"
    assert isinstance(annex.fleet.auto_scaling_group, autoscaling.AutoScalingGroup)
    assert isinstance(annex.fleet.launch_template, ec2.LaunchTemplate)
    assert isinstance(annex.fleet.role, iam.Role)
    assert isinstance(annex.fleet.security_group, ec2.SecurityGroup)
    assert isinstance(annex.checker.function, lambda_.Function)
    assert annex.checker.schedule.schedule_arn
    assert isinstance(annex.checker.dead_letter_queue, sqs.Queue)
    assert annex.alarms.alarm_topic.topic_arn
    assert not annex.fleet.protect_busy
    assert annex.fleet.execution_point is point
    assert annex.credential.secret_arn == annex.fleet.credential.secret_arn
    assert annex.vpc.vpc_id == annex.fleet.vpc.vpc_id
    assert annex.grant_principal is annex.fleet.role
    with pytest.raises(AttributeError):
        annex.fleet.max_size = 4  # type: ignore[misc]


def test_connections_are_opened_on_the_fleet(stack: Stack, fleet: AnnexFleet, vpc: ec2.IVpc) -> None:
    manager = ec2.SecurityGroup(stack, "Manager", vpc=vpc, allow_all_outbound=False)
    fleet.connections.allow_from(manager, ec2.Port.tcp(9618))
    fleet.connections.allow_to(ec2.Peer.ipv4("192.0.2.0/24"), ec2.Port.tcp(1094))
    resources = resources_of(stack)
    (ingress,) = of_type(resources, "AWS::EC2::SecurityGroupIngress").values()
    assert ingress["Properties"]["FromPort"] == 9618
    ours = resources[next(name for name in of_type(resources, "AWS::EC2::SecurityGroup") if "Muon" in name)]
    assert "192.0.2.0/24" in {rule.get("CidrIp") for rule in ours["Properties"]["SecurityGroupEgress"]}


def test_a_fleet_without_a_lease_gets_no_capacity(stack: Stack, fleet: AnnexFleet) -> None:
    assert fleet.max_size == 20
    resources = resources_of(stack)
    assert set(tags_of(resources)) == {"Name", "annex:id", "annex:name"}
    assert tags_of(resources)["Name"] == "annex-muon"
    assert not of_type(resources, "AWS::Lambda::Function")


def test_the_size_granted_can_be_smaller_than_the_largest(stack: Stack, fleet: AnnexFleet) -> None:
    LeaseChecker(stack, "Lease", fleet=fleet, lease=EIGHT_HOURS, size=5)
    resources = resources_of(stack)
    assert tags_of(resources)["annex:size"] == "5"
    assert only(resources, "AWS::AutoScaling::AutoScalingGroup")["MaxSize"] == "20"


def test_numbers_may_be_known_to_cloudformation_only(stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint) -> None:
    size = CfnParameter(stack, "Size", type="Number", default=2).value_as_number
    fleet = AnnexFleet(stack, "Muon", vpc=vpc, instance_types=TYPES, max_size=size, execution_point=point)
    LeaseChecker(stack, "Lease", fleet=fleet, lease=EIGHT_HOURS)
    resources = resources_of(stack)
    assert only(resources, "AWS::AutoScaling::AutoScalingGroup")["MaxSize"] == {"Ref": "Size"}
    assert tags_of(resources)["annex:size"] == {"Ref": "Size"}


def test_an_absolute_end(stack: Stack, fleet: AnnexFleet) -> None:
    lease = LeaseTerms(ends_at=datetime(2030, 6, 1, 8, tzinfo=UTC), max_lifetime=Duration.days(30))
    LeaseChecker(stack, "Lease", fleet=fleet, lease=lease)
    tags = tags_of(resources_of(stack))
    assert tags["annex:lease-ends-at"] == "2030-06-01T08:00:00Z"
    assert tags["annex:max-lifetime"] == str(30 * 86_400)
    assert "annex:lease-duration" not in tags


def test_a_public_address_only_when_asked_for(stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint) -> None:
    AnnexFleet(
        stack,
        "Muon",
        vpc=vpc,
        instance_types=TYPES,
        max_size=2,
        execution_point=point,
        associate_public_ip_address=True,
    )
    data = only(resources_of(stack), "AWS::EC2::LaunchTemplate")["LaunchTemplateData"]
    assert [each["AssociatePublicIpAddress"] for each in data["NetworkInterfaces"]] == [True]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {80, 443, 9618}),
        ({"job_ports": []}, {443, 9618}),
        ({"job_ports": [ec2.Port.tcp(1094)]}, {443, 1094, 9618}),
        ({"pool": Pool(collector="cm.example.edu:9700", trust_domain="example.edu")}, {80, 443, 9618, 9700}),
        ({"allow_all_outbound": True}, {None}),
    ],
)
def test_outbound_ports(stack: Stack, vpc: ec2.IVpc, options: dict[str, Any], expected: set[int | None]) -> None:
    AnnexSecurityGroup(stack, "Group", vpc=vpc, **options)
    group = only(resources_of(stack), "AWS::EC2::SecurityGroup")
    assert {rule.get("FromPort") for rule in group["SecurityGroupEgress"]} == expected
    assert "SecurityGroupIngress" not in group


@pytest.mark.parametrize("key", ["team/owner", "cost centre", "_index", ".."])
def test_a_tag_key_that_would_stop_every_launch_stops_the_synthesis(app: App, fleet: AnnexFleet, key: str) -> None:
    Tags.of(app).add(key, "physics")
    with pytest.raises(RuntimeError, match=r"tag key '.*' reaches the instances of Other/Muon"):
        app.synth()


def test_such_a_tag_may_stay_on_other_resources(app: App, fleet: AnnexFleet) -> None:
    groups = ["AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::LaunchTemplate"]
    Tags.of(app).add("team/owner", "physics", exclude_resource_types=groups)
    Tags.of(app).add("team:owner", "physics")
    app.synth()


def test_so_it_may_on_a_group_that_does_not_propagate_it(app: App, fleet: AnnexFleet) -> None:
    template = ["AWS::EC2::LaunchTemplate"]
    Tags.of(app).add("team/owner", "physics", apply_to_launched_instances=False, exclude_resource_types=template)
    app.synth()


FORTY = [ec2.InstanceType(f"m{number}i.large") for number in range(40)]
REFUSED_FLEETS: list[tuple[dict[str, Any], str]] = [
    (
        {"max_size": 0},
        "AnnexFleet max_size: received 0, allowed a whole number of instances from 1 to 10000; fix: pass max_size=2",
    ),
    ({"max_size": 10_001}, "received 10001"),
    ({"max_size": "2"}, "received '2'"),
    ({"instance_types": []}, "AnnexFleet instance_types: received [], allowed 1 to 40 different EC2 instance types"),
    ({"instance_types": TYPES * 2}, "received ['c6a.large', 'c6a.large']"),
    ({"instance_types": [*FORTY, *TYPES]}, "allowed 1 to 40"),
    ({"instance_types": [*TYPES, ec2.InstanceType("c7g.large")]}, "allowed types of one processor architecture"),
    ({"on_demand_base": 21}, "received 21, allowed a whole number of instances from 0 to 20"),
    ({"on_demand_percentage": 101}, "received 101, allowed a whole number from 0 to 100"),
    ({"annex_name": "Muon"}, "AnnexFleet annex_name: received 'Muon', allowed lower-case letters"),
    ({"annex_name": "a" * 33}, "at most 32 characters"),
    ({"annex_name": Token.as_string({"Ref": "Name"})}, "AnnexFleet annex_name"),
]


@pytest.mark.parametrize(("changes", "complaint"), REFUSED_FLEETS)
def test_fleets_that_are_refused(
    stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint, changes: dict[str, Any], complaint: str
) -> None:
    wanted = {"vpc": vpc, "instance_types": TYPES, "max_size": 20, "execution_point": point, **changes}
    with pytest.raises(ValueError, match=r"received .*, allowed .*; fix: ") as refused:
        AnnexFleet(stack, "Muon", **wanted)
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"max_size": 1},
        {"max_size": 10_000, "on_demand_base": 10_000, "on_demand_percentage": 100},
        {"instance_types": FORTY},
        {"annex_name": "a" * 32},
    ],
)
def test_fleets_at_the_edge_are_made(
    stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint, changes: dict[str, Any]
) -> None:
    wanted = {"vpc": vpc, "instance_types": TYPES, "max_size": 20, "execution_point": point, **changes}
    assert AnnexFleet(stack, "Muon", **wanted)


def test_an_id_that_is_no_annex_name_needs_a_name(stack: Stack, point: ExecutionPoint) -> None:
    wanted: dict[str, Any] = {"execution_point": point, "instance_types": TYPES, "max_size": 1, "lease": EIGHT_HOURS}
    with pytest.raises(ValueError, match="Annex annex_name: received 'my_annex'"):
        Annex(stack, "My_Annex", **wanted)
    assert Annex(stack, "My_Annex2", annex_name="my-annex", **wanted).annex_name == "my-annex"


def test_a_fleet_has_one_lease(stack: Stack, fleet: AnnexFleet) -> None:
    LeaseChecker(stack, "Lease", fleet=fleet, lease=EIGHT_HOURS)
    with pytest.raises(ValueError, match="LeaseChecker fleet: received 'Other/Muon, which has a lease already'"):
        LeaseChecker(stack, "Second", fleet=fleet, lease=EIGHT_HOURS)


def test_a_checker_is_made_in_the_stack_of_its_fleet(app: App, fleet: AnnexFleet) -> None:
    with pytest.raises(
        ValueError, match="LeaseChecker fleet: received 'Other/Muon, of another stack', allowed a fleet"
    ):
        LeaseChecker(Stack(app, "Elsewhere"), "Lease", fleet=fleet, lease=EIGHT_HOURS)


@pytest.mark.parametrize("size", [21, -1])
def test_a_size_beyond_the_fleet_is_refused(stack: Stack, fleet: AnnexFleet, size: int) -> None:
    with pytest.raises(
        ValueError, match=f"LeaseChecker size: received {size}, allowed a whole number of instances from 0 to 20"
    ):
        LeaseChecker(stack, "Lease", fleet=fleet, lease=EIGHT_HOURS, size=size)


def test_subnets_come_with_their_vpc(stack: Stack, point: ExecutionPoint) -> None:
    subnets = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)
    with pytest.raises(ValueError, match=r"Annex vpc_subnets: received .*, allowed .*; fix: pass vpc too"):
        Annex(
            stack,
            "Muon",
            execution_point=point,
            instance_types=TYPES,
            max_size=1,
            lease=EIGHT_HOURS,
            vpc_subnets=subnets,
        )
