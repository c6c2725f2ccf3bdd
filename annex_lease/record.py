"""Record of a lease, read back from the tags of a group. Reading never raises: each defect is a problem of the record.

A record can be missing, incomplete, edited by hand or hostile. Its `policy` is either complete or None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar, cast

from annex_lease import tags
from annex_lease.policy import NUMBERS, LeasePolicy, check_annex_name
from annex_lease.tags import Tag

HOUR_SECONDS = 3600
"""Seconds of an instance-hour."""

_T = TypeVar("_T")
_GRANTED = re.compile(r"([0-9]+)(?:@(.+))?")
_LEDGER = re.compile(rf"(0|[1-9][0-9]{{0,14}})@([^x]{{1,30}})x([0-9]{{1,{len(str(tags.MAX_COUNT))}}})")
_MAX_LIFETIME_SECONDS = NUMBERS["max_lifetime_seconds"][2]


@dataclass(frozen=True)
class Granted:
    """Size that was granted, and the renewal it was granted for; None: the first grant."""

    size: int
    renewal: datetime | None = None

    def text(self) -> str:
        """The text form: `SIZE` or `SIZE@RENEWAL`."""
        return f"{self.size}@{tags.format_time(self.renewal)}" if self.renewal else str(self.size)


@dataclass(frozen=True)
class Renewed:
    """End to which a busy annex was renewed, in place of `unrenewed_end`."""

    end: datetime
    unrenewed_end: datetime

    def text(self) -> str:
        """The text form: `END@UNRENEWED-END`."""
        return f"{tags.format_time(self.end)}@{tags.format_time(self.unrenewed_end)}"


@dataclass(frozen=True)
class Ledger:
    """Use of the instance-hours: `used` instance-seconds up to the time `at` (aware), and `count` instances since then.

    It is written only when the number of instances changes, so that a quiet minute costs no call. While the number
    stays, the use grows by itself, and the time at which a limit is reached is known.
    """

    used: int
    at: datetime
    count: int

    def used_by(self, now: datetime) -> int:
        """Instance-seconds used by `now`; a time before `at` adds nothing."""
        return self.used + max(0, int((now - self.at).total_seconds())) * self.count

    def reaches(self, hours: int) -> datetime | None:
        """Time at which so many instance-hours are used up, rounded down to seconds; None: never."""
        left = hours * HOUR_SECONDS - self.used
        if left <= 0:
            return self.at
        if not self.count or left // self.count > 2 * _MAX_LIFETIME_SECONDS:
            return None  # no lease lasts that long
        return self.at + timedelta(seconds=left // self.count)

    def moved_on(self, now: datetime, count: int) -> Ledger:
        """The ledger as of `now`, with `count` instances from then on."""
        return Ledger(self.used_by(now), max(self.at, now.replace(microsecond=0)), count)

    @classmethod
    def assumed(cls, created: datetime, size: int) -> Ledger:
        """Ledger where the real use is unknown: the largest there can be, `size` instances since the creation."""
        return cls(0, created.replace(microsecond=0), size)

    def text(self) -> str:
        """The text form: `INSTANCE-SECONDS@TIMExCOUNT`."""
        return f"{self.used}@{tags.format_time(self.at)}x{self.count}"


@dataclass(frozen=True)
class LeaseRecord:
    """Content of the tags of a group.

    `policy` is None if a tag that the template must declare is missing or malformed. `granted_known` and
    `ledger_known` are False if the tag exists but cannot be read. `override_end` is the operator's override of the end,
    `renewal` the time of the last `annex renew`.
    """

    policy: LeasePolicy | None
    override_end: datetime | None
    published: Tag | None
    notified: str | None
    granted: Granted | None
    granted_known: bool
    renewal: datetime | None
    busy: Renewed | None
    ledger: Ledger | None
    ledger_known: bool
    warned: str | None
    problems: tuple[str, ...]

    @property
    def published_end(self) -> datetime | None:
        """End that was last published to the instances; None if it cannot be read."""
        try:
            return tags.parse_time(self.published.value) if self.published else None
        except ValueError:
            return None

    @property
    def renewal_pending(self) -> bool:
        """True if the operator renewed the annex and the size was not granted again yet."""
        return self.renewal is not None and (self.granted is None or self.granted.renewal != self.renewal)

    @property
    def was_granted(self) -> bool:
        """True if the annex may have had capacity: an unreadable tag may have been a grant."""
        return self.granted is not None or not self.granted_known


def read_record(group_tags: Iterable[Tag]) -> LeaseRecord:
    """Read the record from the tags of a group; never raises."""
    by_key = {tag.key: tag for tag in group_tags}
    values = {key: tag.value for key, tag in by_key.items()}
    problems: list[str] = []
    policy = _policy(values, problems)
    granted = _parsed(values, tags.TAG_GRANTED, _granted, problems)
    ledger = _parsed(values, tags.TAG_USED, parse_ledger, problems)
    return LeaseRecord(
        policy=policy,
        override_end=_parsed(values, tags.TAG_UNTIL, tags.parse_time, problems),
        published=by_key.get(tags.TAG_END),
        notified=values.get(tags.TAG_NOTIFIED),
        granted=granted,
        granted_known=granted is not None or tags.TAG_GRANTED not in values,
        renewal=_parsed(values, tags.TAG_RENEWED, tags.parse_time, problems),
        busy=_parsed(values, tags.TAG_BUSY, _renewed, problems),
        ledger=ledger,
        ledger_known=ledger is not None or tags.TAG_USED not in values,
        warned=values.get(tags.TAG_WARNED),
        problems=tuple(problems),
    )


def parse_ledger(text: str) -> Ledger:
    """Parse a ledger in the form of `Ledger.text`.

    Raises:
        ValueError: `text` has another form; the message shows it and the form allowed.
    """
    match = _LEDGER.fullmatch(text)
    if match is None:
        raise ValueError(f"{tags.shown(text)} is not of the form INSTANCE-SECONDS@TIMExCOUNT")
    return Ledger(int(match[1]), tags.parse_time(match[2]), tags.parse_count(match[3]))


def _granted(text: str) -> Granted:
    match = _GRANTED.fullmatch(text)
    if match is None:
        raise ValueError(f"{tags.shown(text)} is not of the form SIZE or SIZE@TIME")
    return Granted(tags.parse_count(match[1]), tags.parse_time(match[2]) if match[2] else None)


def _renewed(text: str) -> Renewed:
    end, at, unrenewed_end = text.partition("@")
    if not at:
        raise ValueError(f"{tags.shown(text)} is not of the form END@UNRENEWED-END")
    return Renewed(tags.parse_time(end), tags.parse_time(unrenewed_end))


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
