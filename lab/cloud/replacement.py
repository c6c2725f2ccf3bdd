"""Gradual replacement of running instances after a change of a group's subnets or purchase options.

"When you update VPCZoneIdentifier, this retains the same Auto Scaling group and replaces old instances with new ones,
according to the specified subnets". "An update to this setting means a gradual replacement of instances to adjust the
current On-Demand Instance levels":
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-autoscaling-autoscalinggroup.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-autoscaling-autoscalinggroup-instancesdistribution.html

Both are rebalancing, an instance maintenance event: its default is to launch before it terminates, and a policy of the
group bounds it:
https://docs.aws.amazon.com/autoscaling/ec2/userguide/instance-maintenance-policy-overview-and-considerations.html

Assumptions, about which no page says anything:

- one instance is replaced at a time, as soon as all others are in service;
- only instances outside the new subnets count as old ones; new zones take none from others;
- those on too many of a purchase option are replaced, oldest first;
- instances that are protected from scale-in are passed by;
- a suspended AZRebalance process stops nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.cloud import instances, purchase
from lab.cloud.groups import Group, Member
from lab.cloud.query import ApiError, integer

CAUSE = "an instance was taken out of service in response to a change of the group's subnets or purchase options."


@dataclass(frozen=True)
class _Declared:
    """The settings whose change begins a replacement."""

    subnets: frozenset[str]
    on_demand: tuple[int, int] | None


def declared(group: Group) -> _Declared:
    """The settings whose change begins a replacement, as they are now."""
    distribution = purchase.on_demand_terms(group.mixed) if group.mixed else None
    return _Declared(frozenset(group.subnets), distribution)


def begin(group: Group, before: _Declared) -> None:
    """Begin the replacement if these settings differ from those before."""
    if group.members and declared(group) != before:
        group.replacing = True


def set_policy(group: Group, policy: Mapping[str, Any]) -> None:
    """Set the instance maintenance policy; -1 clears it.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstanceMaintenancePolicy.html

    Raises:
        ApiError: ValidationError for one percentage without the other, or beyond their ranges.
    """
    low, high = integer(policy, "MinHealthyPercentage"), integer(policy, "MaxHealthyPercentage")
    if low == high == -1:
        group.healthy = None
    elif low is None or high is None or not 0 <= low <= 100 <= high <= 200 or high - low > 100:
        raise ApiError(
            "ValidationError",
            "MinHealthyPercentage must be 0 to 100, MaxHealthyPercentage 100 to 200, and the difference at most 100; "
            f"received {low} and {high}",
        )
    else:
        group.healthy = (low, high)


def target(group: Group) -> int:
    """Number of launched members that the group should have: one above the desired capacity for a replacement."""
    leaving = group.member(group.leaving)
    spare = leaving is not None and leaving in group.launched() and group.desired > 0
    return group.desired + spare


def last_in_line(group: Group, candidates: list[Member]) -> list[Member]:
    """Members in the order of scale-in, the one that is being replaced first."""
    return sorted(candidates, key=lambda one: one.instance_id != group.leaving)


def next_to_end(group: Group) -> Member | None:
    """Take the next step of a replacement that needs no termination; the member to terminate now, or None.

    With a suspended Launch a group is not rebalanced. With a suspended Terminate, AWS may launch without terminating;
    the lab replaces nothing then:
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/understand-how-suspending-processes-affects-other-processes.html
    """
    if not group.replacing or group.deleting or group.suspended.keys() & {"Launch", "Terminate"}:
        return None
    launched = group.launched()
    if len(launched) != target(group) or any(one.lifecycle != "InService" for one in launched):
        return None
    leaving = group.member(group.leaving)
    if leaving in launched:
        group.leaving = ""
        return leaving
    group.leaving = ""
    old = misfits(group)
    if not old:
        group.replacing = False
        return None
    if _launches_first(group):
        group.leaving = old[0].instance_id
        return None
    return old[0]


def misfits(group: Group) -> list[Member]:
    """Members that the settings of the group would not launch any more, and that may be replaced."""
    launched = [(one, record) for one in group.launched() if (record := instances.find(one.instance_id))]
    old = [one for one, record in launched if record["SubnetId"] not in group.subnets]
    if group.mixed:
        spot = [one for one, record in launched if instances.details(record).spot]
        on_demand = [one for one, _ in launched if one not in spot]
        wanted = purchase.on_demand_among(purchase.on_demand_terms(group.mixed), len(launched))
        old += on_demand[: max(0, len(on_demand) - wanted)] + spot[: max(0, wanted - len(on_demand))]
    return [one for one, _ in launched if one in old and not one.protected]


def _launches_first(group: Group) -> bool:
    return group.healthy is None or group.healthy[1] > 100
