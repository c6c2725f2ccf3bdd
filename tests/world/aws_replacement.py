"""Gradual replacement of the model's instances, after a change of a group's subnets or purchase options.

AWS counts it as rebalancing: it launches before it terminates, unless the maximum healthy percentage of the group's
maintenance policy is 100 (EC2 Auto Scaling User Guide, "Instance maintenance policy for Auto Scaling group"). The pace
is not documented. Here one instance is replaced after another, each as soon as all others are in service. One that is
protected from scale-in is passed by.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.world.aws_sizes import REACTION
from tests.world.aws_state import Account, Ec2Instance, ScalingGroup


def begin(account: Account, group: ScalingGroup) -> None:
    """Let no running instance fit the settings of the group any more."""
    group.outdated = [one.id for one in account.members(group) if not one.warm]
    account.touch(group, REACTION)


def target(group: ScalingGroup, counted: Sequence[Ec2Instance]) -> int:
    """Number of instances that the group should have: one more while a new one is awaited that is launched first."""
    return group.desired + (group.desired > 0 and any(one.id == group.leaving for one in counted))


def next_to_end(account: Account, group: ScalingGroup, counted: Sequence[Ec2Instance]) -> Ec2Instance | None:
    """Take the next step; the instance to terminate now, or None. With Launch or Terminate suspended there is none."""
    waits = any(one.lifecycle != "InService" or one.state != "running" for one in counted)
    if waits or group.deleting or group.suspended & {"Launch", "Terminate"}:
        return None
    leaving = next((one for one in counted if one.id == group.leaving), None)
    old = [one for one in counted if one.id in group.outdated and not one.protected]
    if leaving is None and not old:
        return None
    account.touch(group, REACTION)
    if leaving is None and group.max_healthy > 100:
        group.leaving = old[0].id
        return None
    ended, group.leaving = leaving or old[0], ""
    group.outdated.remove(ended.id)
    return ended
