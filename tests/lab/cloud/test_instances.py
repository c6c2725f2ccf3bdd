"""EC2 instances and their tags behave as AWS documents."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import IMAGE, Network
from .driving import Cloud, eventually

Launch = Callable[..., list[str]]


@pytest.fixture
def launch(cloud: Cloud, network: Network) -> Launch:
    def make(count: int = 1, **arguments: Any) -> list[str]:
        settings = {"ImageId": IMAGE, "InstanceType": "c6a.large", "SubnetId": network.subnets[0], **arguments}
        made = cloud.client("ec2").run_instances(MinCount=count, MaxCount=count, **settings)
        return [one["InstanceId"] for one in made["Instances"]]

    return make


def show(cloud: Cloud, instance_id: str) -> dict[str, Any]:
    found = cloud.client("ec2").describe_instances(InstanceIds=[instance_id])
    shown: dict[str, Any] = found["Reservations"][0]["Instances"][0]
    return shown


def await_state(cloud: Cloud, instance_id: str, state: str) -> dict[str, Any]:
    eventually(lambda: show(cloud, instance_id)["State"]["Name"] == state, f"{instance_id} {state}")
    return show(cloud, instance_id)


def test_states_follow_the_machine(cloud: Cloud, launch: Launch) -> None:
    cloud.mark("hold")
    [instance] = launch()
    assert show(cloud, instance)["State"] == {"Code": 0, "Name": "pending"}
    cloud.machine(instance, "running")
    await_state(cloud, instance, "running")
    cloud.mark("deaf")
    [change] = cloud.client("ec2").terminate_instances(InstanceIds=[instance])["TerminatingInstances"]
    assert (change["PreviousState"]["Name"], change["CurrentState"]["Name"]) == ("running", "shutting-down")
    assert show(cloud, instance)["State"]["Name"] == "shutting-down"
    cloud.machine(instance, "off")
    gone = await_state(cloud, instance, "terminated")
    assert gone["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    cloud.advance(3700)
    found = cloud.client("ec2").describe_instances
    eventually(lambda: not found(Filters=[{"Name": "instance-id", "Values": [instance]}])["Reservations"])


def test_the_accounts_only_region_is_the_labs(cloud: Cloud) -> None:
    """`annex leftovers` asks every enabled Region, and the lab serves one."""
    client = cloud.client("ec2")
    assert [each["RegionName"] for each in client.describe_regions()["Regions"]] == [client.meta.region_name]


@pytest.mark.parametrize(("behaviour", "state"), [("terminate", "terminated"), ("stop", "stopped")])
def test_machine_that_switches_itself_off(cloud: Cloud, launch: Launch, behaviour: str, state: str) -> None:
    [instance] = launch(InstanceInitiatedShutdownBehavior=behaviour)
    await_state(cloud, instance, "running")
    cloud.machine(instance, "off")
    assert await_state(cloud, instance, state)["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"


def test_machine_that_cannot_start_ends_terminated_with_the_reason(cloud: Cloud, launch: Launch) -> None:
    [instance] = launch(ImageId="ami-00000000000000bad")
    gone = await_state(cloud, instance, "terminated")
    assert gone["StateReason"]["Message"] == "Server.InternalError: this image does not boot"


def test_termination_is_atomic(cloud: Cloud, launch: Launch) -> None:
    [instance] = launch()
    terminate = cloud.client("ec2").terminate_instances
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        terminate(InstanceIds=[instance, "i-00000000000000001"])
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.Malformed"):
        terminate(InstanceIds=[instance, "nonsense"])
    assert await_state(cloud, instance, "running")
    for _ in range(2):
        terminate(InstanceIds=[instance, instance])
    await_state(cloud, instance, "terminated")


def test_batch_limits(cloud: Cloud) -> None:
    many = [f"i-{number:017x}" for number in range(1001)]
    with pytest.raises(ClientError, match="1 to 1000"):
        cloud.client("ec2").terminate_instances(InstanceIds=many)
    with pytest.raises(ClientError, match="1 to 1000"):
        cloud.client("ec2").create_tags(Resources=many, Tags=[{"Key": "a", "Value": "b"}])


def test_addresses_come_from_the_subnet_and_are_unique_over_vpcs(cloud: Cloud, network: Network) -> None:
    ec2 = cloud.client("ec2")
    found = []
    for _ in range(2):  # two VPCs with the same block, as of two annexes with VPCs of their own
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/28")["Subnet"]["SubnetId"]
        made = ec2.run_instances(ImageId=IMAGE, InstanceType="m5.large", MinCount=1, MaxCount=1, SubnetId=subnet)
        found.append(made["Instances"][0])
    assert [one["PrivateIpAddress"] for one in found] == ["10.9.1.4", "10.9.1.5"]
    assert [one["NetworkInterfaces"][0]["MacAddress"] for one in found] == ["02:00:0a:09:01:04", "02:00:0a:09:01:05"]
    with pytest.raises(ClientError, match="InsufficientFreeAddressesInSubnet"):
        ec2.run_instances(ImageId=IMAGE, MinCount=11, MaxCount=11, SubnetId=subnet)
    ec2.terminate_instances(InstanceIds=[found[0]["InstanceId"]])
    await_state(cloud, found[0]["InstanceId"], "terminated")


def test_subnet_outside_the_labs_network_is_refused(cloud: Cloud) -> None:
    default = cloud.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
    with pytest.raises(ClientError, match=r"lab routes 10\.0\.0\.0/8 only"):
        cloud.client("ec2").run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, SubnetId=default)


def test_launch_template_and_overrides(cloud: Cloud, launch: Launch, template: Callable[..., str]) -> None:
    made = template(TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "template"}]}])
    [instance] = launch(
        LaunchTemplate={"LaunchTemplateId": made},
        InstanceType="c6i.large",
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "b", "Value": "call"}]}],
    )
    shown = show(cloud, instance)
    tags = {one["Key"]: one["Value"] for one in shown["Tags"]}
    assert (shown["InstanceType"], tags["a"], tags["b"]) == ("c6i.large", "template", "call")
    assert tags["aws:ec2launchtemplate:id"] == made
    attribute = cloud.client("ec2").describe_instance_attribute(InstanceId=instance, Attribute="userData")
    assert base64.b64decode(attribute["UserData"]["Value"]) == b"#!/bin/sh\n"


def test_filters_and_paging(cloud: Cloud, launch: Launch) -> None:
    made = launch(6, TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "page", "Value": "6"}]}])
    ec2 = cloud.client("ec2")
    mine = [{"Name": "tag:page", "Values": ["6"]}]
    pages = list(ec2.get_paginator("describe_instances").paginate(Filters=mine, PaginationConfig={"PageSize": 5}))
    found = [one["InstanceId"] for page in pages for part in page["Reservations"] for one in part["Instances"]]
    assert len(pages) == 2
    assert found == made
    assert not ec2.describe_instances(Filters=[*mine, {"Name": "vpc-id", "Values": ["vpc-none"]}])["Reservations"]
    with pytest.raises(ClientError, match="The filter 'colour' is invalid"):
        ec2.describe_instances(Filters=[{"Name": "colour", "Values": ["red"]}])
    ec2.terminate_instances(InstanceIds=made)


def test_tag_rules(cloud: Cloud, launch: Launch) -> None:
    ec2 = cloud.client("ec2")
    [plain] = launch()
    [readable] = launch(MetadataOptions={"InstanceMetadataTags": "enabled"})
    with pytest.raises(ClientError, match="reserved"):
        ec2.create_tags(Resources=[plain], Tags=[{"Key": "aws:x", "Value": ""}])
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        ec2.create_tags(Resources=[plain, "i-00000000000000001"], Tags=[{"Key": "a", "Value": ""}])
    ec2.create_tags(Resources=[plain], Tags=[{"Key": "with/slash", "Value": "1"}])
    with pytest.raises(ClientError, match="not a valid tag key"):
        ec2.create_tags(Resources=[plain, readable], Tags=[{"Key": "with/slash", "Value": "2"}])
    assert show(cloud, plain)["Tags"] == [{"Key": "with/slash", "Value": "1"}]
    many = [{"Key": f"key{number}", "Value": ""} for number in range(50)]
    with pytest.raises(ClientError, match="TagLimitExceeded"):
        ec2.create_tags(Resources=[plain], Tags=many)


def test_a_stopped_instance_stays_until_it_is_terminated(cloud: Cloud, launch: Launch) -> None:
    ec2 = cloud.client("ec2")
    [instance] = launch()
    await_state(cloud, instance, "running")
    assert ec2.stop_instances(InstanceIds=[instance])["StoppingInstances"][0]["CurrentState"]["Name"] == "stopping"
    await_state(cloud, instance, "stopped")
    ec2.terminate_instances(InstanceIds=[instance])
    await_state(cloud, instance, "terminated")


def test_what_the_lab_cannot_do_is_refused_instead_of_pretended(cloud: Cloud, launch: Launch) -> None:
    ec2 = cloud.client("ec2")
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        ec2.start_instances(InstanceIds=launch())
    with pytest.raises(ClientError, match="UnsupportedOperation"):
        ec2.stop_instances(InstanceIds=launch(InstanceMarketOptions={"MarketType": "spot"}))


def test_admin_lists_machines_and_interrupts_spot_only(cloud: Cloud, launch: Launch) -> None:
    [plain] = launch()
    [spot] = launch(InstanceMarketOptions={"MarketType": "spot"})
    await_state(cloud, spot, "running")
    await_state(cloud, plain, "running")
    listed = {one["id"]: one for one in cloud.get("/_lab/instances").json()}
    assert (listed[spot]["machine"], listed[spot]["lifecycle"]) == ("running", "spot")
    assert cloud.get(f"/_lab/instances/{plain}/interrupt", "POST").status == 409
    assert cloud.get("/_lab/instances/i-0/interrupt", "POST").status == 404
    assert cloud.get(f"/_lab/instances/{spot}/interrupt?seconds=120", "POST").status == 202
    assert show(cloud, spot)["State"]["Name"] == "running"
    cloud.advance(121)
    assert await_state(cloud, spot, "terminated")["StateReason"]["Code"] == "Server.SpotInstanceTermination"


def test_tags_of_a_volume_end_with_its_instance(cloud: Cloud, launch: Launch, template: Callable[..., str]) -> None:
    tag = {"Key": "annex:name", "Value": "gone"}
    made = template(TagSpecifications=[{"ResourceType": "volume", "Tags": [tag]}])
    [instance] = launch(LaunchTemplate={"LaunchTemplateId": made})
    await_state(cloud, instance, "running")

    def listed() -> list[str]:
        found = cloud.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "annex:name"}])
        return [one["ResourceARN"] for one in found["ResourceTagMappingList"] if tag in one["Tags"]]

    assert [arn.split(":")[-1].split("/")[0] for arn in listed()] == ["volume"]
    cloud.client("ec2").terminate_instances(InstanceIds=[instance])
    await_state(cloud, instance, "terminated")
    assert listed() == []


def test_admin_ticks_on_request(cloud: Cloud) -> None:
    assert cloud.get("/_lab/tick?count=2", "POST").status == 200
    refused = cloud.get("/_lab/tick?count=many", "POST")
    assert (refused.status, "received 'many'" in refused.data.decode()) == (400, True)


def test_every_zone_offers_every_type(cloud: Cloud, network: Network) -> None:
    ec2 = cloud.client("ec2")
    [subnet] = ec2.describe_subnets(SubnetIds=network.subnets[:1])["Subnets"]
    wanted = [{"Name": "instance-type", "Values": ["c6a.large"]}, {"Name": "location", "Values": ["us-east-1z"]}]
    zone = [wanted[0], {"Name": "location", "Values": [subnet["AvailabilityZone"], "us-east-1z"]}]
    for filters, zones in ((zone, [subnet["AvailabilityZone"]]), (wanted, [])):
        listed = ec2.describe_instance_type_offerings(LocationType="availability-zone", Filters=filters)
        found = [(each["InstanceType"], each["Location"]) for each in listed["InstanceTypeOfferings"]]
        assert found == [("c6a.large", each) for each in zones]
    with pytest.raises(ClientError, match="the lab lists offerings"):
        ec2.describe_instance_type_offerings()
