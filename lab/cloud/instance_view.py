"""Instances as the EC2 API shows them, and the filters it knows.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
"""

import fnmatch
from collections.abc import Callable, Mapping, Sequence
from xml.sax.saxutils import escape

from lab.cloud import instances, tags
from lab.cloud.emulator import account, ec2
from lab.cloud.instances import Record
from lab.cloud.query import ApiError


def reservations(records: Sequence[Record]) -> str:
    """Instances grouped by the launch that made them."""
    grouped: dict[str, list[Record]] = {}
    for record in records:
        grouped.setdefault(instances.details(record).reservation_id, []).append(record)
    return "".join(
        f"<item><reservationId>{reservation}</reservationId><ownerId>{account()}</ownerId><groupSet/>"
        f"<instancesSet>{''.join(map(instance, members))}</instancesSet></item>"
        for reservation, members in grouped.items()
    )


def instance(record: Record) -> str:
    """One instance."""
    found = instances.details(record)
    gone = instances.state(record) == "terminated"
    reason = ""
    if found.state_reason:
        code, message = found.state_reason
        reason = f"<stateReason><code>{code}</code><message>{escape(message)}</message></stateReason>"
    # MiniStack renders the plain members; the members below are not in its records.
    extra = (
        f"<reason>{escape(found.transition_reason)}</reason>{reason}"
        + ("<instanceLifecycle>spot</instanceLifecycle>" if found.spot else "")
        + "<metadataOptions><state>applied</state><httpTokens>required</httpTokens>"
        f"<httpPutResponseHopLimit>{found.metadata.hop_limit}</httpPutResponseHopLimit>"
        f"<httpEndpoint>{'enabled' if found.metadata.enabled else 'disabled'}</httpEndpoint>"
        f"<instanceMetadataTags>{'enabled' if found.metadata.tags else 'disabled'}</instanceMetadataTags>"
        "</metadataOptions>" + ("<networkInterfaceSet/>" if gone else _interface(record))
    )
    plain: str = ec2._instance_xml(record)
    head, closing, tail = plain.rpartition("</item>")
    return head + extra + closing + tail


def _interface(record: Record) -> str:
    found = instances.details(record)
    groups = "".join(
        f"<item><groupId>{one['GroupId']}</groupId><groupName>{escape(one['GroupName'])}</groupName></item>"
        for one in record["SecurityGroups"]
    )
    address = record["PrivateIpAddress"]
    return (
        f"<networkInterfaceSet><item><networkInterfaceId>{found.interface_id}</networkInterfaceId>"
        f"<subnetId>{record['SubnetId']}</subnetId><vpcId>{record['VpcId']}</vpcId><ownerId>{account()}</ownerId>"
        f"<status>in-use</status><macAddress>{found.mac}</macAddress><privateIpAddress>{address}</privateIpAddress>"
        f"<sourceDestCheck>true</sourceDestCheck><groupSet>{groups}</groupSet>"
        f"<privateIpAddressesSet><item><privateIpAddress>{address}</privateIpAddress><primary>true</primary></item>"
        "</privateIpAddressesSet></item></networkInterfaceSet>"
    )


_FIELDS: Mapping[str, Callable[[Record], Sequence[str]]] = {
    "instance-id": lambda record: [record["InstanceId"]],
    "instance-state-name": lambda record: [instances.state(record)],
    "instance-state-code": lambda record: [str(record["State"]["Code"])],
    "instance-type": lambda record: [record["InstanceType"]],
    "instance-lifecycle": lambda record: ["spot"] if instances.details(record).spot else [],
    "image-id": lambda record: [record["ImageId"]],
    "vpc-id": lambda record: [record["VpcId"]],
    "subnet-id": lambda record: [record["SubnetId"]],
    "private-ip-address": lambda record: [record["PrivateIpAddress"]],
    "availability-zone": lambda record: [record["Placement"]["AvailabilityZone"]],
    "reservation-id": lambda record: [instances.details(record).reservation_id],
    "instance.group-id": lambda record: [one["GroupId"] for one in record["SecurityGroups"]],
    "iam-instance-profile.arn": lambda record: [(record.get("IamInstanceProfile") or {}).get("Arn", "")],
    "network-interface.mac-address": lambda record: [instances.details(record).mac],
    "tag-key": lambda record: list(tags.of(record["InstanceId"])),
    "tag-value": lambda record: list(tags.of(record["InstanceId"]).values()),
}


def matches(record: Record, filters: Mapping[str, Sequence[str]]) -> bool:
    """True if an instance passes every filter; ``*`` and ``?`` are wildcards.

    Raises:
        ApiError: InvalidParameterValue for a filter the lab does not know; ignoring one would show too much.
    """
    for name, wanted in filters.items():
        if name.startswith("tag:"):
            value = tags.of(record["InstanceId"]).get(name.removeprefix("tag:"))
            actual: Sequence[str] = [] if value is None else [value]
        elif name in _FIELDS:
            actual = _FIELDS[name](record)
        else:
            raise ApiError("InvalidParameterValue", f"The filter '{name}' is invalid")
        if not any(fnmatch.fnmatchcase(one, pattern) for one in actual for pattern in wanted):
            return False
    return True
