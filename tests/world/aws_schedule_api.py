"""EC2 Auto Scaling's calls about scheduled actions and scaling activities on the model.

The rules are those of the API reference and of the User Guide, "Scheduled scaling for Amazon EC2 Auto Scaling". A code
or a message that no page gives is the one that AWS was seen to answer with.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.world.aws_errors import validation_error
from tests.world.aws_group_api import group_of
from tests.world.aws_paging import page_of
from tests.world.aws_state import OWNER, REGION, START, Account, Activity, ScalingGroup, ScheduledAction

Params = dict[str, Any]
LIMIT = 125
"""Scheduled actions of a group."""
_ARN = f"arn:aws:autoscaling:{REGION}:{OWNER}:scheduledUpdateGroupAction:0b9a6d3e-0000-4000-8000-000000000001"
LONGEST_DELAY = 120.0
"""Seconds that AWS may take from the start time of an action until it runs."""


def put_scheduled_update_group_action(account: Account, params: Params) -> Params:
    """Add an action, or change the one of this name."""
    operation = "PutScheduledUpdateGroupAction"
    group, name = group_of(account, params), params["ScheduledActionName"]
    if "StartTime" not in params or "Recurrence" in params:
        raise NotImplementedError("the model has scheduled actions that run once, at a start time")
    sizes = [params.get(key) for key in ("MinSize", "DesiredCapacity", "MaxSize")]
    given = [size for size in sizes if size is not None]
    if not given:
        raise validation_error(operation, "At least one of MinSize, MaxSize and DesiredCapacity must be specified")
    if given != sorted(given):
        raise validation_error(operation, f"min size, desired capacity and max size are {sizes}")
    start = (params["StartTime"] - START).total_seconds()
    if start <= account.now:
        raise validation_error(operation, "Given start time is in the past")
    others = [one for one in group.scheduled.values() if one.name != name]
    if any(one.start == start for one in others):
        message = "Scheduled action with this scheduled start time already exists"
        raise validation_error(operation, message, code="AlreadyExists")
    if len(others) >= LIMIT:
        raise validation_error(operation, f"a group has at most {LIMIT} scheduled actions", code="LimitExceeded")
    group.scheduled[name] = ScheduledAction(name, start, sizes[0], sizes[2], sizes[1])
    account.plan(group, start + account.action_delay)
    return {}


def describe_scheduled_actions(account: Account, params: Params, page_size: int | None) -> Params:
    """The actions that did not run yet; unknown names are left out. With names the bounds of time are ignored."""
    groups = [group_of(account, params)] if "AutoScalingGroupName" in params else list(account.groups.values())
    found = [(group, one) for group in groups for one in group.scheduled.values()]
    names = params.get("ScheduledActionNames")
    if names:
        found = [(group, one) for group, one in found if one.name in names]
    else:
        if "StartTime" in params:
            found = [pair for pair in found if _moment(pair[1].start) >= params["StartTime"]]
        if "EndTime" in params:
            found = [pair for pair in found if _moment(pair[1].start) <= params["EndTime"]]
    part, more = page_of(found, params, params.get("MaxRecords", 50) if page_size is None else page_size)
    return {"ScheduledUpdateGroupActions": [_described(group, one) for group, one in part], **more}


def delete_scheduled_action(account: Account, params: Params) -> Params:
    """Delete an action."""
    group = group_of(account, params)
    if group.scheduled.pop(params["ScheduledActionName"], None) is None:
        raise validation_error("DeleteScheduledAction", "Scheduled action name not found")
    return {}


def describe_scaling_activities(account: Account, params: Params, page_size: int | None) -> Params:
    """The activities of a group, the newest first."""
    groups = [group_of(account, params)] if "AutoScalingGroupName" in params else list(account.groups.values())
    found = [(group, number, one) for group in groups for number, one in enumerate(group.activities)]
    found.sort(key=lambda each: (each[2].started, each[1]), reverse=True)
    part, more = page_of(found, params, params.get("MaxRecords", 100) if page_size is None else page_size)
    return {"Activities": [_activity(*each) for each in part], **more}


def _described(group: ScalingGroup, one: ScheduledAction) -> Params:
    start = _moment(one.start)
    sizes = {"MinSize": one.min_size, "MaxSize": one.max_size, "DesiredCapacity": one.desired}
    return {
        "AutoScalingGroupName": group.name,
        "ScheduledActionName": one.name,
        "ScheduledActionARN": f"{_ARN}:autoScalingGroupName/{group.name}:scheduledActionName/{one.name}",
        "Time": start,
        "StartTime": start,
        **{key: size for key, size in sizes.items() if size is not None},
    }


def _activity(group: ScalingGroup, number: int, one: Activity) -> Params:
    ended = {} if one.ended is None else {"EndTime": _moment(one.ended)}
    return {
        "ActivityId": f"{group.name}-{number}",
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        "Description": one.description,
        "Cause": "a difference between desired and actual capacity",
        "StartTime": _moment(one.started),
        "StatusCode": one.status,
        "Progress": 50 if one.ended is None else 100,
        **({"StatusMessage": one.message} if one.message else {}),
        **ended,
    }


def _moment(seconds: float) -> Any:
    return START + timedelta(seconds=seconds)
