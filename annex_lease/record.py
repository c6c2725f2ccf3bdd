"""Record of a lease, read back from the tags of a group. Reading never raises: each defect is a problem of the record.

A record can be missing, incomplete, edited by hand or hostile. Its `policy` is either complete or None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar, cast

from annex_lease import tags
from annex_lease.entries import (
    Granted,
    Ledger,
    Override,
    Renewed,
    Schedule,
    parse_granted,
    parse_ledger,
    parse_override,
    parse_renewed,
    parse_schedule,
)
from annex_lease.policy import NUMBERS, LeasePolicy, check_annex_name
from annex_lease.tags import Tag

_T = TypeVar("_T")


@dataclass(frozen=True)
class LeaseRecord:
    """Content of the tags of a group.

    `policy` is None if a tag that the template must declare is missing or malformed. `granted_known` and
    `ledger_known` are False if the tag exists but cannot be read. `override_end` is the operator's override of the end,
    `overrides` says what it was written against. `renewal` is the time of the last `annex renew`. `grace_seconds` is
    the declared grace, also where the policy is not complete. `closed`: a destroy began to empty the annex.
    `granted_lost`: the group was granted a size, and no tag says so; `granted` is assumed then.
    """

    policy: LeasePolicy | None
    grace_seconds: int | None
    override_end: datetime | None
    overrides: Override | None
    scheduled: Schedule | None
    closed: bool
    published: Tag | None
    notified: str | None
    granted: Granted | None
    granted_known: bool
    renewal: datetime | None
    busy: Renewed | None
    ledger: Ledger | None
    ledger_known: bool
    warned: str | None
    reported: str
    problems: tuple[str, ...]
    granted_lost: bool = False

    @property
    def published_end(self) -> datetime | None:
        """End that was last published to the instances; None if it cannot be read."""
        try:
            return tags.parse_time(self.published.value) if self.published else None
        except ValueError:
            return None

    @property
    def reported_kinds(self) -> frozenset[str]:
        """Kinds of disorder that were reported last."""
        return frozenset(self.reported.split())

    @property
    def renewal_is_new(self) -> bool:
        """True if the operator renewed the annex and no grant for it was begun yet."""
        return self.renewal is not None and (self.granted is None or self.granted.renewal != self.renewal)

    @property
    def renewal_pending(self) -> bool:
        """True if the operator renewed the annex and the size was not granted again yet."""
        begun = self.renewal is not None and self.granted is not None and self.granted.begun
        return self.renewal_is_new or begun

    @property
    def was_granted(self) -> bool:
        """True if the annex may have had capacity: an unreadable tag may have been a grant."""
        return self.granted is not None or not self.granted_known


def assume_granted(record: LeaseRecord, size: int) -> LeaseRecord:
    """The record of a group that was granted a size: without a readable or unreadable grant, this size is assumed.

    A deployment that took away what the template does not declare must not grant a fleet twice, nor begin its hours
    again. A renewal that is recorded counts as used up: nothing says whether it was.
    """
    if record.was_granted:
        return record
    return replace(record, granted=Granted(size, record.renewal), granted_lost=True)


def read_record(group_tags: Iterable[Tag]) -> LeaseRecord:
    """Read the record from the tags of a group; never raises."""
    by_key = {tag.key: tag for tag in group_tags}
    values = {key: tag.value for key, tag in by_key.items()}
    problems: list[str] = []
    policy = _policy(values, problems)
    granted = _parsed(values, tags.TAG_GRANTED, parse_granted, problems)
    ledger = _parsed(values, tags.TAG_USED, parse_ledger, problems)
    return LeaseRecord(
        policy=policy,
        grace_seconds=_parsed(values, tags.TAG_GRACE, _number(*NUMBERS["grace_seconds"][1:]), []),
        overrides=_parsed(values, tags.TAG_OVERRIDES, parse_override, problems),
        scheduled=_parsed(values, tags.TAG_SCHEDULED, parse_schedule, problems),
        # Anything but the value that a creation writes counts as a time: what cannot be read starts nothing.
        closed=values.get(tags.TAG_CLOSED, tags.NOT_CLOSED) != tags.NOT_CLOSED,
        override_end=_parsed(values, tags.TAG_UNTIL, tags.parse_time, problems),
        published=by_key.get(tags.TAG_END),
        notified=values.get(tags.TAG_NOTIFIED),
        granted=granted,
        granted_known=granted is not None or tags.TAG_GRANTED not in values,
        renewal=_parsed(values, tags.TAG_RENEWED, tags.parse_time, problems),
        busy=_parsed(values, tags.TAG_BUSY, parse_renewed, problems),
        ledger=ledger,
        ledger_known=ledger is not None or tags.TAG_USED not in values,
        warned=values.get(tags.TAG_WARNED),
        reported=values.get(tags.TAG_REPORTED, ""),
        problems=tuple(problems),
    )


def _policy(values: Mapping[str, str], problems: list[str]) -> LeasePolicy | None:
    for key in (tags.TAG_NAME, tags.TAG_SIZE, tags.TAG_MAX_LIFETIME, tags.TAG_GRACE):
        if key not in values:
            problems.append(f"{key} is missing: the template declares it; deploy the annex again")
    if (tags.TAG_DURATION in values) == (tags.TAG_ENDS_AT in values):
        problems.append(f"exactly one of {tags.TAG_DURATION} and {tags.TAG_ENDS_AT} must be declared")
    name = _parsed(values, tags.TAG_NAME, check_annex_name, problems)
    ends_at = _parsed(values, tags.TAG_ENDS_AT, tags.parse_time, problems)
    numbers = {field: _parsed(values, key, _number(low, high), problems) for field, (key, low, high) in NUMBERS.items()}
    if problems or name is None:
        return None
    # Without a problem, every number that must be declared is there.
    return LeasePolicy(annex=name, ends_at=ends_at, **cast("dict[str, int]", numbers))


def _parsed(values: Mapping[str, str], key: str, parse: Callable[[str], _T], problems: list[str]) -> _T | None:
    if key not in values:
        return None
    try:
        return parse(values[key])
    except ValueError as error:
        problems.append(f"{key}: {error}")
        return None


def _number(minimum: int, maximum: int) -> Callable[[str], int]:
    return lambda text: tags.parse_count(text, minimum=minimum, maximum=maximum)
