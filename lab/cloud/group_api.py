"""The API's actions on groups.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Operations.html
"""

from collections.abc import Callable, Sequence
from typing import Any

from lab.cloud import groups, lifecycle, scaling, warm_pool, world
from lab.cloud.group_record import apply_settings, create, hook_of
from lab.cloud.group_view import activity_view, group_view, hook_view, timestamp
from lab.cloud.groups import Group
from lab.cloud.query import ApiError, flag, integer

Result = dict[str, Any]


def create_group(request: dict[str, Any]) -> Result:
    group = create(str(request.get("AutoScalingGroupName") or ""), request)
    groups.add(group)
    scaling.reconcile(group)
    return {}


def update_group(request: dict[str, Any]) -> Result:
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    group.set_capacity(*(integer(request, name) for name in ("MinSize", "MaxSize", "DesiredCapacity")))
    apply_settings(group, request)
    scaling.reconcile(group)
    return {}


def set_desired_capacity(request: dict[str, Any]) -> Result:
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    wanted = integer(request, "DesiredCapacity")
    if wanted is None:
        raise ApiError("ValidationError", "DesiredCapacity is required, received none")
    if not group.minimum <= wanted <= group.maximum:
        above = wanted > group.maximum
        bound = f"above max value {group.maximum}" if above else f"below min value {group.minimum}"
        raise ApiError("ValidationError", f"New SetDesiredCapacity value {wanted} is {bound} for the AutoScalingGroup.")
    group.set_capacity(None, None, wanted)
    scaling.reconcile(group)
    return {}


def delete_group(request: dict[str, Any]) -> Result:
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    check_deletion(group, force=flag(request.get("ForceDelete")))
    if not flag(request.get("ForceDelete")):
        groups.remove(group.name)
        return {}
    # ForceDelete ignores lifecycle hooks, suspended processes and protection.
    group.deleting, group.minimum, group.desired = True, 0, 0
    for member in group.members:
        member.waiting.clear()
        scaling.finish_termination(member)
    warm_pool.delete(group)
    if not group.managed():
        groups.remove(group.name)
    return {}


def check_deletion(group: Group, *, force: bool) -> None:
    """Refuse a deletion that AWS refuses.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/resource-deletion-protection.html

    Raises:
        ApiError: ValidationError for a protected group, ResourceInUse while it has instances or a warm pool ("the
            force delete option also deletes the warm pool": API_DeleteAutoScalingGroup).
    """
    refused = ("prevent-all-deletion", "prevent-force-deletion") if force else ("prevent-all-deletion",)
    if group.deletion_protection in refused:
        raise ApiError(
            "ValidationError",
            f"AutoScalingGroup {group.name} cannot be deleted: its deletion protection is {group.deletion_protection}",
        )
    if not force and (group.members or group.warm_pool):
        raise ApiError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
            "still in the group.",
        )


def describe_groups(request: dict[str, Any]) -> Result:
    names = request.get("AutoScalingGroupNames") or []
    filters = request.get("Filters") or []
    found = [group for group in groups.here() if (not names or group.name in names) and _matches(group, filters)]
    return page(found, request, "AutoScalingGroups", group_view, default=50, most=100)


def _matches(group: Group, filters: Sequence[dict[str, Any]]) -> bool:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Filter.html: all filters, any of the values."""
    for one in filters:
        name, values = str(one.get("Name") or ""), [str(value) for value in one.get("Values") or []]
        if name == "tag-key":
            found = set(group.tags)
        elif name == "tag-value":
            found = {tag.value for tag in group.tags.values()}
        elif name.startswith("tag:"):
            tag = group.tags.get(name.removeprefix("tag:"))
            found = set() if tag is None else {tag.value}
        else:
            raise ApiError(
                "ValidationError",
                f"Filter type {name} is not correct. Allowed Filter types are: tag-key tag-value tag:*",
            )
        if not found & set(values):
            return False
    return True


def page(
    found: Sequence[Any],
    request: dict[str, Any],
    name: str,
    view: Callable[[Any], Any],
    *,
    default: int,
    most: int,
) -> Result:
    """One page of a listing; NextToken is the position of the next page."""
    size = integer(request, "MaxRecords", default) or default
    if not 1 <= size <= most:
        raise ApiError("ValidationError", f"MaxRecords must be 1 to {most}, received {size}")
    token = str(request.get("NextToken") or "0")
    if not token.isdigit() or int(token) > len(found):
        raise ApiError("InvalidNextToken", f"The token '{token}' is invalid")
    start = int(token)
    more = start + size < len(found)
    return {
        name: [view(one) for one in found[start : start + size]],
        "NextToken": str(start + size) if more else None,
    }


def describe_activities(request: dict[str, Any]) -> Result:
    name = str(request.get("AutoScalingGroupName") or "")
    wanted = request.get("ActivityIds") or []
    chosen = [groups.get(name)] if name else groups.here()
    found = [
        (group, activity)
        for group in chosen
        for activity in group.activities
        if not wanted or activity.identifier in wanted
    ]
    found.sort(key=lambda pair: pair[1].start, reverse=True)
    return page(found, request, "Activities", lambda pair: activity_view(*pair), default=100, most=100)


def suspend_processes(request: dict[str, Any]) -> Result:
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    for process in _processes(request):
        group.suspended.setdefault(process, f"User suspended at {timestamp(world.now())}")
    return {}


def resume_processes(request: dict[str, Any]) -> Result:
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    for process in _processes(request):
        group.suspended.pop(process, None)
    scaling.reconcile(group)
    return {}


def _processes(request: dict[str, Any]) -> list[str]:
    named = [str(one) for one in request.get("ScalingProcesses") or groups.PROCESSES]
    unknown = [one for one in named if one not in groups.PROCESSES]
    if unknown:
        raise ApiError(
            "ValidationError", f"1 validation error detected: processes {unknown} are none of {groups.PROCESSES}"
        )
    return named


def put_hook(request: dict[str, Any]) -> Result:
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    name = str(request.get("LifecycleHookName") or "")
    lifecycle.put(group, hook_of(name, request))
    return {}


def delete_hook(request: dict[str, Any]) -> Result:
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    name = str(request.get("LifecycleHookName") or "")
    if group.hooks.pop(name, None) is None:
        raise ApiError("ValidationError", f"No Lifecycle Hook found for AutoScaling group {group.name} named {name}")
    # "If there are any outstanding lifecycle actions, they are completed first (ABANDON for launching instances,
    # CONTINUE for terminating instances)": API_DeleteLifecycleHook
    for member in group.managed():
        if name in member.waiting:
            result = "ABANDON" if member.lifecycle.endswith("Pending:Wait") else "CONTINUE"
            scaling.complete(group, member, name, result)
    return {}


def describe_hooks(request: dict[str, Any]) -> Result:
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    names = request.get("LifecycleHookNames") or list(group.hooks)
    return {"LifecycleHooks": [hook_view(group, group.hooks[name]) for name in names if name in group.hooks]}
