"""Volumes and network interfaces of instances, tagged by the launch template, behave as AWS documents."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from .conftest import IMAGE, Group, Network
from .driving import Cloud, eventually
from .stacks import Stack, ref

Make = Callable[..., Group]
TAG = {"Key": "annex:id", "Value": "u.demo"}
MINE = [{"Name": "tag:annex:id", "Values": ["u.demo"]}]


def tagged(*kinds: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [TAG]} for kind in kinds]


def volumes(cloud: Cloud) -> list[dict[str, Any]]:
    return list(cloud.client("ec2").describe_volumes(Filters=MINE)["Volumes"])


def interfaces(cloud: Cloud, **filters: str) -> list[dict[str, Any]]:
    wanted = [*MINE, *({"Name": name, "Values": [value]} for name, value in filters.items())]
    return list(cloud.client("ec2").describe_network_interfaces(Filters=wanted)["NetworkInterfaces"])


def end(cloud: Cloud, instance: str) -> None:
    ec2 = cloud.client("ec2")
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[instance], WaiterConfig={"Delay": 0.2, "MaxAttempts": 50})


def test_template_tags_what_its_instances_have(cloud: Cloud, group: Make, template: Callable[..., str]) -> None:
    made = template(TagSpecifications=tagged("volume", "network-interface"))
    owner = group(LaunchTemplate={"LaunchTemplateId": made, "Version": "$Latest"})
    [member] = owner.desire(1)
    [volume] = volumes(cloud)
    assert [one["InstanceId"] for one in volume["Attachments"]] == [member]
    [interface] = interfaces(cloud)
    assert interface["Attachment"]["InstanceId"] == member
    assert interface["Status"] == "in-use"
    shown = cloud.client("ec2").describe_instances(InstanceIds=[member])["Reservations"][0]["Instances"][0]
    assert shown["NetworkInterfaces"][0]["NetworkInterfaceId"] == interface["NetworkInterfaceId"]
    found = cloud.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "annex:id"}])
    kinds = {one["ResourceARN"].split(":")[5].split("/")[0] for one in found["ResourceTagMappingList"]}
    assert kinds == {"volume", "network-interface"}
    owner.call("set_desired_capacity", DesiredCapacity=0)  # or it would be replaced
    end(cloud, member)
    assert (volumes(cloud), interfaces(cloud)) == ([], [])
    found = cloud.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "annex:id"}])
    assert found["ResourceTagMappingList"] == []


def test_what_is_not_declared_to_go_stays_and_can_be_deleted(
    cloud: Cloud, network: Network, template: Callable[..., str]
) -> None:
    ec2 = cloud.client("ec2")
    devices = [
        {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 9, "DeleteOnTermination": True}},
        {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 10}},
        {"DeviceName": "/dev/sdc", "Ebs": {"VolumeSize": 11, "DeleteOnTermination": True}},
    ]
    interface = {"DeviceIndex": 0, "SubnetId": network.subnets[0], "DeleteOnTermination": False}
    made = template(
        BlockDeviceMappings=devices,
        NetworkInterfaces=[interface],
        TagSpecifications=tagged("volume", "network-interface"),
    )
    [one] = ec2.run_instances(LaunchTemplate={"LaunchTemplateId": made}, MinCount=1, MaxCount=1)["Instances"]
    assert {volume["Size"] for volume in volumes(cloud)} == {9, 10, 11}
    [kept] = interfaces(cloud, status="in-use")
    with pytest.raises(ClientError, match=r"InvalidNetworkInterface\.InUse"):
        ec2.delete_network_interface(NetworkInterfaceId=kept["NetworkInterfaceId"])
    with pytest.raises(ClientError, match="VolumeInUse"):
        ec2.delete_volume(VolumeId=volumes(cloud)[0]["VolumeId"])
    end(cloud, one["InstanceId"])
    [left] = volumes(cloud)
    assert (left["Size"], left["State"], left["Attachments"]) == (10, "available", [])
    [kept] = interfaces(cloud, status="available")
    ec2.delete_volume(VolumeId=left["VolumeId"])
    ec2.delete_network_interface(NetworkInterfaceId=kept["NetworkInterfaceId"])
    assert (volumes(cloud), interfaces(cloud)) == ([], [])


def test_a_volume_attached_later_outlives_the_instance(cloud: Cloud, network: Network) -> None:
    ec2 = cloud.client("ec2")
    [one] = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=network.subnets[0])["Instances"]
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=3)["VolumeId"]
    for _ in range(2):
        ec2.attach_volume(VolumeId=volume, InstanceId=one["InstanceId"], Device="/dev/sdf")
        shown = ec2.describe_instances(InstanceIds=[one["InstanceId"]])["Reservations"][0]["Instances"][0]
        assert volume in str(shown["BlockDeviceMappings"])
        ec2.detach_volume(VolumeId=volume)
    ec2.attach_volume(VolumeId=volume, InstanceId=one["InstanceId"], Device="/dev/sdf")
    end(cloud, one["InstanceId"])
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"] == "available"
    ec2.delete_volume(VolumeId=volume)


def test_interfaces_are_filtered_and_unknown_filters_refused(cloud: Cloud, network: Network) -> None:
    ec2 = cloud.client("ec2")
    made = [
        ec2.create_network_interface(SubnetId=subnet, TagSpecifications=tagged("network-interface"))
        for subnet in network.subnets
    ]
    ids = [one["NetworkInterface"]["NetworkInterfaceId"] for one in made]
    assert {one["NetworkInterfaceId"] for one in interfaces(cloud)} == set(ids)
    [found] = interfaces(cloud, **{"subnet-id": network.subnets[1]})
    assert found["NetworkInterfaceId"] == ids[1]
    assert found["TagSet"] == [TAG]
    with pytest.raises(ClientError, match="The filter 'colour' is invalid"):
        interfaces(cloud, colour="red")
    for interface in ids:
        ec2.delete_network_interface(NetworkInterfaceId=interface)
        with pytest.raises(ClientError, match=r"InvalidNetworkInterfaceID\.NotFound"):
            ec2.delete_network_interface(NetworkInterfaceId=interface)
    assert interfaces(cloud) == []


def test_an_interface_left_behind_holds_its_subnet(cloud: Cloud, stack: Stack) -> None:
    vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.68.0.0/16"}}
    subnet = {"Type": "AWS::EC2::Subnet", "Properties": {"CidrBlock": "10.68.1.0/24", "VpcId": ref("Vpc")}}
    made = stack.create({"Vpc": vpc, "Subnet": subnet}, {"Subnet": ref("Subnet")})
    ec2 = cloud.client("ec2")
    left = ec2.create_network_interface(SubnetId=made["Subnet"])["NetworkInterface"]["NetworkInterfaceId"]
    with pytest.raises(WaiterError):
        stack.delete()
    assert "DependencyViolation" in stack.reasons()
    ec2.delete_network_interface(NetworkInterfaceId=left)
    stack.delete()


@pytest.mark.parametrize("declared", [True, False])
def test_termination_protection_spares_its_zone(
    cloud: Cloud, network: Network, template: Callable[..., str], declared: bool
) -> None:
    ec2 = cloud.client("ec2")

    def launch(subnet: str, **arguments: Any) -> str:
        base = {"LaunchTemplate": {"LaunchTemplateId": template()}, "MinCount": 1, "MaxCount": 1, "SubnetId": subnet}
        return str(ec2.run_instances(**{**base, **arguments})["Instances"][0]["InstanceId"])

    first, second = network.subnets
    if declared:
        protected = launch(first, LaunchTemplate={"LaunchTemplateId": template(DisableApiTermination=True)})
    else:
        protected = launch(first)
        ec2.modify_instance_attribute(InstanceId=protected, DisableApiTermination={"Value": True})
    beside, elsewhere = launch(first), launch(second)

    def state(instance: str) -> str:
        found = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
        return str(found["State"]["Name"])

    with pytest.raises(ClientError, match="OperationNotPermitted"):
        ec2.terminate_instances(InstanceIds=[protected, beside, elsewhere])
    eventually(lambda: state(elsewhere) == "terminated")
    eventually(lambda: (state(protected), state(beside)) == ("running", "running"))
    attribute = ec2.describe_instance_attribute(InstanceId=protected, Attribute="disableApiTermination")
    assert attribute["DisableApiTermination"] == {"Value": True}
    ec2.modify_instance_attribute(InstanceId=protected, DisableApiTermination={"Value": False})
    end(cloud, protected)
    end(cloud, beside)


def test_scaling_in_does_not_mind_termination_protection(
    cloud: Cloud, group: Make, template: Callable[..., str]
) -> None:
    made = template(DisableApiTermination=True)
    owner = group(LaunchTemplate={"LaunchTemplateId": made, "Version": "$Latest"})
    owner.desire(1)
    owner.call("set_desired_capacity", DesiredCapacity=0)
    eventually(lambda: not owner.show()["Instances"])


def test_other_attributes_are_not_modelled(cloud: Cloud, network: Network) -> None:
    ec2 = cloud.client("ec2")
    [one] = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=network.subnets[0])["Instances"]
    ec2.modify_instance_attribute(
        InstanceId=one["InstanceId"], InstanceInitiatedShutdownBehavior={"Value": "terminate"}
    )
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        ec2.modify_instance_attribute(InstanceId=one["InstanceId"], EbsOptimized={"Value": True})
    end(cloud, one["InstanceId"])
