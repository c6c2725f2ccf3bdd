"""EC2 Auto Scaling's calls about members of a group on the model: protection, hooks, standby, detaching, ending one."""

from __future__ import annotations

from typing import Any

from tests.world.aws_errors import validation_error
from tests.world.aws_group_api import group_of
from tests.world.aws_scaling import finish_hook, leave
from tests.world.aws_sizes import REACTION
from tests.world.aws_state import GROUP_TAG, Account, Ec2Instance, ScalingGroup

Params = dict[str, Any]


def set_instance_protection(account: Account, params: Params) -> Params:
    """Change scale-in protection of at most 50 instances, none of which may be starting, leaving or warm."""
    operation = "SetInstanceProtection"
    group = group_of(account, params)
    instances = _members(account, group, params, operation, limit=50)
    for one in instances:
        if one.warm or one.lifecycle not in ("InService", "EnteringStandby", "Standby"):
            message = f"The instance {one.id} is not in InService or EnteringStandby or Standby."
            raise validation_error(operation, message)
    for one in instances:
        one.protected = params["ProtectedFromScaleIn"]
    account.touch(group, REACTION)
    return {}


def complete_lifecycle_action(account: Account, params: Params) -> Params:
    """End the wait of an instance at this hook."""
    group = group_of(account, params)
    instance = account.instances.get(params.get("InstanceId", ""))
    waits = instance is not None and instance.group == group.name and instance.lifecycle.endswith(":Wait")
    if instance is None or not waits or instance.hook != params["LifecycleHookName"]:
        message = f"No active Lifecycle Action found with instance ID {params.get('InstanceId')}"
        raise validation_error("CompleteLifecycleAction", message)
    finish_hook(account, group, instance, params["LifecycleActionResult"])
    return {}


def detach_instances(account: Account, params: Params) -> Params:
    """Detach instances: they lose EC2 Auto Scaling's own tag and keep all others."""
    group, instances = _give_up(account, params, "DetachInstances")
    for one in instances:
        one.group, one.lifecycle, one.due = None, "Detached", None
        one.tags.pop(GROUP_TAG, None)
        if one.state == "pending":
            account.wake(one, 1.0)
    account.touch(group, REACTION)
    return {"Activities": []}


def enter_standby(account: Account, params: Params) -> Params:
    """Put instances aside: they keep running and are no longer counted."""
    group, instances = _give_up(account, params, "EnterStandby")
    for one in instances:
        one.lifecycle = "Standby"
    account.touch(group, REACTION)
    return {"Activities": []}


def terminate_instance_in_auto_scaling_group(account: Account, params: Params) -> Params:
    """End one member, protected or not; the desired capacity may go down with it, never below the minimum."""
    operation = "TerminateInstanceInAutoScalingGroup"
    instance = account.instances.get(params["InstanceId"])
    if instance is None or not instance.group:
        raise validation_error(
            operation, f"Instance Id not found - No managed instance found for {params['InstanceId']}"
        )
    group = account.groups[instance.group]
    if params["ShouldDecrementDesiredCapacity"]:
        _decrement(group, 1, operation)
    leave(account, instance)
    account.touch(group, REACTION)
    return {"Activity": {}}


def _give_up(account: Account, params: Params, operation: str) -> tuple[ScalingGroup, list[Ec2Instance]]:
    group = group_of(account, params)
    instances = _members(account, group, params, operation, limit=20)
    if params["ShouldDecrementDesiredCapacity"]:
        _decrement(group, len(instances), operation)
    return group, instances


def _decrement(group: ScalingGroup, by: int, operation: str) -> None:
    if group.desired - by < group.min_size:
        raise validation_error(operation, "Currently, desiredSize equals minSize")
    group.desired -= by


def _members(account: Account, group: ScalingGroup, params: Params, operation: str, *, limit: int) -> list[Ec2Instance]:
    ids = params["InstanceIds"]
    if len(ids) > limit:
        raise validation_error(operation, f"{len(ids)} instances are more than the {limit} of one call")
    for each in ids:
        if each not in account.instances or account.instances[each].group != group.name:
            raise validation_error(operation, f"The instance {each} is not part of Auto Scaling group {group.name}.")
    return [account.instances[each] for each in ids]
