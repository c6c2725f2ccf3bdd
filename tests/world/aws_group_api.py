"""EC2 Auto Scaling's calls on the model, with the checks and the error codes of AWS.

Each function takes the account and the parameters as boto3 does, and returns the answer as boto3 does. The limits are
those of the API reference of each call.
"""

from __future__ import annotations

from typing import Any

from tests.world.aws_errors import validation_error
from tests.world.aws_paging import page_of
from tests.world.aws_scaling import shut_down
from tests.world.aws_sizes import REACTION, resize
from tests.world.aws_state import MAX_TAGS, Account, Hook, ScalingGroup, WarmPool

Params = dict[str, Any]


def describe_auto_scaling_groups(account: Account, params: Params, page_size: int | None) -> Params:
    """The groups of these names; unknown names are left out. A page may be short though more follow."""
    names = params.get("AutoScalingGroupNames")
    # The API reference gives no wildcard here: names are exact.
    found = [group for name, group in sorted(account.groups.items()) if names is None or name in names]
    for wanted in params.get("Filters", []):
        key = wanted["Name"].removeprefix("tag:")
        if wanted["Name"] == "tag-key":
            found = [one for one in found if set(one.tags) & set(wanted["Values"])]
        else:
            found = [one for one in found if key in one.tags and one.tags[key][0] in wanted["Values"]]
    part, more = page_of(found, params, 50 if page_size is None else page_size)
    return {"AutoScalingGroups": [_described(account, group) for group in part], **more}


def _described(account: Account, group: ScalingGroup) -> Params:
    members = account.members(group)
    answer: Params = {
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        "MinSize": group.min_size,
        "MaxSize": group.max_size,
        "DesiredCapacity": group.desired,
        "DefaultCooldown": 300,
        "AvailabilityZones": ["us-east-1a", "us-east-1b"],
        "HealthCheckType": "EC2",
        "CreatedTime": group.created,
        # Instances of a warm pool are not among them (API reference, DescribeAutoScalingGroups).
        "Instances": [
            {
                "InstanceId": one.id,
                "AvailabilityZone": one.zone,
                "LifecycleState": one.lifecycle,
                "HealthStatus": "Healthy" if one.state in ("pending", "running") else "Unhealthy",
                "ProtectedFromScaleIn": one.protected,
            }
            for one in members
            if not one.warm
        ],
        "SuspendedProcesses": [
            {"ProcessName": name, "SuspensionReason": "User suspended"} for name in sorted(group.suspended)
        ],
        "Tags": [
            {"ResourceId": group.name, "ResourceType": "auto-scaling-group", "Key": key, "Value": value}
            | {"PropagateAtLaunch": propagate}
            for key, (value, propagate) in sorted(group.tags.items())
        ],
        "NewInstancesProtectedFromScaleIn": group.protect_new,
        "DeletionProtection": group.deletion_protection,
    }
    if group.deleting:
        answer["Status"] = "Delete in progress"
    if group.warm_pool:
        pool = group.warm_pool
        answer["WarmPoolConfiguration"] = {"MinSize": pool.min_size, "PoolState": pool.state}
        if pool.prepared is not None:
            answer["WarmPoolConfiguration"]["MaxGroupPreparedCapacity"] = pool.prepared
        if pool.deleting:
            answer["WarmPoolConfiguration"]["Status"] = "PendingDelete"
        answer["WarmPoolSize"] = sum(1 for one in members if one.warm)
    return answer


def update_auto_scaling_group(account: Account, params: Params) -> Params:
    """Set what is given; a MinSize above or a MaxSize below the desired capacity moves it (API reference)."""
    group = group_of(account, params)
    resize(group, params, "UpdateAutoScalingGroup")
    group.protect_new = params.get("NewInstancesProtectedFromScaleIn", group.protect_new)
    group.deletion_protection = params.get("DeletionProtection", group.deletion_protection)
    account.touch(group, REACTION)
    return {}


def suspend_processes(account: Account, params: Params) -> Params:
    """Suspend these processes."""
    group_of(account, params).suspended.update(params["ScalingProcesses"])
    return {}


def resume_processes(account: Account, params: Params) -> Params:
    """Resume these processes; what they would have done happens then."""
    group = group_of(account, params)
    group.suspended.difference_update(params["ScalingProcesses"])
    account.touch(group, REACTION)
    return {}


def create_or_update_tags(account: Account, params: Params) -> Params:
    """Write tags of groups, all or none; keys that begin with aws: are refused ("Tag restrictions").

    Tags of AWS's own do not count against the limit of a group.
    """
    operation = "CreateOrUpdateTags"
    for tag in params["Tags"]:
        group = group_of(account, {"AutoScalingGroupName": tag["ResourceId"]})
        if tag["Key"].startswith("aws:") or not 1 <= len(tag["Key"]) <= 128 or len(tag.get("Value", "")) > 256:
            raise validation_error(operation, f"tag {tag['Key']!r} is not allowed")
        keys = group.tags.keys() | {one["Key"] for one in params["Tags"] if one["ResourceId"] == group.name}
        if sum(not key.startswith("aws:") for key in keys) > MAX_TAGS:
            raise validation_error(operation, f"A group can have at most {MAX_TAGS} tags", code="LimitExceeded")
    for tag in params["Tags"]:
        group = account.groups[tag["ResourceId"]]
        group.tags[tag["Key"]] = (tag.get("Value", ""), tag.get("PropagateAtLaunch", False))
    return {}


def delete_tags(account: Account, params: Params) -> Params:
    """Take tags from groups."""
    for tag in params["Tags"]:
        group_of(account, {"AutoScalingGroupName": tag["ResourceId"]}).tags.pop(tag["Key"], None)
    return {}


def put_lifecycle_hook(account: Account, params: Params) -> Params:
    """Add a hook; it counts for instances that reach it from now on."""
    name = params["LifecycleHookName"]
    hook = Hook(name, params["LifecycleTransition"], float(params.get("HeartbeatTimeout", 3600)))
    hook.default = params.get("DefaultResult", "ABANDON")
    group_of(account, params).hooks[name] = hook
    return {}


def describe_lifecycle_hooks(account: Account, params: Params) -> Params:
    """The hooks of a group."""
    hooks = group_of(account, params).hooks.values()
    return {
        "LifecycleHooks": [
            {"LifecycleHookName": hook.name, "LifecycleTransition": hook.transition, "DefaultResult": hook.default}
            for hook in hooks
        ]
    }


def put_warm_pool(account: Account, params: Params) -> Params:
    """Add a warm pool."""
    group = group_of(account, params)
    prepared = params.get("MaxGroupPreparedCapacity")
    group.warm_pool = WarmPool(params.get("MinSize", 0), params.get("PoolState", "Stopped"), prepared)
    account.touch(group, REACTION)
    return {}


def delete_warm_pool(account: Account, params: Params) -> Params:
    """Delete the warm pool; with ForceDelete its instances too, else only one without instances."""
    operation = "DeleteWarmPool"
    group = group_of(account, params)
    if group.warm_pool is None:
        raise validation_error(operation, f"No warm pool found for group {group.name}")
    if not params.get("ForceDelete") and any(one.warm for one in account.members(group)):
        raise validation_error(operation, "the warm pool has instances", code="ResourceInUse")
    group.warm_pool.deleting = True
    account.touch(group, REACTION)
    return {}


def delete_auto_scaling_group(account: Account, params: Params) -> Params:
    """Delete a group: only an empty one, unless forced; deletion protection refuses the forced, or any, deletion."""
    operation = "DeleteAutoScalingGroup"
    group = group_of(account, params)
    forced = bool(params.get("ForceDelete"))
    refused = ("prevent-all-deletion", "prevent-force-deletion")[: 2 if forced else 1]
    if group.deletion_protection in refused:
        raise validation_error(operation, f"deletion protection is {group.deletion_protection}")
    members = account.members(group)
    if members and not forced:
        raise validation_error(operation, "the group still has instances", code="ResourceInUse")
    group.deleting = True
    for one in members:
        shut_down(account, one)
    account.touch(group, 0.0)
    return {}


def group_of(account: Account, params: Params) -> ScalingGroup:
    """The group that a call names."""
    name = params["AutoScalingGroupName"]
    if name not in account.groups:
        raise validation_error("", f"AutoScalingGroup name not found - AutoScalingGroup {name} not found")
    return account.groups[name]
