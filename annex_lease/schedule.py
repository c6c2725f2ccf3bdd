"""Scheduled actions of EC2 Auto Scaling that empty a group at its ends: an enforcer without any code of ours. Pure.

Two actions. One at the effective end, which moves with it. One after the latest end, which sets the MaxSize to 0 as
well: it is put before the first grant, and only a deployment moves it. See the EC2 Auto Scaling User Guide, "Scheduled
scaling": a start time in the past is refused, and so are two actions of a group at one time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from annex_lease.actions import ScheduleEnds
from annex_lease.entries import Schedule, ScheduledAction
from annex_lease.observed import Group
from annex_lease.tags import format_time

END_ACTION = "annex-end"
"""Name of the scheduled action at the effective end."""
LATEST_END_ACTION = "annex-latest-end"
"""Name of the scheduled action after the latest end."""
# Two actions of a group cannot have one time, and the effective end can be the latest.
_APART = timedelta(minutes=1)
# A start time must still be in the future when AWS reads it.
_MARGIN = timedelta(seconds=30)


def schedule_ends(group: Group, end: datetime, now: datetime, *, deploying: bool) -> tuple[ScheduleEnds, ...]:
    """Put the actions that are not there, by the record, or by the group's own list if that was looked up.

    Args:
        group: the group as observed.
        end: effective end of the lease.
        now: current time, aware.
        deploying: True if a deployment asks: the only time at which the action after the latest end may move later.
    """
    lease, recorded = group.lease, group.lease.record.scheduled
    latest = lease.latest_end if recorded is None or deploying else min(recorded.latest_end, lease.latest_end)
    wanted = Schedule(end, latest)
    actions = (
        ScheduledAction(END_ACTION, end, final=False),
        ScheduledAction(LATEST_END_ACTION, latest + _APART, final=True),
    )
    if group.scheduled is not None:
        due = [each for each in actions if group.scheduled.get(each.name) != each.start]
    else:
        known = (recorded is not None and recorded.end == end, recorded is not None and recorded.latest_end == latest)
        due = [each for each, is_known in zip(actions, known, strict=True) if not is_known]
    due = [each for each in due if each.start - now > _MARGIN]
    if recorded is not None and latest > recorded.latest_end:
        # The later one leaves the time that the earlier one may come to: AWS refuses two at one time.
        due.reverse()
    if not due:
        return ()
    reason = f"the group has to be empty from {format_time(end)} on, without any check"
    return (ScheduleEnds(wanted, tuple(due), reason),)
