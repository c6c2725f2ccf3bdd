"""The API's actions on scheduled actions.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
"""

import datetime
from typing import Any
from uuid import uuid4

from lab.cloud import groups, scheduled_actions
from lab.cloud.emulator import account, region
from lab.cloud.group_api import Result, page
from lab.cloud.group_view import timestamp
from lab.cloud.groups import Group, ScheduledAction
from lab.cloud.query import ApiError, integer


def put(request: dict[str, Any]) -> Result:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScheduledUpdateGroupAction.html.

    Raises:
        ApiError: ValidationError for contradicting or missing sizes, and for an action that recurs, which the lab does
            not have; see `scheduled_actions.put`.
    """
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    name = str(request.get("ScheduledActionName") or "")
    if request.get("Recurrence") or not request.get("StartTime"):
        raise ApiError("ValidationError", "The lab's scheduled actions have a StartTime and no Recurrence")
    minimum, desired, maximum = (integer(request, key) for key in ("MinSize", "DesiredCapacity", "MaxSize"))
    given = [size for size in (minimum, desired, maximum) if size is not None]
    if not given:
        raise ApiError("ValidationError", "At least one of MinSize, MaxSize and DesiredCapacity is required")
    if given != sorted(given):
        raise ApiError(
            "ValidationError", f"Desired capacity:{desired} must be between min size:{minimum} and max size:{maximum}"
        )
    before = group.scheduled.get(name)
    arn = before.arn if before else _arn(group, name)
    start = _moment(str(request["StartTime"]))
    scheduled_actions.put(group, ScheduledAction(name, arn, start, minimum, maximum, desired))
    return {}


def _arn(group: Group, name: str) -> str:
    return (
        f"arn:aws:autoscaling:{region()}:{account()}:scheduledUpdateGroupAction:{uuid4()}"
        f":autoScalingGroupName/{group.name}:scheduledActionName/{name}"
    )


def describe(request: dict[str, Any]) -> Result:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeScheduledActions.html."""
    name = str(request.get("AutoScalingGroupName") or "")
    chosen = [groups.get(name)] if name else groups.here()
    found = [(group, one) for group in chosen for one in group.scheduled.values()]
    names = request.get("ScheduledActionNames") or []
    if names:
        found = [pair for pair in found if pair[1].name in names]
    else:  # "If scheduled action names are provided, this property is ignored."
        low, high = (request.get(key) for key in ("StartTime", "EndTime"))
        found = [pair for pair in found if not low or pair[1].start >= _moment(str(low))]
        found = [pair for pair in found if not high or pair[1].start <= _moment(str(high))]
    return page(found, request, "ScheduledUpdateGroupActions", lambda pair: _view(*pair), default=50, most=100)


def delete(request: dict[str, Any]) -> Result:
    """https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DeleteScheduledAction.html."""
    group = groups.get(str(request.get("AutoScalingGroupName") or ""))
    if group.scheduled.pop(str(request.get("ScheduledActionName") or ""), None) is None:
        raise ApiError("ValidationError", "Scheduled action name not found")
    return {}


def _moment(text: str) -> float:
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ApiError("ValidationError", f"'{text}' is not a time: write YYYY-MM-DDThh:mm:ssZ") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


def _view(group: Group, action: ScheduledAction) -> dict[str, Any]:
    return {
        "AutoScalingGroupName": group.name,
        "ScheduledActionName": action.name,
        "ScheduledActionARN": action.arn,
        "Time": timestamp(action.start),
        "StartTime": timestamp(action.start),
        "MinSize": action.minimum,
        "MaxSize": action.maximum,
        "DesiredCapacity": action.desired,
    }
