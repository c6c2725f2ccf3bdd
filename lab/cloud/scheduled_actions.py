"""Scheduled actions of groups, run when the cloud's clock reaches their start time.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html
"""

import logging

from lab.cloud import world
from lab.cloud.groups import Group, ScheduledAction
from lab.cloud.query import ApiError

MOST = 125
"""Scheduled actions of a group."""

_log = logging.getLogger(__name__)


def put(group: Group, action: ScheduledAction) -> None:
    """Add an action to a group, or replace the one of its name.

    Raises:
        ApiError: ValidationError for a start in the past, AlreadyExists for the start of another action, LimitExceeded.
    """
    others = [one for one in group.scheduled.values() if one.name != action.name]
    if action.start <= world.now():
        raise ApiError("ValidationError", "Given start time is in the past")
    if any(one.start == action.start for one in others):
        raise ApiError("AlreadyExists", "Scheduled action with this scheduled start time already exists")
    if len(others) >= MOST:
        raise ApiError("LimitExceeded", f"A group can have at most {MOST} scheduled actions")
    group.scheduled[action.name] = action


def run_due(group: Group) -> None:
    """Run the actions whose start time has come, in the order of their times; each disappears.

    What falls due while ScheduledActions is suspended is not run later either:
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/as-suspend-resume-processes.html
    """
    due = [one for one in group.scheduled.values() if one.start <= world.now()]
    for one in sorted(due, key=lambda one: one.start):
        del group.scheduled[one.name]
        if "ScheduledActions" in group.suspended:
            continue
        try:
            group.set_capacity(one.minimum, one.maximum, one.desired)
        except ApiError as error:
            # AWS documents no effect of an action whose sizes contradict those of the group.
            _log.warning("scheduled action %s of group %s: %s", one.name, group.name, error)
