"""Policy of a lease: what a template declares, and the tags that declare it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from annex_lease import tags, terms
from annex_lease.forms import ANNEX_NAME
from annex_lease.tags import Tag, format_time, group_tag

NUMBERS: dict[str, tuple[str, int, int]] = {
    "size": (tags.TAG_SIZE, *terms.SIZE.tag_range()),
    "duration_seconds": (tags.TAG_DURATION, *terms.LEASE.tag_range()),
    "max_lifetime_seconds": (tags.TAG_MAX_LIFETIME, *terms.MAX_LIFETIME.tag_range()),
    "grace_seconds": (tags.TAG_GRACE, *terms.GRACE.tag_range()),
    "renew_seconds": (tags.TAG_RENEW, *terms.RENEW_WHILE_BUSY.tag_range()),
    "max_instance_hours": (tags.TAG_LIMIT, *terms.MAX_INSTANCE_HOURS.tag_range()),
    "warn_before_end_seconds": (tags.TAG_WARN_BEFORE_END, *terms.WARN_BEFORE_END.tag_range()),
}
"""Numbers of a policy in the order of their tags: field, key of the tag, minimum and maximum that a tag may hold."""


@dataclass(frozen=True)
class LeasePolicy:
    """Declared values of a lease.

    Exactly one of `duration_seconds` and `ends_at` is set. Sizes are numbers of instances.

    Attributes:
        annex: name of the annex.
        size: number of instances to grant.
        max_lifetime_seconds: from the creation of the group to the latest end of any extension or renewal.
        grace_seconds: how long an instance may take to shut down after the end.
        duration_seconds: from the creation of the group to the declared end.
        ends_at: the declared end, aware.
        renew_seconds: by how much the lease is renewed while instances are busy. Default: None - it is not.
        max_instance_hours: instance-hours that may be used. Default: None - as many as fit into the lease.
        warn_before_end_seconds: how long before the end a warning is published. Default: None - none is.

    Raises:
        ValueError: a value is out of its range; the text names the field, the value and the range.
    """

    annex: str
    size: int
    max_lifetime_seconds: int
    grace_seconds: int
    duration_seconds: int | None = None
    ends_at: datetime | None = None
    renew_seconds: int | None = None
    max_instance_hours: int | None = None
    warn_before_end_seconds: int | None = None

    def __post_init__(self) -> None:
        check_annex_name(self.annex)
        for field, (_, minimum, maximum) in NUMBERS.items():
            value = getattr(self, field)
            if value is not None and not minimum <= value <= maximum:
                raise ValueError(f"{field} is {value}: use a whole number from {minimum} to {maximum}")
        if (self.duration_seconds is None) == (self.ends_at is None):
            raise ValueError(
                f"duration_seconds is {self.duration_seconds} and ends_at is {self.ends_at}: set exactly one of them"
            )
        if self.ends_at is not None and self.ends_at.utcoffset() is None:
            raise ValueError(f"ends_at {self.ends_at.isoformat()} has no time zone: pass an aware datetime")


def check_annex_name(name: str) -> str:
    """Return `name` if it can name an annex.

    Raises:
        ValueError: it cannot; the message shows it and the form allowed.
    """
    if not ANNEX_NAME.matches(name):
        raise ValueError(f"annex name {tags.shown(name)} is not allowed: use {ANNEX_NAME.allowed}")
    return name


def policy_tags(policy: LeasePolicy, *, size: str | None = None, annex_id: str | None = None) -> tuple[Tag, ...]:
    """The tags that declare `policy`, in a fixed order.

    Args:
        policy: what to declare.
        size: text of the size where only CloudFormation knows the number (an unresolved reference). It takes the place
            of `policy.size`. Default: None - `policy.size` in digits.
        annex_id: id of the annex. Default: None - it is declared elsewhere.
    """
    values = {tags.TAG_NAME: policy.annex} | ({} if annex_id is None else {tags.TAG_ID: annex_id})
    for field, (key, _, _) in NUMBERS.items():
        value = getattr(policy, field)
        if key == tags.TAG_DURATION and policy.ends_at is not None:
            values[tags.TAG_ENDS_AT] = format_time(policy.ends_at)
        elif key == tags.TAG_SIZE and size is not None:
            values[key] = size
        elif value is not None:
            values[key] = str(value)
    return tuple(group_tag(key, value) for key, value in values.items())
