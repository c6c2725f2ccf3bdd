"""Groups from the declaration of a request or of a CloudFormation template; both use the API's names."""

import datetime
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from lab.cloud import lifecycle, replacement, world
from lab.cloud.emulator import account, ec2, region
from lab.cloud.groups import Group, Hook, Tag
from lab.cloud.query import ApiError, flag, integer
from lab.cloud.templates import resolve


def create(name: str, declared: Mapping[str, Any]) -> Group:
    """A new group, not stored yet.

    Raises:
        ApiError: ValidationError for missing or contradicting values.
    """
    if not name:
        raise ApiError("ValidationError", "AutoScalingGroupName is required, received none")
    minimum, maximum = integer(declared, "MinSize"), integer(declared, "MaxSize")
    if minimum is None or maximum is None:
        raise ApiError("ValidationError", f"MinSize and MaxSize are required, received {minimum} and {maximum}")
    arn = f"arn:aws:autoscaling:{region()}:{account()}:autoScalingGroup:{uuid4()}:autoScalingGroupName/{name}"
    created = datetime.datetime.fromtimestamp(world.now(), datetime.UTC)
    group = Group(name, arn, account(), region(), created)
    desired = integer(declared, "DesiredCapacity")
    group.set_capacity(minimum, maximum, minimum if desired is None else desired)
    apply_settings(group, declared)
    if not group.template and not group.mixed:
        raise ApiError(
            "ValidationError",
            "Valid requests must contain either LaunchTemplate or MixedInstancesPolicy; the lab has no launch "
            "configurations and takes no instance as a model",
        )
    if not group.subnets:
        raise ApiError("ValidationError", "VPCZoneIdentifier is required: the lab launches into named subnets only")
    for tag in declared.get("Tags") or []:
        set_tag(group, tag, reserved_allowed=True)
    for hook in declared.get("LifecycleHookSpecificationList") or []:
        lifecycle.put(group, hook_of(str(hook["LifecycleHookName"]), hook))
    return group


def apply_settings(group: Group, declared: Mapping[str, Any]) -> None:
    """Apply every declared setting except sizes, tags and hooks. Raises ``ApiError``."""
    before = replacement.declared(group)
    subnets = declared.get("VPCZoneIdentifier")
    if subnets:
        listed = subnets.split(",") if isinstance(subnets, str) else subnets
        group.subnets = [str(one).strip() for one in listed]
        for subnet in group.subnets:
            if subnet not in ec2._subnets:
                raise ApiError("ValidationError", f"The subnet ID '{subnet}' does not exist")
    if declared.get("LaunchTemplate"):
        group.template, group.mixed = _template(declared["LaunchTemplate"]), {}
    if declared.get("MixedInstancesPolicy"):
        group.template, group.mixed = {}, _mixed(declared["MixedInstancesPolicy"])
    if declared.get("TerminationPolicies"):
        group.termination_policies = [str(one) for one in declared["TerminationPolicies"]]
    group.new_instances_protected = flag(
        declared.get("NewInstancesProtectedFromScaleIn"), group.new_instances_protected
    )
    group.capacity_rebalance = flag(declared.get("CapacityRebalance"), group.capacity_rebalance)
    group.health_check_type = str(declared.get("HealthCheckType") or group.health_check_type)
    grace = integer(declared, "HealthCheckGracePeriod", group.health_check_grace)
    cooldown = integer(declared, "DefaultCooldown", integer(declared, "Cooldown", group.cooldown))
    group.health_check_grace = grace if grace is not None else group.health_check_grace
    group.cooldown = cooldown if cooldown is not None else group.cooldown
    group.deletion_protection = _protection(str(declared.get("DeletionProtection") or group.deletion_protection))
    policy = declared.get("InstanceLifecyclePolicy")
    if policy is not None:
        # https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RetentionTriggers.html
        group.retain_abandoned = (policy.get("RetentionTriggers") or {}).get("TerminateHookAbandon") == "retain"
    group.max_instance_lifetime = integer(declared, "MaxInstanceLifetime", group.max_instance_lifetime)
    if declared.get("InstanceMaintenancePolicy"):
        replacement.set_policy(group, declared["InstanceMaintenancePolicy"])
    replacement.begin(group, before)


def _protection(level: str) -> str:
    """https://docs.aws.amazon.com/autoscaling/ec2/userguide/resource-deletion-protection.html."""
    levels = ("none", "prevent-force-deletion", "prevent-all-deletion")
    if level not in levels:
        raise ApiError("ValidationError", f"DeletionProtection must be one of {levels}, received '{level}'")
    return level


def _template(declared: Mapping[str, Any]) -> dict[str, str]:
    template = resolve(declared)
    return {
        "LaunchTemplateId": template.template_id,
        "LaunchTemplateName": template.name,
        "Version": str(declared.get("Version") or "$Default"),
    }


def _mixed(declared: Mapping[str, Any]) -> dict[str, Any]:
    part = declared.get("LaunchTemplate") or {}
    specification = part.get("LaunchTemplateSpecification")
    if not specification:
        raise ApiError("ValidationError", "MixedInstancesPolicy needs LaunchTemplate.LaunchTemplateSpecification")
    # AWS answers with every member of the distribution filled in: API_InstancesDistribution names the defaults.
    defaults = {
        "OnDemandAllocationStrategy": "prioritized",
        "OnDemandBaseCapacity": 0,
        "OnDemandPercentageAboveBaseCapacity": 100,
        "SpotAllocationStrategy": "lowest-price",
    }
    return {
        "LaunchTemplate": {
            "LaunchTemplateSpecification": _template(specification),
            "Overrides": list(part.get("Overrides") or []),
        },
        "InstancesDistribution": {**defaults, **(declared.get("InstancesDistribution") or {})},
    }


def set_tag(group: Group, declared: Mapping[str, Any], *, reserved_allowed: bool = False) -> None:
    """Add or replace a tag. Raises ``ApiError`` for a key only AWS may write or for more than 50 tags."""
    key = str(declared["Key"])
    if key.startswith("aws:") and not reserved_allowed:
        raise ApiError("ValidationError", f"Tag keys starting with 'aws:' are reserved, received '{key}'")
    own = {one for one in group.tags if not one.startswith("aws:")} | {key}
    if len(own) > 50:
        raise ApiError("LimitExceeded", "A group can have at most 50 tags")
    # CloudFormation's own tags reach the instances too, as its other stack-level tags do:
    # https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
    propagate = flag(declared.get("PropagateAtLaunch"), key.startswith("aws:cloudformation:"))
    group.tags[key] = Tag(key, str(declared.get("Value") or ""), propagate)


def hook_of(name: str, declared: Mapping[str, Any]) -> Hook:
    """A hook with the defaults the API documents."""
    return Hook(
        name=name,
        transition=str(declared.get("LifecycleTransition") or ""),
        heartbeat=integer(declared, "HeartbeatTimeout", 3600) or 3600,
        default=str(declared.get("DefaultResult") or "ABANDON"),
        metadata=str(declared.get("NotificationMetadata") or ""),
        target=str(declared.get("NotificationTargetARN") or ""),
        role=str(declared.get("RoleARN") or ""),
    )
