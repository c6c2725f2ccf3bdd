"""The account's only Auto Scaling group: its record, its instances, and the operator's override of its end."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from annex_lease.tags import TAG_UNTIL, format_time
from tests.e2e.aws_clients import client


def group() -> dict[str, Any]:
    (only,) = client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    return dict(only)


def in_group() -> list[str]:
    return [instance["InstanceId"] for instance in group()["Instances"]]


def protected() -> list[bool]:
    """Protection from scale-in of each instance of the group."""
    return [instance["ProtectedFromScaleIn"] for instance in group()["Instances"]]


def tags() -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in group()["Tags"]}


def set_until(end: datetime) -> None:
    client("autoscaling").create_or_update_tags(
        Tags=[
            {
                "ResourceId": group()["AutoScalingGroupName"],
                "ResourceType": "auto-scaling-group",
                "Key": TAG_UNTIL,
                "Value": format_time(end),
                "PropagateAtLaunch": False,
            }
        ]
    )
