"""CloudFormation's Auto Scaling groups and lifecycle hooks.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-autoscaling-autoscalinggroup.html
"""

import os
import time
from typing import Any

from lab.cloud import groups, lifecycle, scaling, world
from lab.cloud.emulator import provisioners, stacks
from lab.cloud.group_api import check_deletion
from lab.cloud.group_record import apply_settings, create, hook_of, set_tag
from lab.cloud.query import ApiError, integer

Properties = dict[str, Any]
Created = tuple[str, dict[str, Any]]

GROUP = "AWS::AutoScaling::AutoScalingGroup"
HOOK = "AWS::AutoScaling::LifecycleHook"
_DELETE_SECONDS = "LAB_GROUP_DELETE_SECONDS"
"""Environment variable: seconds that a deletion waits for the instances; CloudFormation waits about an hour."""


def create_group(logical_id: str, declared: Properties, stack_name: str) -> Created:
    name = str(declared.get("AutoScalingGroupName") or provisioners._physical_name(stack_name, logical_id, max_len=255))
    with world.lock:
        group = create(name, declared)
        groups.add(group)
        scaling.reconcile(group)
    return name, _attributes(group)


def _attributes(group: groups.Group) -> dict[str, Any]:
    return {"AutoScalingGroupARN": group.arn}


def update_group(
    name: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
) -> Created:
    wanted = new.get("AutoScalingGroupName")
    if wanted != old.get("AutoScalingGroupName"):
        made = create_group(logical_id or name, new, stack_name)
        delete_group(name, old)
        return made
    with world.lock:
        group = groups.get(name)
        # A template without DesiredCapacity keeps the current one, within the new limits: the property's
        # documentation and UpdateAutoScalingGroup.
        group.set_capacity(*(integer(new, key) for key in ("MinSize", "MaxSize", "DesiredCapacity")))
        apply_settings(group, new)
        for key in {str(tag["Key"]) for tag in old.get("Tags") or []}:
            group.tags.pop(key, None)
        for tag in new.get("Tags") or []:
            set_tag(group, tag, reserved_allowed=True)
        scaling.reconcile(group)
        return name, _attributes(group)


def delete_group(name: str, _: Properties) -> None:
    """Scale to zero, wait until the instances are gone, then delete without force; fails if some stay.

    As in CloudFormation, the deletion of the stack fails with instances that are protected from scale-in, in standby
    or retained, with a suspended Terminate process, a warm pool, or deletion protection.
    https://repost.aws/knowledge-center/auto-scaling-group-deletion-fails
    """
    limit = time.monotonic() + float(os.environ.get(_DELETE_SECONDS, "3600"))
    while True:
        with world.lock:
            group = groups.find(name)
            if group is None:
                return
            group.set_capacity(0, group.maximum, 0)
            scaling.reconcile(group)
            if not group.members:
                check_deletion(group, force=False)
                groups.remove(name)
                return
            left = [member.instance_id for member in group.members]
        if time.monotonic() > limit:
            raise TimeoutError(f"AutoScalingGroup {name} still has instances and could not be deleted: {left}")
        time.sleep(0.2)


def create_hook(logical_id: str, declared: Properties, stack_name: str) -> Created:
    name = str(declared.get("LifecycleHookName") or provisioners._physical_name(stack_name, logical_id, max_len=255))
    with world.lock:
        lifecycle.put(groups.get(str(declared.get("AutoScalingGroupName") or "")), hook_of(name, declared))
    return name, {}


def update_hook(name: str, old: Properties, new: Properties, _: str) -> Created:
    if new.get("AutoScalingGroupName") != old.get("AutoScalingGroupName"):
        delete_hook(name, old)
    with world.lock:
        lifecycle.put(groups.get(str(new.get("AutoScalingGroupName") or "")), hook_of(name, new))
    return name, {}


def delete_hook(name: str, declared: Properties) -> None:
    with world.lock:
        group = groups.find(str(declared.get("AutoScalingGroupName") or ""))
        if group is not None:
            group.hooks.pop(name, None)


def _explained(handler: Any) -> Any:
    """Raise the API's error with its message, as CloudFormation does."""

    def run(*arguments: Any) -> Any:
        try:
            return handler(*arguments)
        except ApiError as error:
            raise ValueError(f"Resource handler returned message: {error.message} ({error.code})") from error

    return run


def install() -> None:
    """Take over these resource types."""
    provisioners._RESOURCE_HANDLERS[GROUP] = {
        "create": _explained(create_group),
        "update": _explained(update_group),
        "update_with_logical_id": True,
        "delete": _explained(delete_group),
    }
    provisioners._RESOURCE_HANDLERS[HOOK] = {
        "create": _explained(create_hook),
        "update": _explained(update_hook),
        "delete": _explained(delete_hook),
    }
    for kind in ("AWS::AutoScaling::LaunchConfiguration",):
        provisioners._RESOURCE_HANDLERS.pop(kind, None)
    # Deleting a group waits for machines: it must not block other requests meanwhile.
    original = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: kind == GROUP or original(kind)
