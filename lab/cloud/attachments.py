"""Volumes and the network interface of an instance: made with it, deleted with it only if declared so.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/preserving-volumes-on-termination.html
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html
"""

from collections.abc import Mapping
from typing import Any

from lab.cloud.emulator import account, ec2
from lab.cloud.query import flag
from lab.cloud.templates import LaunchSpec

Record = dict[str, Any]


def attach(record: Record, spec: LaunchSpec, interface_id: str, mac: str) -> None:
    """Complete MiniStack's record of the root volume, make the other volumes and the interface, and tag them."""
    root = ec2._volumes[record["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]]
    root["AvailabilityZone"] = record["Placement"]["AvailabilityZone"]
    if spec.volumes:
        record["RootDeviceName"] = spec.volumes[0].get("DeviceName", record["RootDeviceName"])
        _describe(record, root, spec.volumes[0], record["RootDeviceName"], kept_by_default=False)
    for declared in spec.volumes[1:]:
        if not declared.get("Ebs"):
            continue  # an instance store volume is part of the instance
        volume_id = ec2._new_volume_id()
        ec2._volumes[volume_id] = {**root, "VolumeId": volume_id, "Attachments": [dict(root["Attachments"][0])]}
        record["BlockDeviceMappings"].append({"DeviceName": "", "Ebs": {**record["BlockDeviceMappings"][0]["Ebs"]}})
        record["BlockDeviceMappings"][-1]["Ebs"]["VolumeId"] = volume_id
        # "By default, [...] non-root EBS volumes [...] persist"
        _describe(record, ec2._volumes[volume_id], declared, str(declared.get("DeviceName", "")), kept_by_default=True)
    _make_interface(record, spec, interface_id, mac)
    for mapping in record["BlockDeviceMappings"]:
        _tag(mapping["Ebs"]["VolumeId"], spec.volume_tags)
    _tag(interface_id, spec.interface_tags)


def _describe(
    record: Record, volume: Record, declared: Mapping[str, Any], device: str, *, kept_by_default: bool
) -> None:
    ebs = declared.get("Ebs") or {}
    deleted = flag(ebs.get("DeleteOnTermination"), not kept_by_default)
    volume.update(Size=int(ebs.get("VolumeSize") or volume["Size"]), Encrypted=flag(ebs.get("Encrypted")))
    volume["Attachments"][0].update(VolumeId=volume["VolumeId"], Device=device, DeleteOnTermination=deleted)
    for mapping in record["BlockDeviceMappings"]:
        if mapping["Ebs"]["VolumeId"] == volume["VolumeId"]:
            mapping["DeviceName"] = device
            mapping["Ebs"]["DeleteOnTermination"] = deleted


def _make_interface(record: Record, spec: LaunchSpec, interface_id: str, mac: str) -> None:
    ec2._network_interfaces[interface_id] = {
        "NetworkInterfaceId": interface_id,
        "SubnetId": record["SubnetId"],
        "VpcId": record["VpcId"],
        "AvailabilityZone": record["Placement"]["AvailabilityZone"],
        "Description": "",
        "OwnerId": account(),
        "Status": "in-use",
        "PrivateIpAddress": record["PrivateIpAddress"],
        "InterfaceType": "interface",
        "SourceDestCheck": True,
        "MacAddress": mac,
        "Groups": list(record["SecurityGroups"]),
        "Attachment": {
            "AttachmentId": interface_id.replace("eni-", "eni-attach-"),
            "InstanceId": record["InstanceId"],
            "DeviceIndex": 0,
            "Status": "attached",
            "AttachTime": record["LaunchTime"],
            "DeleteOnTermination": spec.interface_deleted,
        },
    }


def _tag(resource_id: str, tags: Mapping[str, str]) -> None:
    if tags:
        ec2._tags[resource_id] = [{"Key": key, "Value": value} for key, value in tags.items()]


def release(record: Record, interface_id: str) -> None:
    """Delete the attachments declared to be deleted with the instance; others stay, available, and are billed."""
    for mapping in record["BlockDeviceMappings"]:
        volume = ec2._volumes.get(mapping["Ebs"]["VolumeId"])
        if volume is None:
            continue
        deleted = any(one["DeleteOnTermination"] for one in volume["Attachments"])
        volume.update(State="available", Attachments=[])
        if deleted:
            forget(ec2._volumes, volume["VolumeId"])
    record["BlockDeviceMappings"] = []
    interface = ec2._network_interfaces.get(interface_id)
    if interface is not None:
        deleted = interface["Attachment"]["DeleteOnTermination"]
        interface.update(Status="available", Attachment=None)
        if deleted:
            forget(ec2._network_interfaces, interface_id)


def forget(records: Any, resource_id: str) -> None:
    """Remove a record and its tags, which the tagging API would list otherwise."""
    records.pop(resource_id, None)
    ec2._tags.pop(resource_id, None)
