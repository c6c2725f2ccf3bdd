"""Launches of an annex that fail or do not come: what is missing, for how long, and why. Pure.

AWS's reason is a problem at once. Without one a launch has some minutes, because an instance needs some to start.
A message to the topic is for a fleet without any instance in service for long: jobs wait, and the lease runs.
"""

from __future__ import annotations

from datetime import timedelta

from annex_lease.launch_advice import explained
from annex_lease.observed import Fact, Group

SLOW = timedelta(minutes=5)
"""Time after which a launch that AWS says nothing about counts as one that did not come."""
ALARMING = timedelta(minutes=10)
"""Time without an instance in service after which a message is published."""
REPORT_KIND = "launch"
"""Kind of that message."""


def needs(group: Group) -> frozenset[Fact]:
    """The facts without which it is not known why a granted annex lacks instances."""
    asked = _shortfall(group) or (group.unserved() and group.unserved_for >= SLOW)
    return frozenset({Fact.ACTIVITY}) if asked and group.activity is None else frozenset()


def missing(group: Group) -> int:
    """Number of instances of a granted annex whose launch failed, or is late; 0 where nothing may start."""
    return _shortfall(group) if group.activity or group.short_for >= SLOW else 0


def problem(group: Group) -> str:
    """The problem of a granted annex that lacks instances; empty: there is none, or it is too early to say."""
    if count := missing(group):
        since = f" for {_minutes(group.short_for)} minutes" if group.short_for >= SLOW else ""
        return f"{count} of {group.desired} instances have not started{since}: {_reason(group)}"
    if group.unserved() and group.unserved_for >= SLOW:
        return f"no instance has been in service for {_minutes(group.unserved_for)} minutes: {_reason(group)}"
    return ""


def alarm(group: Group) -> str:
    """Text of the message about a granted annex without any instance in service; empty: none is due.

    It stays due until an instance is in service: a checker that lost its memory does not publish it twice.
    """
    reported = REPORT_KIND in group.lease.record.reported_kinds
    if not group.lease.size or not group.unserved() or not (reported or group.unserved_for >= ALARMING):
        return ""
    if not reported and needs(group) - group.refused:
        return ""  # the reason is looked up first
    minutes = _minutes(group.unserved_for)
    return f"no instance has been in service for {minutes} minutes, and {group.desired} are to be: {_reason(group)}"


def _shortfall(group: Group) -> int:
    return 0 if "Launch" in group.suspended else group.shortfall()


def _reason(group: Group) -> str:
    if group.activity is None:
        return "the reason is not known"
    return explained(group.activity) or "EC2 Auto Scaling names no failed launch"


def _minutes(time: timedelta) -> int:
    return int(time.total_seconds()) // 60
