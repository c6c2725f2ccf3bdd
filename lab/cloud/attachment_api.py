"""The EC2 API's actions on volumes and network interfaces, where MiniStack ignores filters, tags or use.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lab.cloud import attachments
from lab.cloud.emulator import Response, ec2
from lab.cloud.instance_api import Parameters, guarded
from lab.cloud.query import ApiError

Record = dict[str, Any]

_FIELDS: Mapping[str, Callable[[Record], Sequence[str]]] = {
    "network-interface-id": lambda one: [one["NetworkInterfaceId"]],
    "status": lambda one: [one["Status"]],
    "subnet-id": lambda one: [one["SubnetId"]],
    "vpc-id": lambda one: [one["VpcId"]],
    "group-id": lambda one: [group["GroupId"] for group in one["Groups"]],
    "private-ip-address": lambda one: [one["PrivateIpAddress"]],
    "attachment.instance-id": lambda one: [(one["Attachment"] or {}).get("InstanceId", "")],
}


def describe_interfaces(parameters: Parameters) -> Response:
    ids = ec2._parse_member_list(parameters, "NetworkInterfaceId")
    for one in ids:
        _existing(one)
    filters = ec2._parse_filters(parameters)
    found = [one for one in ec2._network_interfaces.values() if not ids or one["NetworkInterfaceId"] in ids]
    items = "".join(ec2._eni_fields_xml(one) for one in found if _matches(one, filters))
    answer: Response = ec2._xml(
        200, "DescribeNetworkInterfacesResponse", f"<networkInterfaceSet>{items}</networkInterfaceSet>"
    )
    return answer


def _matches(interface: Record, filters: Mapping[str, Sequence[str]]) -> bool:
    for name, wanted in filters.items():
        if name.startswith("tag:") or name in ("tag-key", "tag-value"):
            continue
        if name not in _FIELDS:
            raise ApiError("InvalidParameterValue", f"The filter '{name}' is invalid")
        if not set(_FIELDS[name](interface)) & set(wanted):
            return False
    return bool(ec2._resource_matches_tag_filters(interface["NetworkInterfaceId"], filters))


def _existing(interface_id: str) -> Record:
    found: Record | None = ec2._network_interfaces.get(interface_id)
    if found is None:
        raise ApiError("InvalidNetworkInterfaceID.NotFound", f"The network interface '{interface_id}' does not exist")
    return found


def create_interface(parameters: Parameters) -> Response:
    before = set(ec2._network_interfaces)
    answer: Response = ec2._create_network_interface(parameters)
    for made in set(ec2._network_interfaces) - before:
        ec2._parse_tag_specs(parameters, "network-interface", made)
    return answer


def delete_interface(parameters: Parameters) -> Response:
    """ "You must detach the network interface before you can delete it": API_DeleteNetworkInterface."""
    interface = _existing(str(ec2._p(parameters, "NetworkInterfaceId") or ""))
    if interface["Attachment"]:
        raise ApiError(
            "InvalidNetworkInterface.InUse",
            f"The network interface '{interface['NetworkInterfaceId']}' is currently in use",
        )
    attachments.forget(ec2._network_interfaces, interface["NetworkInterfaceId"])
    answer: Response = ec2._xml(200, "DeleteNetworkInterfaceResponse", "<return>true</return>")
    return answer


def attach_volume(parameters: Parameters) -> Response:
    """A volume attached later is listed with the instance, and outlives it: preserving-volumes-on-termination.html."""
    answer: Response = ec2._attach_volume(parameters)
    if answer[0] == 200:
        volume = ec2._volumes[str(ec2._p(parameters, "VolumeId"))]
        attachment = volume["Attachments"][0]
        shown = {"VolumeId": volume["VolumeId"], "Status": "attached", "AttachTime": attachment["AttachTime"]}
        ec2._instances[attachment["InstanceId"]]["BlockDeviceMappings"].append(
            {"DeviceName": attachment["Device"], "Ebs": {**shown, "DeleteOnTermination": False}}
        )
    return answer


def detach_volume(parameters: Parameters) -> Response:
    volume_id = str(ec2._p(parameters, "VolumeId") or "")
    for attachment in (ec2._volumes.get(volume_id) or {}).get("Attachments", []):
        record = ec2._instances.get(attachment["InstanceId"]) or {"BlockDeviceMappings": []}
        mappings = record["BlockDeviceMappings"]
        mappings[:] = [one for one in mappings if one["Ebs"]["VolumeId"] != volume_id]
    answer: Response = ec2._detach_volume(parameters)
    return answer


def delete_volume(parameters: Parameters) -> Response:
    answer: Response = ec2._delete_volume(parameters)
    if answer[0] == 200:
        ec2._tags.pop(str(ec2._p(parameters, "VolumeId")), None)
    return answer


def install() -> None:
    """Take over these actions from MiniStack."""
    ec2._ACTION_MAP.update(
        DescribeNetworkInterfaces=guarded(describe_interfaces),
        CreateNetworkInterface=guarded(create_interface),
        DeleteNetworkInterface=guarded(delete_interface),
        AttachVolume=guarded(attach_volume),
        DetachVolume=guarded(detach_volume),
        DeleteVolume=guarded(delete_volume),
    )
