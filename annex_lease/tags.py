"""The contract between everything that handles a lease: annex names, tag keys, the text form of times and numbers.

The record of a lease is a handful of tags on the annex's Auto Scaling group. The template declares the policy, the
operator writes one tag, the lease checker writes the rest. Every key can be read by an instance from its own metadata,
where AWS allows letters, digits and ``+-=.,_:@`` only, so no key holds a slash or a space
(EC2 User Guide, "Work with instance tags in instance metadata").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

TAG_NAME = "annex:name"
"""The annex's name; declared by the template on everything that can be tagged."""
TAG_ID = "annex:id"
"""The id of this very annex, `STACK UUID.NAME`: another annex of the same name has another; declared, on everything."""
TAG_RESPONDER = "annex:responder"
"""On the function that answers CloudFormation in the lease checker's place, so that nobody takes it for the checker."""
TAG_SIZE = "annex:size"
"""The declared number of instances, an integer >= 0; declared by the template."""
TAG_DURATION = "annex:lease-duration"
"""Seconds from the group's creation to the end of the lease; declared, unless `TAG_ENDS_AT` is."""
TAG_ENDS_AT = "annex:lease-ends-at"
"""The time at which the lease ends; declared, unless `TAG_DURATION` is."""
TAG_MAX_LIFETIME = "annex:max-lifetime"
"""Seconds from the group's creation that no lease can pass, whatever is written later; declared."""
TAG_GRACE = "annex:lease-grace"
"""Seconds an instance may take to shut down after the end before it is terminated by its id; declared."""
TAG_RENEW = "annex:lease-renew"
"""Seconds by which the lease is renewed while instances are busy; declared, optional."""
TAG_LIMIT = "annex:max-instance-hours"
"""Instance-hours after which the lease ends, however long it was to last; declared, optional."""
TAG_WARN_BEFORE_END = "annex:warn-before-end"
"""Seconds before the end at which a warning is published; declared, optional."""
TAG_UNTIL = "annex:lease-until"
"""The operator's word: the time at which the lease ends instead. Written by `annex extend`, `renew` and `stop`."""
TAG_RENEWED = "annex:lease-renewed"
"""The operator's wish to have the declared size granted again: the time of `annex renew`, only compared."""
TAG_END = "annex:lease-end"
"""The effective end as the lease checker publishes it to instances. The checker itself never trusts it."""
TAG_NOTIFIED = "annex:lease-notified"
"""The effective end that every running instance was told; written by the lease checker."""
TAG_GRANTED = "annex:granted"
"""`SIZE` or `SIZE@RENEWAL`: the declared size that was granted, and for which renewal; written by the lease checker."""
TAG_BUSY = "annex:lease-busy-until"
"""`END@BASE`: the end to which a busy annex was renewed, in place of the end BASE; written by the lease checker."""
TAG_USED = "annex:used"
"""`INSTANCE-SECONDS@TIMExCOUNT`: what was used by a time, and by how many instances since; written by the checker."""
TAG_WARNED = "annex:lease-warned"
"""The end that a warning was published about; written by the lease checker."""

DECLARED_TAGS = (
    TAG_NAME,
    TAG_ID,
    TAG_SIZE,
    TAG_DURATION,
    TAG_ENDS_AT,
    TAG_MAX_LIFETIME,
    TAG_GRACE,
    TAG_RENEW,
    TAG_LIMIT,
    TAG_WARN_BEFORE_END,
)
"""Keys that only the template writes."""
PROPAGATED_TAGS = frozenset({TAG_NAME, TAG_ID, TAG_END})
"""Keys that the group copies to the instances it launches."""

MAX_LIFETIME_SECONDS = 366 * 86_400
"""No lease can last longer than a year, however it was declared: a slip in units (ms for s) must not pass."""
LONGEST_GRACE_SECONDS = 86_400
"""An instance that did not shut down within a day will not."""
SHORTEST_RENEWAL_SECONDS = 600
"""A lease that is renewed by less would be renewed at every other check."""
LARGEST_LIMIT_HOURS = 100_000_000
"""More instance-hours than any fleet can use within the longest reach."""
SHORTEST_WARNING_SECONDS = 60
"""A warning that comes with the last check before the end."""

_NAME = re.compile(r"[a-z](?:-?[a-z0-9]){0,31}")
_NAME_LENGTH = 32
_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")
_COUNT = re.compile(r"0|[1-9][0-9]{0,8}")
_SHOWN = 60


def shown(value: object) -> str:
    """A received value as error texts show it: quoted, escaped, at most 60 characters."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def is_annex_name(name: str) -> bool:
    """Whether `name` can name an annex: a-z, 0-9 and single inner hyphens, a letter first, at most 32 characters."""
    return len(name) <= _NAME_LENGTH and _NAME.fullmatch(name) is not None


def check_annex_name(name: str) -> str:
    """`name` itself, if it can name an annex.

    Raises:
        ValueError: with the value received and the values allowed.
    """
    if not is_annex_name(name):
        raise ValueError(
            f"annex name {shown(name)} is not allowed: use at most {_NAME_LENGTH} characters of a-z, 0-9 and single "
            "hyphens between them, starting with a letter"
        )
    return name


def format_time(moment: datetime) -> str:
    """The one text form of a time: ``YYYY-MM-DDTHH:MM:SSZ``, UTC, fractions of a second dropped.

    Raises:
        ValueError: `moment` has no time zone.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"time {moment.isoformat()} has no time zone: pass an aware datetime, for example in UTC")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def parse_time(text: str) -> datetime:
    """The aware UTC time that `text` says in the form of `format_time`; no other form is read.

    Raises:
        ValueError: with the value received and the form allowed.
    """
    match = _TIME.fullmatch(text)
    try:
        if match is None:
            raise ValueError("it has another form")
        year, month, day, hour, minute, second = (int(part) for part in match.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise ValueError(
            f"{shown(text)} is not a time ({error}): write YYYY-MM-DDTHH:MM:SSZ, for example 2026-12-01T08:00:00Z"
        ) from None


def parse_count(text: str, *, least: int = 0, most: int = 999_999_999) -> int:
    """The whole number that `text` writes in plain ASCII digits, without sign, space or leading zero.

    Raises:
        ValueError: with the value received and the range allowed.
    """
    if _COUNT.fullmatch(text) is None or not least <= int(text) <= most:
        raise ValueError(f"{shown(text)} is not a whole number from {least} to {most}")
    return int(text)


@dataclass(frozen=True)
class Tag:
    """A tag of an Auto Scaling group, with the flag that says whether the group gives it to new instances."""

    key: str
    value: str
    propagate: bool

    def to_api(self, group: str) -> dict[str, str | bool]:
        """The tag as CreateOrUpdateTags takes it, for the group of exactly this name."""
        return {
            "ResourceId": group,
            "ResourceType": "auto-scaling-group",
            "Key": self.key,
            "Value": self.value,
            "PropagateAtLaunch": self.propagate,
        }


def group_tag(key: str, value: str) -> Tag:
    """A tag of the contract, with the propagation that the contract gives its key."""
    return Tag(key, value, key in PROPAGATED_TAGS)


def tags_from_api(described: Iterable[Mapping[str, object]]) -> tuple[Tag, ...]:
    """The tags of a group as DescribeAutoScalingGroups returns them."""
    return tuple(Tag(str(t["Key"]), str(t.get("Value") or ""), t.get("PropagateAtLaunch") is True) for t in described)
