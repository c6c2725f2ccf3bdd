"""Choice of the next launch, type and spot or on-demand, from a group's MixedInstancesPolicy.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstancesDistribution.html
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lab.cloud.query import ApiError


@dataclass(frozen=True)
class Purchase:
    """One instance to launch."""

    template: Mapping[str, str]
    instance_type: str | None
    spot: bool


def choose(
    template: Mapping[str, str],
    mixed: Mapping[str, Any],
    present: list[tuple[str, bool]],
    failed: frozenset[str] = frozenset(),
) -> Purchase:
    """The next launch of a group, given ``(instance type, is spot)`` of the instances it has.

    On-demand instances fill the base capacity first, then their percentage above it, rounded up in favour of
    on-demand as AWS documents. On-demand types are taken in the order listed ("prioritized", the default), spot types
    evenly (the lab has no spot market, so every allocation strategy spreads like "lowest-price" over equal pools).
    ``failed`` are types that could not be launched just now.

    Raises:
        ApiError: the policy has no launch template, or every type failed.
    """
    if not mixed:
        return Purchase(template, None, False)
    part = mixed.get("LaunchTemplate") or {}
    specification = part.get("LaunchTemplateSpecification") or {}
    if not specification:
        raise ApiError("ValidationError", "MixedInstancesPolicy needs a LaunchTemplateSpecification, received none")
    types = [str(one["InstanceType"]) for one in part.get("Overrides") or [] if one.get("InstanceType")]
    spot = _spot_is_next(mixed, present)
    usable = [one for one in types if one not in failed]
    if types and not usable:
        raise ApiError("InsufficientInstanceCapacity", f"none of {types} could be launched")
    if not usable:
        return Purchase(specification, None, spot)
    if not spot:
        return Purchase(specification, usable[0], False)
    counted = Counter(kind for kind, is_spot in present if is_spot)
    return Purchase(specification, min(usable, key=lambda kind: counted[kind]), True)


def on_demand_terms(mixed: Mapping[str, Any]) -> tuple[int, int]:
    """On-demand base, and on-demand percentage above it, of a MixedInstancesPolicy."""
    distribution = mixed.get("InstancesDistribution") or {}
    share = distribution.get("OnDemandPercentageAboveBaseCapacity")
    return int(distribution.get("OnDemandBaseCapacity") or 0), 100 if share in (None, "") else int(share)


def on_demand_among(terms: tuple[int, int], count: int) -> int:
    """Number of on-demand instances among so many."""
    base, percentage = terms
    return min(count, base + math.ceil(max(0, count - base) * percentage / 100))


def _spot_is_next(mixed: Mapping[str, Any], present: list[tuple[str, bool]]) -> bool:
    wanted = on_demand_among(on_demand_terms(mixed), len(present) + 1)
    return sum(not is_spot for _, is_spot in present) >= wanted
