"""Replacement of MiniStack's Auto Scaling API, whose groups have no instances."""

from collections.abc import Callable, Mapping
from typing import Any

from lab.cloud import group_api, group_tag_api, member_api, scheduled_action_api, warm_pool_api, world
from lab.cloud.emulator import Response, autoscaling, provisioners
from lab.cloud.query import ApiError, answer, failure, nested

Handler = Callable[[dict[str, Any]], dict[str, Any]]

ACTIONS: dict[str, Handler] = {
    "CreateAutoScalingGroup": group_api.create_group,
    "UpdateAutoScalingGroup": group_api.update_group,
    "DeleteAutoScalingGroup": group_api.delete_group,
    "DescribeAutoScalingGroups": group_api.describe_groups,
    "SetDesiredCapacity": group_api.set_desired_capacity,
    "DescribeScalingActivities": group_api.describe_activities,
    "CreateOrUpdateTags": group_tag_api.create_tags,
    "DeleteTags": group_tag_api.delete_tags,
    "DescribeTags": group_tag_api.describe_tags,
    "SuspendProcesses": group_api.suspend_processes,
    "ResumeProcesses": group_api.resume_processes,
    "PutLifecycleHook": group_api.put_hook,
    "DeleteLifecycleHook": group_api.delete_hook,
    "DescribeLifecycleHooks": group_api.describe_hooks,
    "DescribeAutoScalingInstances": member_api.describe_members,
    "SetInstanceProtection": member_api.set_protection,
    "SetInstanceHealth": member_api.set_health,
    "TerminateInstanceInAutoScalingGroup": member_api.terminate_member,
    "CompleteLifecycleAction": member_api.complete_action,
    "RecordLifecycleActionHeartbeat": member_api.record_heartbeat,
    "AttachInstances": member_api.attach,
    "DetachInstances": member_api.detach,
    "EnterStandby": member_api.enter_standby,
    "ExitStandby": member_api.exit_standby,
    "PutScheduledUpdateGroupAction": scheduled_action_api.put,
    "DescribeScheduledActions": scheduled_action_api.describe,
    "DeleteScheduledAction": scheduled_action_api.delete,
    "PutWarmPool": warm_pool_api.put,
    "DescribeWarmPool": warm_pool_api.describe,
    "DeleteWarmPool": warm_pool_api.delete,
}


def _action(name: str, handler: Handler) -> Callable[[Mapping[str, Any]], Response]:
    def run(parameters: Mapping[str, Any]) -> Response:
        with world.lock:
            try:
                return answer(name, handler(nested(parameters)))
            except ApiError as error:
                return failure(error)

    return run


def install() -> None:
    """Answer the actions above; remove those that MiniStack would answer about groups it does not have.

    The rest of MiniStack's API (policies) only keeps records without effect. A template cannot declare a scheduled
    action: MiniStack's own would never run.
    """
    provisioners._RESOURCE_HANDLERS.pop("AWS::AutoScaling::ScheduledAction", None)
    for name in ("StartInstanceRefresh", "DescribeInstanceRefreshes", "CancelInstanceRefresh"):
        autoscaling._ACTION_MAP.pop(name, None)
    for name in ("CreateLaunchConfiguration", "DescribeLaunchConfigurations", "DeleteLaunchConfiguration"):
        autoscaling._ACTION_MAP.pop(name, None)
    autoscaling._ACTION_MAP.update({name: _action(name, handler) for name, handler in ACTIONS.items()})
