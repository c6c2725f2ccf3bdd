"""Metadata of one instance, as a tree.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html#instancedata-data-categories
"""

import datetime
import json
from collections.abc import Mapping
from typing import Any

from lab.cloud import credentials, groups, instances, tags
from lab.cloud.emulator import ec2
from lab.cloud.instances import Record

Tree = Mapping[str, Any]
"""A directory; values are directories, text, or raw bytes."""


def tree(record: Record) -> dict[str, Any]:
    """Everything below a version, for an instance of the current account and region."""
    found = instances.details(record)
    content: dict[str, Any] = {
        "dynamic": {"instance-identity": {"document": identity(record)}},
        "meta-data": _meta_data(record),
    }
    if found.user_data:
        content["user-data"] = found.user_data
    return content


def _meta_data(record: Record) -> dict[str, Any]:
    found = instances.details(record)
    zone = record["Placement"]["AvailabilityZone"]
    content: dict[str, Any] = {
        "ami-id": record["ImageId"],
        "ami-launch-index": "0",
        "ami-manifest-path": "(unknown)",
        "block-device-mapping": {"ami": record["RootDeviceName"], "root": record["RootDeviceName"]},
        "events": {"recommendations": _rebalance(record)} if found.rebalance_at is not None else {},
        "hostname": record["PrivateDnsName"],
        "instance-action": "none",
        "instance-id": record["InstanceId"],
        "instance-life-cycle": "spot" if found.spot else "on-demand",
        "instance-type": record["InstanceType"],
        "local-hostname": record["PrivateDnsName"],
        "local-ipv4": record["PrivateIpAddress"],
        "mac": found.mac,
        "network": {"interfaces": {"macs": {found.mac: _interface(record)}}},
        "placement": {
            "availability-zone": zone,
            "availability-zone-id": ec2._az_id_for_zone_name(zone),
            "region": found.region,
        },
        "profile": "default-hvm",
        "reservation-id": found.reservation_id,
        "security-groups": "\n".join(one["GroupName"] for one in record["SecurityGroups"]),
        "services": {"domain": "amazonaws.com", "partition": "aws"},
        "system": "nitro",
    }
    managed = groups.managing(record["InstanceId"])
    if managed is not None:
        content["autoscaling"] = {"target-lifecycle-state": _target_state(*managed)}
    if found.metadata.tags:
        content["tags"] = {"instance": tags.of(record["InstanceId"])}
    if found.interrupt_at is not None:
        content["spot"] = _interruption(found.interrupt_at)
    role = credentials.role_of(record)
    if role is not None:
        content["iam"] = {
            "info": credentials.info(record),
            "security-credentials": {role["RoleName"]: credentials.document(record, role)},
        }
    return {name: value for name, value in content.items() if value != {}}


def _interface(record: Record) -> dict[str, str]:
    found = instances.details(record)
    blocks = {"vpc": ec2._vpcs[record["VpcId"]], "subnet": ec2._subnets[record["SubnetId"]]}
    return {
        "device-number": "0",
        "interface-id": found.interface_id,
        "local-hostname": record["PrivateDnsName"],
        "local-ipv4s": record["PrivateIpAddress"],
        "mac": found.mac,
        "owner-id": found.account,
        "security-group-ids": "\n".join(one["GroupId"] for one in record["SecurityGroups"]),
        "security-groups": "\n".join(one["GroupName"] for one in record["SecurityGroups"]),
        "subnet-id": record["SubnetId"],
        "subnet-ipv4-cidr-block": blocks["subnet"]["CidrBlock"],
        "vpc-id": record["VpcId"],
        "vpc-ipv4-cidr-block": blocks["vpc"]["CidrBlock"],
        "vpc-ipv4-cidr-blocks": blocks["vpc"]["CidrBlock"],
    }


def identity(record: Record) -> str:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html (not signed here)."""
    found = instances.details(record)
    document = {
        "accountId": found.account,
        "architecture": record["Architecture"],
        "availabilityZone": record["Placement"]["AvailabilityZone"],
        "billingProducts": None,
        "devpayProductCodes": None,
        "marketplaceProductCodes": None,
        "imageId": record["ImageId"],
        "instanceId": record["InstanceId"],
        "instanceType": record["InstanceType"],
        "kernelId": None,
        "pendingTime": stamp(found.launched),
        "privateIp": record["PrivateIpAddress"],
        "ramdiskId": None,
        "region": found.region,
        "version": "2017-09-30",
    }
    return json.dumps(document, indent=2)


def _target_state(group: groups.Group, member: groups.Member) -> str:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html."""
    if member.lifecycle.startswith(("Terminat", "Warmed:Terminat")):
        return "Terminated"
    if group.warm_pool is not None and member.lifecycle.startswith("Warmed:"):
        return f"Warmed:{group.warm_pool.state}"
    return "Standby" if member.lifecycle == "Standby" else "InService"


def _interruption(moment: float) -> dict[str, str]:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html."""
    return {
        "instance-action": json.dumps({"action": "terminate", "time": stamp(moment)}),
        "termination-time": stamp(moment),
    }


def _rebalance(record: Record) -> dict[str, str]:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html."""
    noticed = instances.details(record).rebalance_at
    return {"rebalance": json.dumps({"noticeTime": stamp(noticed or 0.0)})}


def stamp(moment: float) -> str:
    """Seconds since the epoch as the metadata service writes times."""
    return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
