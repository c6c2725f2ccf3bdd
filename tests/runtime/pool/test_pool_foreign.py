"""Resources of other services in an annex's own VPC are named: they keep the VPC from being deleted."""

from __future__ import annotations

import json
from typing import Any

from annex_lease.tags import TAG_NAME
from annex_pool.leftovers.ec2_kinds import EC2_LISTINGS
from annex_pool.leftovers.foreign import foreign_in
from annex_pool.leftovers.leftover import Leftover, left_of
from tests.runtime.pool.pool_world import World, aws

REGION = "us-east-1"
OURS = [{"Key": TAG_NAME, "Value": "demo"}]


def tagged(kind: str) -> Any:
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": OURS}]}


def vpcs() -> list[Leftover]:
    (listing,) = [each for each in EC2_LISTINGS if each.kind == "VPC"]
    found = [left_of(resource, "demo", REGION) for resource in listing.resources(aws(REGION))]
    return [each for each in found if each is not None]


def foreign() -> set[tuple[str, str, str, str]]:
    found = foreign_in(aws(REGION), vpcs())
    return {(each.annex, each.resource.kind, each.resource.id, each.by) for each in found}


def test_what_others_put_into_the_annexs_network_is_named(world: World) -> None:
    ec2 = aws(REGION).ec2
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", **tagged("vpc"))["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", **tagged("subnet"))["Subnet"]["SubnetId"]
    ec2.create_security_group(GroupName="ours", Description="d", VpcId=vpc, **tagged("security-group"))
    ec2.create_network_interface(SubnetId=subnet, **tagged("network-interface"))
    assert foreign() == set(), "its own, and the default group"
    group = ec2.create_security_group(GroupName="GuardDutyManagedSecurityGroup", Description="d", VpcId=vpc)["GroupId"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc, ServiceName="com.amazonaws.us-east-1.guardduty-data", VpcEndpointType="Interface", SubnetIds=[subnet]
    )["VpcEndpoint"]["VpcEndpointId"]
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    found = foreign()
    for kind, name in (("security group", group), ("VPC endpoint", endpoint), ("network interface", interface)):
        assert ("demo", kind, name, "network") in found


def test_another_network_is_of_no_interest(world: World) -> None:
    ec2 = aws(REGION).ec2
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    ec2.create_security_group(GroupName="another", Description="d", VpcId=vpc)
    assert foreign() == set()


def test_the_command_names_it_and_fails(world: World) -> None:
    ec2 = aws(REGION).ec2
    vpc = ec2.create_vpc(CidrBlock="10.2.0.0/16", **tagged("vpc"))["Vpc"]["VpcId"]
    before = json.loads(world.annex("leftovers", "demo", "--json").out)["leftovers"]
    group = ec2.create_security_group(GroupName="GuardDutyManagedSecurityGroup", Description="d", VpcId=vpc)["GroupId"]
    done = world.annex("leftovers", "demo", "--json")
    found = [each for each in json.loads(done.out)["leftovers"] if each not in before]
    assert [(each["kind"], each["id"], each["by"]) for each in found] == [("security group", group, "network")]
    assert done.exit_code == 1
    assert group in world.annex("leftovers", "demo").out
