"""What EC2 refuses to remove from a network while an instance uses it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import WaiterError

from .conftest import IMAGE, Network
from .driving import Cloud, eventually
from .stacks import FAST, Stack, ref
from .test_provisioning import fleet, group_of

ATTACHED = {"VpcId": ref("Vpc"), "InternetGatewayId": ref("Gateway")}


def own_network(*, public: bool = True) -> dict[str, Any]:
    """A VPC with a subnet, a route table and an Internet gateway; `public`: instances get a public address."""
    subnet = {"CidrBlock": "10.68.1.0/24", "VpcId": ref("Vpc"), "MapPublicIpOnLaunch": public}
    association = {"SubnetId": ref("Subnet"), "RouteTableId": ref("Table")}
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.68.0.0/16"}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": subnet},
        "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": ref("Vpc")}},
        "Association": {"Type": "AWS::EC2::SubnetRouteTableAssociation", "Properties": association},
        "Gateway": {"Type": "AWS::EC2::InternetGateway", "Properties": {}},
        "Attachment": {"Type": "AWS::EC2::VPCGatewayAttachment", "Properties": ATTACHED},
    }


def running(cloud: Cloud, subnet: str) -> str:
    """The id of a new instance."""
    found = cloud.client("ec2").run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=subnet)
    return str(found["Instances"][0]["InstanceId"])


@pytest.mark.parametrize("public", [True, False])
def test_a_gateway_stays_attached_while_an_instance_has_a_public_address(
    cloud: Cloud, stack: Stack, public: bool
) -> None:
    made = stack.create(own_network(public=public), {"Subnet": ref("Subnet")})
    instance = running(cloud, made["Subnet"])
    with pytest.raises(WaiterError):
        stack.delete()
    assert ("has some mapped public address(es)" in stack.reasons()) is public
    assert "DependencyViolation" in stack.reasons(), "the subnet stays in any case"
    ec2 = cloud.client("ec2")
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[instance], WaiterConfig=FAST)
    stack.delete()


def test_an_instance_that_shuts_down_still_has_its_address(cloud: Cloud, stack: Stack) -> None:
    made = stack.create(own_network(), {"Subnet": ref("Subnet")})
    instance = running(cloud, made["Subnet"])
    cloud.mark("deaf")
    cloud.client("ec2").terminate_instances(InstanceIds=[instance])
    with pytest.raises(WaiterError):
        stack.delete()
    assert "has some mapped public address(es)" in stack.reasons()
    cloud.machine(instance, "off")
    cloud.client("ec2").get_waiter("instance_terminated").wait(InstanceIds=[instance], WaiterConfig=FAST)
    stack.delete()


def test_a_group_that_depends_on_its_network_is_removed_before_it(cloud: Cloud, stack: Stack, network: Network) -> None:
    group = fleet(network, VPCZoneIdentifier=[ref("Subnet")], DesiredCapacity="1")
    resources = own_network() | group
    resources["Group"]["DependsOn"] = ["Attachment", "Association"]
    name = stack.create(resources, {"Group": ref("Group")})["Group"]
    eventually(lambda: group_of(cloud, name)["Instances"][0]["LifecycleState"] == "InService")
    [member] = group_of(cloud, name)["Instances"]
    cloud.mark("deaf")
    stack.client.delete_stack(StackName=stack.name)
    eventually(lambda: group_of(cloud, name)["Instances"][0]["LifecycleState"] == "Terminating")
    cloud.machine(member["InstanceId"], "off")
    stack.client.get_waiter("stack_delete_complete").wait(StackName=stack.name, WaiterConfig=FAST)


def test_a_route_table_stays_while_it_is_associated(cloud: Cloud, stack: Stack) -> None:
    made = stack.create(own_network(), {"Subnet": ref("Subnet"), "Table": ref("Table")})
    [other] = cloud.client("ec2").describe_subnets(SubnetIds=[made["Subnet"]])["Subnets"]
    more = cloud.client("ec2").create_subnet(VpcId=other["VpcId"], CidrBlock="10.68.2.0/24")["Subnet"]["SubnetId"]
    associated = cloud.client("ec2").associate_route_table(RouteTableId=made["Table"], SubnetId=more)
    with pytest.raises(WaiterError):
        stack.delete()
    assert "routeTable" in stack.reasons()
    cloud.client("ec2").disassociate_route_table(AssociationId=associated["AssociationId"])
    cloud.client("ec2").delete_subnet(SubnetId=more)
    stack.delete()
