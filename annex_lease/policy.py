"""What a template declares about a lease, and the tags by which it does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from annex_lease import tags
from annex_lease.tags import Tag, check_annex_name, format_time, group_tag

_LARGEST_SIZE = 999_999_999


@dataclass(frozen=True)
class LeasePolicy:
    """What a template declares about a lease.

    Exactly one of `duration_seconds` and `ends_at` is set. Sizes are numbers of instances.

    Attributes:
        annex: the annex's name.
        size: how many instances to grant.
        max_lifetime_seconds: from the group's creation to the latest end there can be.
        grace_seconds: how long an instance may take to shut down after the end.
        duration_seconds: from the group's creation to the declared end.
        ends_at: the declared end, aware.
        renew_seconds: by how much the lease is renewed while instances are busy. Default: None - it is not.
        max_instance_hours: how many instance-hours may be used. Default: None - as many as fit into the lease.
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
        _check_range("size", self.size, 0, _LARGEST_SIZE)
        _check_range("max_lifetime_seconds", self.max_lifetime_seconds, 1, tags.MAX_LIFETIME_SECONDS)
        _check_range("grace_seconds", self.grace_seconds, 0, tags.LONGEST_GRACE_SECONDS)
        if (self.duration_seconds is None) == (self.ends_at is None):
            raise ValueError(
                f"duration_seconds is {self.duration_seconds} and ends_at is {self.ends_at}: set exactly one of them"
            )
        _check_range("duration_seconds", self.duration_seconds, 1, tags.MAX_LIFETIME_SECONDS)
        if self.ends_at is not None and self.ends_at.utcoffset() is None:
            raise ValueError(f"ends_at {self.ends_at.isoformat()} has no time zone: pass an aware datetime")
        shortest = tags.SHORTEST_RENEWAL_SECONDS
        _check_range("renew_seconds", self.renew_seconds, shortest, tags.MAX_LIFETIME_SECONDS)
        _check_range("max_instance_hours", self.max_instance_hours, 1, tags.LARGEST_LIMIT_HOURS)
        shortest = tags.SHORTEST_WARNING_SECONDS
        _check_range("warn_before_end_seconds", self.warn_before_end_seconds, shortest, tags.MAX_LIFETIME_SECONDS)

    @property
    def grace(self) -> timedelta:
        """How long an instance may take to shut down after the end."""
        return timedelta(seconds=self.grace_seconds)


def _check_range(field: str, value: int | None, least: int, most: int) -> None:
    if value is not None and not least <= value <= most:
        raise ValueError(f"{field} is {value}: use a whole number from {least} to {most}")


def policy_tags(policy: LeasePolicy, *, size: str | None = None, annex_id: str | None = None) -> tuple[Tag, ...]:
    """The tags by which a template declares `policy`, in a fixed order.

    Args:
        policy: what to declare.
        size: the text of the size where CloudFormation alone knows the number (an unresolved reference); it takes the
            place of `policy.size`. Default: `policy.size` in digits.
        annex_id: the annex's id. Default: None - it is declared elsewhere.
    """
    if policy.ends_at is not None:
        end = group_tag(tags.TAG_ENDS_AT, format_time(policy.ends_at))
    else:
        end = group_tag(tags.TAG_DURATION, str(policy.duration_seconds))
    optional = {
        tags.TAG_RENEW: policy.renew_seconds,
        tags.TAG_LIMIT: policy.max_instance_hours,
        tags.TAG_WARN_BEFORE_END: policy.warn_before_end_seconds,
    }
    return (
        group_tag(tags.TAG_NAME, policy.annex),
        *(() if annex_id is None else (group_tag(tags.TAG_ID, annex_id),)),
        group_tag(tags.TAG_SIZE, str(policy.size) if size is None else size),
        end,
        group_tag(tags.TAG_MAX_LIFETIME, str(policy.max_lifetime_seconds)),
        group_tag(tags.TAG_GRACE, str(policy.grace_seconds)),
        *(group_tag(key, str(value)) for key, value in optional.items() if value is not None),
    )
