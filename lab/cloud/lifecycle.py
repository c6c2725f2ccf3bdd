"""Lifecycle hooks: the wait states of members that launch or terminate.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks-overview.html
"""

import json
from uuid import uuid4

from lab.cloud import world
from lab.cloud.emulator import eventbridge
from lab.cloud.groups import Group, Hook, Member, WaitingAction
from lab.cloud.query import ApiError

_TRANSITIONS = ("autoscaling:EC2_INSTANCE_LAUNCHING", "autoscaling:EC2_INSTANCE_TERMINATING")


def put(group: Group, hook: Hook) -> None:
    """Add or replace a hook. Raises ``ApiError`` (ValidationError) for values that AWS refuses."""
    if hook.transition not in _TRANSITIONS:
        raise ApiError("ValidationError", f"LifecycleTransition must be one of {_TRANSITIONS}, not {hook.transition!r}")
    if not 30 <= hook.heartbeat <= 7200:
        raise ApiError("ValidationError", f"HeartbeatTimeout must be 30 to 7200 seconds, received {hook.heartbeat}")
    if hook.default not in ("CONTINUE", "ABANDON"):
        raise ApiError("ValidationError", f"DefaultResult must be CONTINUE or ABANDON, received {hook.default!r}")
    group.hooks[hook.name] = hook


def wait(group: Group, member: Member, transition: str) -> bool:
    """Put a member into its wait state if the group has hooks for the transition; True if it waits."""
    wanted = f"autoscaling:EC2_INSTANCE_{transition}"
    hooks = [hook for hook in group.hooks.values() if hook.transition == wanted]
    if not hooks:
        return False
    warmed = "Warmed:" if member.lifecycle.startswith("Warmed:") else ""
    member.lifecycle = warmed + ("Pending:Wait" if transition == "LAUNCHING" else "Terminating:Wait")
    member.waiting = {}
    for hook in hooks:
        action = WaitingAction(hook.name, str(uuid4()), hook.default, hook.heartbeat, world.now() + hook.heartbeat)
        member.waiting[hook.name] = action
        verb = "launch" if transition == "LAUNCHING" else "terminate"
        announce(
            group,
            f"EC2 Instance-{verb} Lifecycle Action",
            {
                "LifecycleActionToken": action.token,
                "LifecycleHookName": hook.name,
                "EC2InstanceId": member.instance_id,
                "LifecycleTransition": hook.transition,
                "NotificationMetadata": hook.metadata,
            },
        )
    return True


def expired(member: Member) -> list[WaitingAction]:
    """The member's actions whose heartbeat timeout has passed."""
    return [action for action in member.waiting.values() if world.now() > action.deadline]


def waiting_action(group: Group, hook: str, instance_id: str, token: str) -> tuple[Member, WaitingAction]:
    """The action of an instance id or token. Raises ``ApiError`` (ValidationError) if none waits."""
    for member in group.managed():
        action = member.waiting.get(hook)
        if action is not None and (member.instance_id == instance_id or (token and action.token == token)):
            return member, action
    raise ApiError(
        "ValidationError", f"No active Lifecycle Action found with instance ID {instance_id or None} (hook {hook})"
    )


def announce(group: Group, detail_type: str, detail: dict[str, str]) -> None:
    """Send the group's event to EventBridge.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-event-reference.html
    """
    eventbridge._dispatch_event(
        {
            "EventId": str(uuid4()),
            "Source": "aws.autoscaling",
            "DetailType": detail_type,
            "Detail": json.dumps({"AutoScalingGroupName": group.name, **detail}),
            "Time": world.now(),
            "Resources": [group.arn],
            "Account": group.account,
            "Region": group.region,
        }
    )
