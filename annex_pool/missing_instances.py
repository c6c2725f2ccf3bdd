"""Reasons why an annex has fewer instances than it was granted: launches that failed, and instances that did not join.

EC2 Auto Scaling names the reason of a failed launch. An instance that cannot join writes its own to its console, the
last thing before it leaves; EC2 keeps that output for an hour (EC2 API Reference, GetConsoleOutput).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from annex_lease.actions import Decision
from annex_lease.facts import failed_launch
from annex_lease.launch_advice import explained
from annex_lease.lease import Phase
from annex_lease.observed import DEAD_INSTANCE_STATES, Group
from annex_lease.tags import format_time
from annex_pool.command_error import AnnexError
from annex_pool.deployed import OVER, Deployed
from annex_pool.region import asking

NEWEST = 3
"""Number of instances whose consoles are read: each is a call, and the reason is usually the same."""
_JOINED = "annex: joined after"
RETIRING = r"annex: retiring: (.*?)\s*$"
"""Line of the console with the reason why an instance leaves; for `re.MULTILINE`."""
# Not reasons of a failed start: the beginning of a long output is not kept.
_USUAL = {"idle", "the lease ended"}


@dataclass(frozen=True)
class Reasons:
    """Findings, and failed requests with their reasons."""

    notes: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def shortfall(group: Group | None, decision: Decision | None) -> int:
    """Number of instances that the group is to have and has not; 0 where nothing may start."""
    if group is None or decision is None or decision.phase in OVER or "Launch" in group.suspended:
        return 0
    return group.shortfall()


def failed_launches(found: Deployed, group: Group, decision: Decision) -> Reasons:
    """The reason why instances are missing, as far as EC2 Auto Scaling names one."""
    missing = shortfall(group, decision)
    if not missing and (decision.phase is not Phase.GRANTED or not group.desired):
        return Reasons()
    what = f"{missing} of {group.desired} instances have not started" if missing else "no instance is in service"
    try:
        with asking(f"why instances of group {found.group.name} have not started"):
            message = failed_launch(found.annex)
    except AnnexError as error:
        return Reasons((f"{what}, and the reason is not known",), (str(error),))
    if not missing and not message:
        return Reasons()  # all are on their way; otherwise each is one that dies, and is started again
    failed = f"the newest launch that failed: {explained(message)}"
    return Reasons((f"{what}; {failed if message else 'EC2 Auto Scaling names no failed launch'}",))


def failed_starts(found: Deployed, group: Group, decision: Decision) -> Reasons:
    """The reasons of the newest instances that left without having joined, in their own words."""
    if decision.phase in OVER:
        return Reasons()
    # EC2 lists an instance for about an hour after its end.
    gone = [
        (each.launched, each.id)
        for each in group.instances or ()
        if each.state in DEAD_INSTANCE_STATES and each.launched is not None
    ]
    notes: list[str] = []
    for launched, instance in sorted(gone, reverse=True)[:NEWEST]:
        try:
            with asking(f"for the console output of {instance}"):
                output = found.aws.ec2.get_console_output(InstanceId=instance, Latest=True)
        except AnnexError as error:
            return Reasons(tuple(notes), (str(error),))
        reason = reason_in(output.get("Output", ""))
        if reason:
            notes.append(f"instance {instance}, launched at {format_time(launched)}, left before it joined: {reason}")
    return Reasons(tuple(notes))


def reason_in(console: str) -> str:
    """The reason why an instance left without having joined; empty if its console output names none."""
    found = re.findall(RETIRING, console, re.MULTILINE)
    return "" if not found or _JOINED in console or found[-1] in _USUAL else found[-1]
