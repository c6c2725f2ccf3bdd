"""Keys of all tags of an annex, and the text forms of their times and numbers.

The record of a lease is a set of tags on the annex's Auto Scaling group. The template declares the policy, the commands
write the operator's override, the lease checker writes the rest. The sweeper marks orphans with a tag of its own.

An instance can read every key from its own metadata, so none holds a slash or a space: see `unusable_in_metadata`. The
declared values and their ranges stand in `annex_lease.terms`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

TAG_NAME = "annex:name"
"""Name of the annex; the template declares it on every resource that can be tagged."""
TAG_ID = "annex:id"
"""Unique id of the annex, `STACK UUID.NAME`; the template declares it on every resource that can be tagged."""
TAG_RESPONDER = "annex:responder"
"""Marks the function that answers CloudFormation if the lease checker fails: it is not the checker."""
TAG_SIZE = "annex:size"
"""Declared number of instances, an integer >= 0."""
TAG_DURATION = "annex:lease-duration"
"""Seconds from the creation of the group to the end of the lease; declared, unless `TAG_ENDS_AT` is."""
TAG_ENDS_AT = "annex:lease-ends-at"
"""Time at which the lease ends; declared, unless `TAG_DURATION` is."""
TAG_MAX_LIFETIME = "annex:max-lifetime"
"""Seconds from the creation of the group to the latest end that any extension or renewal can reach; declared."""
TAG_GRACE = "annex:lease-grace"
"""Seconds that an instance may take to shut down after the end before it is terminated by its id; declared."""
TAG_RENEW = "annex:lease-renew"
"""Seconds that a renewal adds to the lease while instances are busy; declared, optional."""
TAG_LIMIT = "annex:max-instance-hours"
"""Instance-hours after which the lease ends, however long it was to last; declared, optional."""
TAG_WARN_BEFORE_END = "annex:warn-before-end"
"""Seconds before the end at which a warning is published; declared, optional."""
TAG_UNTIL = "annex:lease-until"
"""Operator's override of the declared end; `annex extend`, `annex renew` and `annex stop` write it."""
TAG_OVERRIDES = "annex:lease-overrides"
"""`END@DECLARED-END`: operator's override, and the declared end that it was written against. The commands write it with
the override, the lease checker writes it for an override that was written without it. A deployment that changes the
declared end makes the override void: the lease checker adds `@TIME`, and writes `END@void` an hour later."""
TAG_RENEWED = "annex:lease-renewed"
"""Time of the last `annex renew`: the declared size is granted again for each new value. It is only compared."""
TAG_END = "annex:lease-end"
"""Effective end, as the lease checker publishes it to instances; no decision about the end is based on it."""
TAG_NOTIFIED = "annex:lease-notified"
"""Effective end that was written on every running instance; the lease checker writes it."""
TAG_GRANTED = "annex:granted"
"""`SIZE` or `SIZE@RENEWAL`: size that was granted, and the renewal it was granted for, with a `?` at the end while the
grant is not completed; the lease checker writes it."""
TAG_SCHEDULED = "annex:lease-scheduled"
"""`END@LATEST-END`: ends for which the group has scheduled actions of EC2 Auto Scaling; the lease checker writes it."""
TAG_CLOSED = "annex:closed"
"""Time at which a destroy began to empty the annex, after which nothing is granted; the lease checker writes it."""
TAG_BUSY = "annex:lease-busy-until"
"""`END@UNRENEWED-END`: end to which a busy annex was renewed, and the end before it; the lease checker writes it."""
TAG_USED = "annex:used"
"""`INSTANCE-SECONDS@TIMExCOUNT`: use up to a time, and number of instances since then; the lease checker writes it."""
TAG_WARNED = "annex:lease-warned"
"""End that a warning was published about; the lease checker writes it."""
TAG_REPORTED = "annex:lease-reported"
"""Kinds of disorder that were reported, as words; the lease checker writes it."""
TAG_ORPHAN = "annex:orphan"
"""Time at which the sweeper first found the resource to be an orphan; only the sweeper writes and deletes it."""

TAG_IMAGE = "annex:image"
"""Name of the built image that a resource belongs to: its machine images, and all that builds them. Not of an annex."""
TAG_RECIPE = "annex:recipe"
"""Version of the recipe that an image was built by, on Image Builder's record of it."""
IMAGE_TAGS = frozenset({TAG_IMAGE, TAG_RECIPE})
"""Keys of images; no resource of an annex has them."""

CHECKER_TAGS = (
    TAG_END,
    TAG_NOTIFIED,
    TAG_GRANTED,
    TAG_BUSY,
    TAG_USED,
    TAG_WARNED,
    TAG_OVERRIDES,
    TAG_CLOSED,
    TAG_SCHEDULED,
    TAG_REPORTED,
)
"""Keys that the lease checker writes on the group; its role allows no others."""
OPERATOR_TAGS = (TAG_UNTIL, TAG_RENEWED, TAG_OVERRIDES)
"""Keys that the commands write on the group; an operator's permissions allow no others."""
RUNTIME_TAGS = frozenset({*CHECKER_TAGS, *OPERATOR_TAGS, TAG_ORPHAN})
"""Keys that are written while the annex exists: a template leaves room for them among the tags of the group."""
PROPAGATED_TAGS = frozenset({TAG_NAME, TAG_ID, TAG_END})
"""Keys that the group copies to the instances it launches."""

DECLARED_TAGS = frozenset(
    {
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
    }
)
"""Keys that a template declares on the group, besides `Name`; a lease has one of `TAG_DURATION` and `TAG_ENDS_AT`."""
MAX_TAGS = 50
"""Most tags of one resource, not counted those that AWS itself writes (EC2 Auto Scaling User Guide, "Tag naming and
usage restrictions"; EC2 User Guide, "Tag restrictions")."""
MAX_OWN_TAGS = MAX_TAGS - len(RUNTIME_TAGS) - len(DECLARED_TAGS)
"""Most tags that an annex can have besides ours: with all of them, the group still takes those of its lease."""

NOT_CLOSED = "no"
"""Value of `TAG_CLOSED` after an annex was created again on the same group."""
MAX_COUNT = 999_999_999
"""Largest number that a tag may hold."""

_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z")
_COUNT = re.compile(rf"0|[1-9][0-9]{{0,{len(str(MAX_COUNT)) - 1}}}")
_SHOWN = 60
_METADATA_KEY = re.compile(r"[0-9a-zA-Z\-_+=,.@:]{1,255}")
_METADATA_RESERVED = frozenset({".", "..", "_index"})


def unusable_in_metadata(key: str) -> bool:
    r"""True if EC2 starts no instance that has a tag of this key and its tags in instance metadata.

    RunInstances and every launch of EC2 Auto Scaling fail with `'KEY' is not a valid tag key. Tag keys must match
    pattern ([0-9a-zA-Z\\-_+=,.@:]{1,255}), and must not be a reserved name ('.', '..', '_index')`, so a slash or a
    space is enough (EC2 User Guide, "View tags for your EC2 instances using instance metadata"; the text of the error:
    https://github.com/kubernetes/cloud-provider-aws/issues/436). Keys that AWS itself writes (`aws:`) are usable.
    """
    return _METADATA_KEY.fullmatch(key) is None or key in _METADATA_RESERVED


def shown(value: object) -> str:
    """A received value as error texts show it: quoted, escaped, at most 60 characters."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def format_time(moment: datetime) -> str:
    """Text form of a time: ``YYYY-MM-DDTHH:MM:SSZ``, UTC, fractions of a second dropped.

    Raises:
        ValueError: `moment` has no time zone.
    """
    if moment.utcoffset() is None:
        raise ValueError(f"time {moment.isoformat()} has no time zone: pass an aware datetime, for example in UTC")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def parse_time(text: str) -> datetime:
    """Parse a time in the form of `format_time`; the result is aware, in UTC.

    Raises:
        ValueError: `text` has another form; the message shows it and the form allowed.
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


def parse_count(text: str, *, minimum: int = 0, maximum: int = MAX_COUNT) -> int:
    """Parse a whole number written in ASCII digits, without sign, space or leading zero.

    Raises:
        ValueError: `text` has another form or is out of range; the message shows it and the range allowed.
    """
    if _COUNT.fullmatch(text) is None or not minimum <= int(text) <= maximum:
        raise ValueError(f"{shown(text)} is not a whole number from {minimum} to {maximum}")
    return int(text)


@dataclass(frozen=True)
class Tag:
    """A tag of an Auto Scaling group; `propagate`: the group copies it to the instances it launches."""

    key: str
    value: str
    propagate: bool

    def to_api(self, group: str) -> dict[str, str | bool]:
        """The tag in the form of CreateOrUpdateTags, for the group of this exact name."""
        return {
            "ResourceId": group,
            "ResourceType": "auto-scaling-group",
            "Key": self.key,
            "Value": self.value,
            "PropagateAtLaunch": self.propagate,
        }


def group_tag(key: str, value: str) -> Tag:
    """A tag of the record, with the propagation that belongs to its key."""
    return Tag(key, value, key in PROPAGATED_TAGS)


def keys_against_launches(group_tags: Iterable[Tag]) -> tuple[str, ...]:
    """Keys of a group's tags with which EC2 starts none of its instances: propagated, and unusable in their metadata.

    A tag that the group does not propagate hinders no launch.
    """
    return tuple(tag.key for tag in group_tags if tag.propagate and unusable_in_metadata(tag.key))


def tags_from_api(described: Iterable[Mapping[str, object]]) -> tuple[Tag, ...]:
    """The tags of a group, from the form of DescribeAutoScalingGroups."""
    return tuple(Tag(str(t["Key"]), str(t.get("Value") or ""), t.get("PropagateAtLaunch") is True) for t in described)
