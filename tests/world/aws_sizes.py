"""Sizes of the model's groups: set by a call, or by a scheduled action at its time."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

from botocore.exceptions import ClientError

from tests.world.aws_errors import validation_error
from tests.world.aws_state import Account, ScalingGroup

REACTION = 3.0  # seconds until a group follows a changed setting; undocumented


def resize(group: ScalingGroup, sizes: Mapping[str, int | None], operation: str) -> None:
    """Set the sizes that are given; a MinSize above, or a MaxSize below, the desired capacity moves it."""
    least, most, wanted = (sizes.get(key) for key in ("MinSize", "MaxSize", "DesiredCapacity"))
    least, most = group.min_size if least is None else least, group.max_size if most is None else most
    desired = min(max(group.desired, least), most) if wanted is None else wanted
    if not least <= desired <= most:
        message = f"Desired capacity:{desired} must be between the specified min size:{least} and max size:{most}"
        raise validation_error(operation, message)
    group.min_size, group.max_size, group.desired = least, most, desired


def run_scheduled(account: Account, group: ScalingGroup) -> None:
    """Run the actions that are due, in the order of their times; each disappears.

    While ScheduledActions is suspended, what falls due is not run, and not later either ("Suspend and resume
    processes"). What becomes of sizes that contradict those of the group is not documented: nothing changes here.
    """
    due = [one for one in group.scheduled.values() if one.start + account.action_delay <= account.now]
    for one in sorted(due, key=lambda one: one.start):
        del group.scheduled[one.name]
        sizes = {"MinSize": one.min_size, "MaxSize": one.max_size, "DesiredCapacity": one.desired}
        if "ScheduledActions" not in group.suspended:
            with contextlib.suppress(ClientError):
                resize(group, sizes, "")
                account.touch(group, REACTION)
