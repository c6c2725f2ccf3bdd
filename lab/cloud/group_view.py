"""Auto Scaling's records as the API shows them."""

import datetime
from typing import Any

from lab.cloud import instances
from lab.cloud.emulator import ec2
from lab.cloud.groups import Activity, Group, Hook, Member, Tag, WarmPool


def timestamp(moment: float | datetime.datetime) -> str:
    """ISO 8601 with milliseconds and Z, as the API answers."""
    if not isinstance(moment, datetime.datetime):
        moment = datetime.datetime.fromtimestamp(moment, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def group_view(group: Group) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html."""
    return {
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        "LaunchTemplate": group.template or None,
        "MixedInstancesPolicy": group.mixed or None,
        "MinSize": group.minimum,
        "MaxSize": group.maximum,
        "DesiredCapacity": group.desired,
        "DefaultCooldown": group.cooldown,
        "AvailabilityZones": zones(group),
        "LoadBalancerNames": [],
        "TargetGroupARNs": [],
        "HealthCheckType": group.health_check_type,
        "HealthCheckGracePeriod": group.health_check_grace,
        "Instances": [member_view(member) for member in group.members],
        "CreatedTime": timestamp(group.created),
        "SuspendedProcesses": [
            {"ProcessName": name, "SuspensionReason": reason} for name, reason in sorted(group.suspended.items())
        ],
        "VPCZoneIdentifier": ",".join(group.subnets),
        "EnabledMetrics": [],
        "Status": "Delete in progress" if group.deleting else None,
        "Tags": [tag_view(group, tag) for tag in group.tags.values()],
        "TerminationPolicies": group.termination_policies,
        "NewInstancesProtectedFromScaleIn": group.new_instances_protected,
        "ServiceLinkedRoleARN": (
            f"arn:aws:iam::{group.account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
        ),
        "MaxInstanceLifetime": group.max_instance_lifetime,
        "CapacityRebalance": group.capacity_rebalance,
        "WarmPoolConfiguration": warm_pool_view(group.warm_pool) if group.warm_pool else None,
        "WarmPoolSize": len(group.warm) if group.warm_pool else None,
        "DeletionProtection": group.deletion_protection,
        "InstanceLifecyclePolicy": (
            {"RetentionTriggers": {"TerminateHookAbandon": "retain"}} if group.retain_abandoned else None
        ),
        "InstanceMaintenancePolicy": (
            {"MinHealthyPercentage": group.healthy[0], "MaxHealthyPercentage": group.healthy[1]}
            if group.healthy
            else None
        ),
        "TrafficSources": [],
    }


def warm_pool_view(pool: WarmPool) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_WarmPoolConfiguration.html."""
    return {
        "MaxGroupPreparedCapacity": pool.prepared,
        "MinSize": pool.minimum,
        "PoolState": pool.state,
        "Status": "PendingDelete" if pool.deleting else None,
    }


def zones(group: Group) -> list[str]:
    """The Availability Zones of the group's subnets."""
    return sorted({ec2._subnets[subnet]["AvailabilityZone"] for subnet in group.subnets if subnet in ec2._subnets})


def tag_view(group: Group, tag: Tag) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_TagDescription.html."""
    return {
        "ResourceId": group.name,
        "ResourceType": "auto-scaling-group",
        "Key": tag.key,
        "Value": tag.value,
        "PropagateAtLaunch": tag.propagate,
    }


def member_view(member: Member, group: Group | None = None) -> dict[str, Any]:
    """A member as its group lists it, or with its group's name as in DescribeAutoScalingInstances."""
    record = instances.find(member.instance_id)
    view = {
        "InstanceId": member.instance_id,
        "AutoScalingGroupName": group.name if group else None,
        "InstanceType": member.instance_type,
        "AvailabilityZone": member.zone,
        "LifecycleState": member.lifecycle,
        # Only this call answers in capitals: API_AutoScalingInstanceDetails.
        "HealthStatus": member.health.upper() if group else member.health,
        "LaunchTemplate": member.template or None,
        "ProtectedFromScaleIn": member.protected,
    }
    if record is not None and not group:
        view["ImageId"] = record["ImageId"]
    return view


def activity_view(group: Group, activity: Activity) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Activity.html."""
    done = activity.end is not None
    reason = f".  Status Reason: {activity.message}" if activity.message else ""
    return {
        "ActivityId": activity.identifier,
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        "Description": f"{activity.description}{reason}",
        "Cause": f"At {timestamp(activity.start)} {activity.cause}",
        "StartTime": timestamp(activity.start),
        "EndTime": timestamp(activity.end) if activity.end is not None else None,
        "StatusCode": activity.status,
        "StatusMessage": activity.message or None,
        "Progress": 100 if done else 50,
        "Details": "{}",
    }


def hook_view(group: Group, hook: Hook) -> dict[str, Any]:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LifecycleHook.html."""
    return {
        "LifecycleHookName": hook.name,
        "AutoScalingGroupName": group.name,
        "LifecycleTransition": hook.transition,
        "HeartbeatTimeout": hook.heartbeat,
        "GlobalTimeout": min(hook.heartbeat * 100, 172800),
        "DefaultResult": hook.default,
        "NotificationMetadata": hook.metadata or None,
        "NotificationTargetARN": hook.target or None,
        "RoleARN": hook.role or None,
    }
