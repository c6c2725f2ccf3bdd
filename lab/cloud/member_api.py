"""The API's actions on members of a group.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Operations.html
"""

from typing import Any

from lab.cloud import groups, instances, lifecycle, scaling, tags, world
from lab.cloud.group_api import Result, page
from lab.cloud.group_view import activity_view, member_view
from lab.cloud.groups import Group, Member
from lab.cloud.query import ApiError, flag

_PROTECTION_BATCH = 50
_MEMBER_BATCH = 20


def describe_members(request: dict[str, Any]) -> Result:
    wanted = request.get("InstanceIds") or []
    if len(wanted) > 50:
        raise ApiError("ValidationError", f"at most 50 instance IDs can be described at once, received {len(wanted)}")
    found = [
        (member, group)
        for group in groups.here()
        for member in group.members
        if not wanted or member.instance_id in wanted
    ]
    return page(found, request, "AutoScalingInstances", lambda pair: member_view(*pair), default=50, most=50)


def set_protection(request: dict[str, Any]) -> Result:
    group, members = _members(request, _PROTECTION_BATCH)
    if request.get("ProtectedFromScaleIn") in (None, ""):
        raise ApiError("ValidationError", "ProtectedFromScaleIn is required, received none")
    for member in members:
        if member.lifecycle.startswith("Terminating"):
            raise ApiError(
                "ValidationError",
                f"The instance {member.instance_id} is not in InService or EnteringStandby or Standby.",
            )
    for member in members:
        member.protected = flag(request["ProtectedFromScaleIn"])
    scaling.reconcile(group)
    return {}


def set_health(request: dict[str, Any]) -> Result:
    _, member = _of_any_group(str(request.get("InstanceId") or ""))
    health = str(request.get("HealthStatus") or "")
    if health not in ("Healthy", "Unhealthy"):
        raise ApiError("ValidationError", f"HealthStatus must be Healthy or Unhealthy, received '{health}'")
    member.health = health
    return {}


def terminate_member(request: dict[str, Any]) -> Result:
    group, member = _of_any_group(str(request.get("InstanceId") or ""))
    if request.get("ShouldDecrementDesiredCapacity") in (None, ""):
        raise ApiError("ValidationError", "ShouldDecrementDesiredCapacity is required, received none")
    leaving = member.lifecycle.startswith("Terminating")
    if flag(request["ShouldDecrementDesiredCapacity"]) and not leaving:
        if group.desired - 1 < group.minimum:
            raise ApiError(
                "ValidationError",
                f"Currently, desiredSize equals minSize ({group.minimum}). Terminating instance without replacement "
                "will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or "
                "lower group's min size.",
            )
        group.desired -= 1
    activity = scaling.begin_termination(
        group, member, "an instance was taken out of service in response to a user request."
    )
    scaling.reconcile(group)
    return {"Activity": activity_view(group, activity)}


def complete_action(request: dict[str, Any]) -> Result:
    group, member, action = _waiting(request)
    result = str(request.get("LifecycleActionResult") or "")
    if result not in ("CONTINUE", "ABANDON"):
        raise ApiError("ValidationError", f"LifecycleActionResult must be CONTINUE or ABANDON, received '{result}'")
    scaling.complete(group, member, action.hook, result)
    scaling.reconcile(group)
    return {}


def record_heartbeat(request: dict[str, Any]) -> Result:
    _, _, action = _waiting(request)
    action.deadline = world.now() + action.heartbeat
    return {}


def _waiting(request: dict[str, Any]) -> tuple[Group, Member, groups.WaitingAction]:
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    names = ("LifecycleHookName", "InstanceId", "LifecycleActionToken")
    member, action = lifecycle.waiting_action(group, *(str(request.get(name) or "") for name in names))
    return group, member, action


def attach(request: dict[str, Any]) -> Result:
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    ids = _ids(request, _MEMBER_BATCH)
    records = []
    for instance_id in ids:
        record = instances.find(instance_id)
        if record is None or instances.state(record) != "running" or groups.of_instance(instance_id):
            raise ApiError(
                "ValidationError", f"Invalid Instance ID(s): [{instance_id}]: it must be running and in no group"
            )
        records.append(record)
    if group.desired + len(ids) > group.maximum:
        raise ApiError(
            "ValidationError",
            f"You are adding {len(ids)} instances to AutoScalingGroup {group.name}. This would exceed max size "
            f"{group.maximum}.",
        )
    for record in records:
        zone = record["Placement"]["AvailabilityZone"]
        member = Member(record["InstanceId"], record["InstanceType"], zone, {}, group.new_instances_protected)
        member.lifecycle = "InService"
        group.members.append(member)
        tags.name_group(member.instance_id, group.name)
    group.desired += len(ids)
    return {}


def detach(request: dict[str, Any]) -> Result:
    group, members = _members(request, _MEMBER_BATCH)
    _decrement(request, group, len(members))
    for member in members:
        group.members.remove(member)
        tags.name_group(member.instance_id, None)
    scaling.reconcile(group)
    return {"Activities": []}


def enter_standby(request: dict[str, Any]) -> Result:
    group, members = _members(request, _MEMBER_BATCH)
    if any(member.lifecycle != "InService" for member in members):
        raise ApiError("ValidationError", "Only InService instances can enter Standby")
    _decrement(request, group, len(members))
    for member in members:
        member.lifecycle = "Standby"
    scaling.reconcile(group)
    return {"Activities": []}


def exit_standby(request: dict[str, Any]) -> Result:
    group, members = _members(request, _MEMBER_BATCH)
    if any(member.lifecycle != "Standby" for member in members):
        raise ApiError("ValidationError", "Only Standby instances can exit Standby")
    group.set_capacity(None, None, group.desired + len(members))
    for member in members:
        member.lifecycle = "InService"
    return {"Activities": []}


def _decrement(request: dict[str, Any], group: Group, count: int) -> None:
    if request.get("ShouldDecrementDesiredCapacity") in (None, ""):
        raise ApiError("ValidationError", "ShouldDecrementDesiredCapacity is required, received none")
    if flag(request["ShouldDecrementDesiredCapacity"]):
        group.set_capacity(None, None, group.desired - count)


def _ids(request: dict[str, Any], most: int) -> list[str]:
    ids = [str(one) for one in request.get("InstanceIds") or []]
    if not ids or len(ids) > most:
        raise ApiError("ValidationError", f"InstanceIds must name 1 to {most} instances, received {len(ids)}")
    return ids


def _members(request: dict[str, Any], most: int) -> tuple[Group, list[Member]]:
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    members = []
    for instance_id in _ids(request, most):
        member = group.member(instance_id)
        if member is None:
            raise ApiError(
                "ValidationError", f"The instance {instance_id} is not part of Auto Scaling group {group.name}."
            )
        members.append(member)
    return group, members


def _of_any_group(instance_id: str) -> tuple[Group, Member]:
    group = groups.of_instance(instance_id)
    member = group.member(instance_id) if group else None
    if group is None or member is None:
        raise ApiError(
            "ValidationError", f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
        )
    return group, member
