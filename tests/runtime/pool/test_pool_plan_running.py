"""`annex plan --deployed` names what a deployment does to running instances, from what AWS describes."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.client import BaseClient

from annex_lease.live_changes import LIVE_CHANGES
from annex_lease.policy import LeasePolicy, policy_tags
from annex_pool.deployed import find_annex
from annex_pool.deployed_fleet import DeployedFleet, read_fleet
from tests.runtime.pool.pool_world import SPEC, World, aws
from tests.world.aws_errors import refusal

REAL_CALL = BaseClient._make_api_call  # type: ignore[attr-defined]
ID = "8e1f4ad0-c7d2-11f0-8d6a-0affc1b2d3e4.demo"
GROUP = "Group-demo"
MANY = "EC2 Auto Scaling replaces running instances step by step"


def network(*, own: bool) -> str:
    """A VPC with one subnet, which the annex's stack made or not; the id of the subnet."""
    ec2 = aws().ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    if own:
        ec2.create_tags(Resources=[subnet], Tags=[{"Key": "annex:id", "Value": ID}])
    return subnet


def security_group(subnet: str) -> str:
    """A security group that opens a port of access points, one of jobs, and nothing else."""
    ec2 = aws().ec2
    vpc = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    made = ec2.create_security_group(GroupName="execution-points", Description="a", VpcId=vpc)["GroupId"]
    everything: Any = ec2.describe_security_groups(GroupIds=[made])["SecurityGroups"][0]["IpPermissionsEgress"]
    ec2.revoke_security_group_egress(GroupId=made, IpPermissions=everything)
    rules = {9700: "HTCondor: access points", 1094: "XRootD"}
    ec2.authorize_security_group_egress(
        GroupId=made,
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
            | {"IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": use}]}  # type: ignore[misc]
            for port, use in rules.items()
        ],
    )
    return made


def fleet(*, own: bool = True, protects: bool = True, running: int = 3, busy: int = 1) -> None:
    """The group of annex demo as its stack makes it, with instances of which some are busy."""
    ec2, scaling, iam = aws().ec2, aws().autoscaling, aws().client("iam")
    subnet = network(own=own)
    iam.create_instance_profile(InstanceProfileName="profile")
    user_data = f"--=annex=\n      ANNEX_PROTECT_BUSY={int(protects)}\n"
    ec2.create_launch_template(
        LaunchTemplateName="template",
        LaunchTemplateData={
            "ImageId": ec2.register_image(Name="image", RootDeviceName="/dev/xvda")["ImageId"],
            "InstanceType": "t3.micro",
            "IamInstanceProfile": {"Arn": "arn:aws:iam::123456789012:instance-profile/profile"},
            "SecurityGroupIds": [security_group(subnet)],
            "UserData": base64.b64encode(user_data.encode()).decode(),
        },
    )
    tags = policy_tags(LeasePolicy("demo", 3, 57_600, 900, duration_seconds=28_800), annex_id=ID)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        MinSize=0,
        MaxSize=3,
        DesiredCapacity=running,
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateName": "template", "Version": "1"},
                "Overrides": [{"InstanceType": "t3.micro"}],
            },
            "InstancesDistribution": {"OnDemandBaseCapacity": 0, "OnDemandPercentageAboveBaseCapacity": 0},
        },
        VPCZoneIdentifier=subnet,
        Tags=[{"Key": tag.key, "Value": tag.value, "PropagateAtLaunch": tag.propagate} for tag in tags],
    )
    (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"]
    ids = [each["InstanceId"] for each in group["Instances"]][:busy]
    if ids:
        scaling.set_instance_protection(AutoScalingGroupName=GROUP, InstanceIds=ids, ProtectedFromScaleIn=True)


def plan(world: World, keys: str = "", pool: str = "access_point_ports = [9700]") -> dict[str, Any]:
    """The object `deployed` of the plan for a spec with these keys."""
    text = SPEC.replace("[annex.demo]", f"[annex.demo]\n{keys}").replace("[defaults]", f"{pool}\n[defaults]")
    world.spec = text if "size" not in keys else text.replace("\nsize = 3", "", 1)
    done = world.annex("plan", "demo", "--deployed", "--json")
    assert (done.exit_code, done.err) == (0, "")
    return dict(json.loads(done.out)["deployed"])


def test_a_spec_as_deployed_reaches_nothing(world: World) -> None:
    fleet()
    data = plan(world)
    assert (data["running"], data["not_compared"], data["replaced"]) == ([], [], False)


def test_what_aws_describes(world: World) -> None:
    fleet()
    found = find_annex(aws(), "demo")
    assert found is not None
    seen = read_fleet(found)
    assert (seen.on_demand_base, seen.on_demand_percentage, seen.role_path) == (0, 0, "/")
    assert (seen.own_network, seen.ipv6, seen.unread) == (True, False, ())
    assert {each.described() for each in seen.openings or ()} == {"9700/tcp", "1094/tcp"}
    assert seen.protecting == frozenset(each.id for each in found.group.members)


@pytest.mark.parametrize(
    ("keys", "key"),
    [
        ("on_demand_base = 1", "on_demand_base"),
        ("on_demand_percentage = 10", "on_demand_percentage"),
        ('role_path = "/htcondor/"', "role_path"),
        ("ipv6 = true", "ipv6"),
    ],
)
def test_a_key_that_reaches_running_instances(world: World, keys: str, key: str) -> None:
    fleet()
    data = plan(world, keys)
    (effect,) = data["running"]
    assert (effect["key"], effect["effect"]) == (key, LIVE_CHANGES[key].reach.value)
    assert (effect["instances"], effect["busy"], effect["idle"]) == (3, 1, 2)
    assert effect["text"] in data["changes"]


def test_a_smaller_size(world: World) -> None:
    fleet()
    data = plan(world, "size = 1")
    (effect,) = data["running"]
    assert (data["scaled_in"], effect["instances"], effect["busy"], effect["idle"]) == (2, 2, 0, 2)
    assert effect["text"].endswith("2 instances of 3 above it: 2 idle of them to end at once")


def test_a_smaller_size_of_instances_without_protection(world: World) -> None:
    fleet(protects=False, busy=0)
    (effect,) = plan(world, "size = 1")["running"]
    assert (effect["instances"], effect["busy"], effect["idle"]) == (2, None, None)
    assert effect["text"].endswith("2 of them to end at once, busy or idle")


def test_another_vpc_replaces_the_annex(world: World) -> None:
    fleet()
    data = plan(world, 'vpc = "vpc-0123456789abcdef0"\nsubnets = ["subnet-0123456789abcdef0"]')
    assert data["replaced"] is True
    assert [effect["key"] for effect in data["running"]] == ["vpc"]
    assert (data["phase_after"], data["end_after"], data["ends_in_seconds"], data["starts"]) == (None, None, 0, 0)
    assert data["changes"][0].startswith("THE ANNEX IS REPLACED: vpc changes from the annex's own to vpc-0123")
    assert data["changes"][1].startswith("the new annex begins a new lease")
    assert not any("the end stays" in line for line in data["changes"])


def test_other_subnets_of_the_same_vpc(world: World) -> None:
    fleet(own=False)
    subnet = str(world.group("demo")["VPCZoneIdentifier"])
    vpc = aws().ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    same = plan(world, f'vpc = "{vpc}"\nsubnets = ["{subnet}"]')
    assert same["running"] == []
    (effect,) = plan(world, f'vpc = "{vpc}"\nsubnets = ["subnet-0123456789abcdef0"]')["running"]
    assert (effect["key"], effect["effect"]) == ("subnets", "replaced")
    assert MANY in effect["text"]


def test_a_port_that_is_closed(world: World) -> None:
    fleet()
    (effect,) = plan(world, pool="")["running"]
    assert (effect["key"], effect["effect"]) == ("access_point_ports", "cut off")
    assert "opens 9700/tcp" in effect["from"]


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Operations that AWS refuses."""
    refused: set[str] = set()

    def call(client: BaseClient, operation: str, params: dict[str, Any]) -> Any:
        if operation in refused:
            raise refusal("UnauthorizedOperation", "not you", operation)
        return REAL_CALL(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    yield refused


@pytest.mark.parametrize(
    ("operation", "known", "unknown"),
    [
        ("DescribeSubnets", ["on_demand_base", "role_path"], "vpc"),
        ("DescribeLaunchTemplateVersions", ["vpc", "on_demand_base"], "role_path"),
        ("DescribeSecurityGroups", ["vpc", "on_demand_base", "role_path"], "access_point_ports"),
    ],
)
def test_what_aws_refuses_is_said_and_the_rest_is_compared(
    world: World, refusing: set[str], operation: str, known: list[str], unknown: str
) -> None:
    fleet()
    refusing.add(operation)
    keys = (
        'on_demand_base = 1\nrole_path = "/a/"\nvpc = "vpc-0123456789abcdef0"\nsubnets = ["subnet-0123456789abcdef0"]'
    )
    data = plan(world, keys, pool="")
    named = [effect["key"] for effect in data["running"]]
    assert set(known) <= set(named)
    assert unknown not in named
    (reason,) = data["not_compared"]
    assert "UnauthorizedOperation" in reason
    assert f"not compared with what is deployed: {reason}" in data["changes"]


def test_a_group_that_is_gone_is_not_compared(world: World) -> None:
    fleet()
    found = find_annex(aws(), "demo")
    assert found is not None
    aws().autoscaling.delete_auto_scaling_group(AutoScalingGroupName=GROUP, ForceDelete=True)
    assert read_fleet(found) == DeployedFleet(unread=(f"group {GROUP} is not listed any more",))


def test_another_region_and_another_name(world: World) -> None:
    fleet()
    world.spec = SPEC.replace('region = "us-east-1"', 'region = "us-west-2"')
    done = world.annex("plan", "demo", "--deployed")
    assert done.exit_code == 0
    assert f"region changes from us-east-1 to us-west-2: {LIVE_CHANGES['region'].does}; 3 instances running" in done.out
    world.spec = SPEC.replace("[annex.demo]", '[annex.renamed]\naccount = "123456789012"')
    done = world.annex("plan", "renamed", "--deployed")
    assert "declares no annex demo, and one is deployed: stack Annex-demo in us-east-1" in done.out
    assert f"If this is its new name: {LIVE_CHANGES['name'].does}" in done.out
    assert f"another account than 123456789012, the account changes: {LIVE_CHANGES['account'].does}" in done.out
    world.spec = SPEC.replace("[annex.demo2]", "[annex.other]")
    assert "declares no annex" not in world.annex("plan", "other", "--deployed").out
