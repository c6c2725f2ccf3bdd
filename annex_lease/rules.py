"""The rules between two declared values, and the defaults that follow from another value.

A rule returns None, or the conflict in words. The names are the keys of the spec and the parameters of the constructs.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from annex_lease.collectors import local_collector
from annex_lease.duration import format_duration
from annex_lease.forms import SHARED_NETWORK, topic_region
from annex_lease.kinds import written
from annex_lease.tags import MAX_OWN_TAGS, unusable_in_metadata
from annex_lease.terms import (
    ALARM_EMAIL,
    ALARM_TOPIC,
    COLLECTOR,
    DRAIN_BEFORE_END,
    LEASE,
    LEASE_ENDS_AT,
    MAX_LIFETIME,
    MAX_REMOVALS,
    ON_DEMAND_BASE,
    RENEW_WHILE_BUSY,
    SUBNETS,
    TAGS,
    VPC,
    WARN_BEFORE_END,
)

_KEY_LENGTH, _VALUE_LENGTH = 127, 256
_TAG_MARKS = "_.:/=+-@"
_RESERVED_PREFIXES = ("aws:", "annex:")

RENEWAL_SLACK = timedelta(minutes=6)
"""A busy annex is renewed in the second half of the renewal before its end. Jobs leave `drain_before_end` before the
end, so several runs of the lease checker, one a minute, must fit in between."""
_ABSOLUTE_LIFETIME = timedelta(days=30)
_OWN_TOPIC = f"remove {ALARM_TOPIC.name} and write {ALARM_EMAIL.name} = {written(ALARM_EMAIL)}"


@dataclass(frozen=True)
class Conflict:
    """Two declared values that exclude each other, or one that needs another.

    Attributes:
        name: the value to change.
        allowed: what it may be instead, without a value of the format of one file or language.
        fix: a length of time that fits. Default: None - `advice` says what to do, or the value can only be left out.
        advice: what to do instead, in words. Default: "".
        received: what was declared, in words. Default: "" - the value of `name`.
    """

    name: str
    allowed: str
    fix: timedelta | None = None
    advice: str = ""
    received: str = ""


def default_max_lifetime(lease: timedelta) -> timedelta:
    """The maximum lifetime where none is declared: twice the lease, at most 366 days."""
    return min(2 * lease, MAX_LIFETIME.maximum)


def default_warning(lease: timedelta | None) -> timedelta | None:
    """The warning where none is declared: 15 minutes, or half of a shorter lease; None below two minutes of lease.

    Args:
        lease: length of the lease; None: it ends at an absolute time.
    """
    if lease is None or WARN_BEFORE_END.default is None:
        return WARN_BEFORE_END.default
    half = timedelta(seconds=lease // timedelta(seconds=2))
    return min(WARN_BEFORE_END.default, half) if half >= WARN_BEFORE_END.minimum else None


def warning(declared: timedelta | None, lease: timedelta | None) -> timedelta | None:
    """The warning of an annex that has a topic for it; None: there is no warning.

    Args:
        declared: zero: no warning is wanted; None: nothing is declared, so the default holds.
        lease: length of the lease; None: it ends at an absolute time.
    """
    return default_warning(lease) if declared is None else declared or None


def default_max_removals(largest_annex: int) -> int:
    """The largest number of removals in one run where none is declared: all instances of one annex may be orphans.

    Args:
        largest_annex: number of instances of the largest annex in the Region.
    """
    return max(MAX_REMOVALS.default_value, largest_annex)


def end_conflict(lease: object | None, lease_ends_at: datetime | None) -> Conflict | None:
    """Exactly one of the length and the absolute end must be declared."""
    if (lease is None) != (lease_ends_at is None):
        return None
    one, other = LEASE.name, LEASE_ENDS_AT.name
    allowed = f"exactly one of {one} and {other}"
    if lease is None:
        return Conflict(one, allowed, advice=f"{one} = {written(LEASE)}", received=f"neither {one} nor {other}")
    return Conflict(one, allowed, advice="remove one of the two", received=f"both {one} and {other}")


def missing_lifetime(lease: object | None, max_lifetime: object | None) -> Conflict | None:
    """The maximum lifetime must be declared where no length of the lease gives it a default."""
    if lease is not None or max_lifetime is not None:
        return None
    allowed = f"required with {LEASE_ENDS_AT.name}: the maximum lifetime, counted from the annex's creation"
    return Conflict(MAX_LIFETIME.name, allowed, _ABSOLUTE_LIFETIME)


def lifetime_conflict(lease: timedelta, max_lifetime: timedelta) -> Conflict | None:
    """The maximum lifetime must hold the lease."""
    if max_lifetime >= lease:
        return None
    return Conflict(MAX_LIFETIME.name, f"the lease, {format_duration(lease)}, or more", lease)


def drain_conflict(lease: timedelta, drain_before_end: timedelta) -> Conflict | None:
    """The lease must be longer than the drain, or no job would ever start."""
    if drain_before_end < lease:
        return None
    return Conflict(DRAIN_BEFORE_END.name, f"less than the lease, {format_duration(lease)}", lease / 2)


def renewal_conflict(drain_before_end: timedelta, renew_while_busy: timedelta) -> Conflict | None:
    """The renewal must come before the drain."""
    needed = 2 * drain_before_end + RENEWAL_SLACK
    if renew_while_busy >= needed:
        return None
    drain, slack = format_duration(drain_before_end), format_duration(RENEWAL_SLACK)
    allowed = f"{format_duration(needed)} or more: twice {DRAIN_BEFORE_END.name}, {drain}, and {slack}"
    return Conflict(RENEW_WHILE_BUSY.name, allowed, needed)


def warning_conflict(lease: timedelta, warn_before_end: timedelta) -> Conflict | None:
    """The warning must fall into the lease."""
    if warn_before_end < lease:
        return None
    half = max(lease / 2, WARN_BEFORE_END.minimum)
    return Conflict(
        WARN_BEFORE_END.name, f"less than the lease, {format_duration(lease)}", half if half < lease else None
    )


def alarm_conflict(alarm_email: object | None, alarm_topic: object | None) -> Conflict | None:
    """An address is subscribed to a topic of the stack's own, so it excludes another topic."""
    if alarm_email is None or alarm_topic is None:
        return None
    both = f"{ALARM_EMAIL.name} and {ALARM_TOPIC.name}"
    advice = "remove one of the two; the address can subscribe to the topic"
    return Conflict(ALARM_EMAIL.name, f"at most one of {both}", advice=advice, received=f"both {both}")


def topic_conflict(alarm_topic: str, region: str) -> Conflict | None:
    """CloudWatch alarms and the lease checker publish in their own Region only."""
    if topic_region(alarm_topic) == region:
        return None
    advice = f"use a topic of {region}, or {_OWN_TOPIC}"
    return Conflict(ALARM_TOPIC.name, f"a topic in the annex's Region, {region}", advice=advice)


def base_topic_conflict(alarm_topic: str, regions: Iterable[str]) -> Conflict | None:
    """The topic of the base must be in the Region of every annex: there is a sweeper in each of them."""
    others = sorted({*regions} - {topic_region(alarm_topic)})
    if not others:
        return None
    allowed = f"a topic in the Region of every annex, and there are annexes in {', '.join(others)}"
    return Conflict(ALARM_TOPIC.name, allowed, advice=_OWN_TOPIC)


def base_conflict(size: int, on_demand_base: int) -> Conflict | None:
    """The on-demand base cannot be larger than the annex."""
    if on_demand_base <= size:
        return None
    allowed = f"a whole number from {ON_DEMAND_BASE.minimum} to {ON_DEMAND_BASE.limit}, {size}"
    return Conflict(ON_DEMAND_BASE.name, allowed, advice=f"{ON_DEMAND_BASE.name} = {size}")


def network_conflict(vpc: object | None, subnets: Collection[object]) -> Conflict | None:
    """A VPC and its subnets are declared together; the shared network has subnets of its own."""
    if vpc == SHARED_NETWORK:
        allowed = f"no {SUBNETS.name} with {VPC.name} = {json.dumps(vpc)}, whose network has its own"
        return Conflict(SUBNETS.name, allowed) if subnets else None
    if (vpc is None) == (not subnets):
        return None
    missing, given = (VPC, SUBNETS) if vpc is None else (SUBNETS, VPC)
    shared = f"{VPC.name} = {json.dumps(SHARED_NETWORK)} alone"
    allowed = f"{VPC.name} and {SUBNETS.name} together, {shared}, or neither for a small VPC of the annex's own"
    return Conflict(missing.name, allowed, advice=f"{missing.name} = {written(missing)}, or remove {given.name}")


def collector_conflict(collector: str) -> Conflict | None:
    """Instances must reach the collectors: an address of the loopback is the instance itself."""
    local = local_collector(collector)
    if not local:
        return None
    allowed = f"addresses at which instances reach the central manager; {local} is each instance itself or its link"
    return Conflict(COLLECTOR.name, allowed, advice=f"write the central manager's name, such as {written(COLLECTOR)}")


def tag_conflict(tags: Mapping[str, str]) -> Conflict | None:
    """The first tag that not every resource of an annex could have, or one tag too many.

    - Keys: EC2 takes 127 characters (API reference, Tag), and of a key that instances read in their metadata fewer
      characters than other services.
    - Values: 1 to 256 characters (CloudFormation API reference, Tag), and only those that IAM and most services take:
      letters, digits, spaces and `_.:/=+-@` (IAM API reference, Tag).
    - Two keys: IAM takes none that differ in case only, and the roles have all tags (IAM User Guide, "Tags for AWS
      Identity and Access Management resources").
    - Prefixes: `aws:` is AWS's in any case, `annex:` that of the lease. `Name` is the annex's own.
    """
    for key, value in tags.items():
        name = f"the key {key!r}"
        if not 0 < len(key) <= _KEY_LENGTH or unusable_in_metadata(key) or "," in key:
            allowed = (
                f"keys of 1 to {_KEY_LENGTH} letters a-z and A-Z, digits and +-=._:@ (not '.', '..' or '_index'), "
                "because instances read their tags in their metadata"
            )
            return Conflict(TAGS.name, allowed, advice="rename the key", received=name)
        if key.lower().startswith(_RESERVED_PREFIXES) or key == "Name":
            allowed = f"keys without the prefix {' or '.join(_RESERVED_PREFIXES)}, and not Name, which the annex sets"
            return Conflict(TAGS.name, allowed, advice="rename the key", received=name)
        if not 0 < len(value) <= _VALUE_LENGTH or not all(map(_in_tag_value, value)):
            allowed = f"values of 1 to {_VALUE_LENGTH} letters, digits, spaces and {_TAG_MARKS}"
            return Conflict(TAGS.name, allowed, advice="shorten or change the value", received=f"{name} = {value!r}")
    folded = [key.lower() for key in tags]
    twice = [key for key in tags if folded.count(key.lower()) > 1]
    if twice:
        allowed = "keys that differ in more than upper and lower case, because roles have them all"
        return Conflict(TAGS.name, allowed, advice="remove one of them", received=" and ".join(map(repr, twice)))
    if len(tags) > MAX_OWN_TAGS:
        allowed = f"at most {MAX_OWN_TAGS} tags: AWS takes 50, and the lease needs the others"
        return Conflict(TAGS.name, allowed, advice="remove some of them", received=f"{len(tags)} tags")
    return None


def _in_tag_value(character: str) -> bool:
    """Letters, separators and numbers of any script, by their Unicode category, and some marks."""
    return unicodedata.category(character)[0] in "LZN" or character in _TAG_MARKS
