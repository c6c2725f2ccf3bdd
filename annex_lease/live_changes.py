"""Declared values whose change reaches instances that run, with or without a job.

A deployment applies every other changed value to instances that start afterwards, or to the lease. The lease itself is
decided by the lease checker, and `annex plan --deployed` shows it. AWS applies the values of this table before the
lease checker is invoked, so no check can refuse them. They are said before: by `annex plan --deployed` and by the
reference of the spec file, which both read this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from annex_lease import terms
from annex_lease.kinds import Term


class Reach(Enum):
    """Effect of a deployment on instances that run."""

    ANOTHER_STACK = "another stack"
    """They stay, in a stack that the spec file does not mean any more."""
    ANOTHER_ANNEX = "another annex"
    """All of them end: the annex is replaced."""
    REPLACED = "replaced"
    """AWS launches other instances in their place, then terminates them."""
    SCALED_IN = "scaled in"
    """AWS terminates those above the new size."""
    CUT_OFF = "cut off"
    """They run on, without something that they use."""


@dataclass(frozen=True)
class LiveChange:
    """A declared value whose change reaches running instances.

    Attributes:
        term: the declared value.
        reach: the effect on them.
        does: the effect in words, as a sentence without its first capital letter and its full stop.
    """

    term: Term
    reach: Reach
    does: str


_STAYS = (
    "a new annex is made in another stack; the old one stays, with its instances and their cost, until its lease ends"
)
# "An update to this setting means a gradual replacement of instances ... launches new instances before terminating the
# previous ones" (CloudFormation, AWS::AutoScaling::AutoScalingGroup InstancesDistribution); "replaces old instances
# with new ones, according to the specified subnets" (the same, VPCZoneIdentifier). An instance maintenance policy
# bounds both (EC2 Auto Scaling User Guide, "Instance maintenance policy for Auto Scaling group", Rebalancing).
_REPLACED = (
    "EC2 Auto Scaling replaces running instances step by step, with or without jobs; the group's maintenance policy "
    "lets it terminate each before it launches another, which has not been seen on AWS"
)
# "When you change a security group rule, its tracked connections are not immediately interrupted" (EC2 User Guide,
# "Security group connection tracking").
_CLOSED = (
    "a port that is no longer named is closed at once in the security group of running instances; connections that "
    "are open stay, new ones fail"
)
_TABLE = (
    LiveChange(terms.NAME, Reach.ANOTHER_STACK, _STAYS),
    LiveChange(terms.REGION, Reach.ANOTHER_STACK, _STAYS),
    LiveChange(terms.ACCOUNT, Reach.ANOTHER_STACK, _STAYS),
    LiveChange(
        terms.VPC,
        Reach.ANOTHER_ANNEX,
        "the annex is replaced: a new one with a new lease and an empty credential is made, then all instances of the "
        "old one end, with or without jobs",
    ),
    LiveChange(terms.SUBNETS, Reach.REPLACED, _REPLACED),
    LiveChange(terms.ON_DEMAND_BASE, Reach.REPLACED, _REPLACED),
    LiveChange(terms.ON_DEMAND_PERCENTAGE, Reach.REPLACED, _REPLACED),
    # "If you specify a new value for MaxSize without specifying a value for DesiredCapacity, and the new MaxSize is
    # smaller than the current size of the group, this sets the group's DesiredCapacity to the new MaxSize value" (EC2
    # Auto Scaling API Reference, UpdateAutoScalingGroup).
    LiveChange(
        terms.SIZE,
        Reach.SCALED_IN,
        "EC2 Auto Scaling terminates the instances above a smaller size at once, by its own policy, with or without "
        f"jobs; only instances that protect themselves (`{terms.PROTECT_BUSY.name}`) stay until they are idle",
    ),
    # "Deleting a role or instance profile that is associated with a running instance will break any applications
    # running on the instance" (IAM API Reference, DeleteInstanceProfile).
    LiveChange(
        terms.ROLE_PATH,
        Reach.CUT_OFF,
        "the role of running instances is replaced and deleted; they lose their permissions, and one that retires "
        "powers off and is replaced",
    ),
    # Ipv6CidrBlock of a subnet is a conditional create-only property. "You must detach or delete all gateways and
    # resources that are associated with the CIDR block before you can disassociate it" (EC2 API Reference,
    # DisassociateSubnetCidrBlock).
    LiveChange(
        terms.IPV6,
        Reach.CUT_OFF,
        "the subnets of the annex's own VPC change under running instances; CloudFormation fails, or replaces the "
        "subnets and so the instances",
    ),
    LiveChange(terms.COLLECTOR, Reach.CUT_OFF, _CLOSED),
    LiveChange(terms.ACCESS_POINT_PORTS, Reach.CUT_OFF, _CLOSED),
    LiveChange(terms.DNS_SERVERS, Reach.CUT_OFF, _CLOSED),
    LiveChange(terms.PROXY, Reach.CUT_OFF, _CLOSED),
    LiveChange(terms.HTCONDOR_MIRROR, Reach.CUT_OFF, _CLOSED),
    LiveChange(terms.PACKAGE_MIRROR, Reach.CUT_OFF, _CLOSED),
)
LIVE_CHANGES: Mapping[str, LiveChange] = {each.term.name: each for each in _TABLE}
"""The declared values by their keys, those that reach most first."""
