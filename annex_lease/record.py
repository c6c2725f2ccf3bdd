"""Reading a lease back from the tags of a group: as data, with every defect named and none of them raised.

A record can be missing, half written, edited by hand or hostile. Whatever the tags hold, reading them ends in a record
whose `policy` is either complete or None, and in a list of problems for the operator.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from annex_lease import tags
from annex_lease.ledger import Ledger, parse_ledger
from annex_lease.policy import LeasePolicy
from annex_lease.tags import Tag

_T = TypeVar("_T")
_GRANTED = re.compile(r"([0-9]+)(?:@(.+))?")


@dataclass(frozen=True)
class Granted:
    """The declared size that was granted, and the renewal it was granted for; None: the first grant."""

    size: int
    renewal: datetime | None = None

    def text(self) -> str:
        """The text form: `SIZE` or `SIZE@RENEWAL`."""
        return f"{self.size}@{tags.format_time(self.renewal)}" if self.renewal else str(self.size)


@dataclass(frozen=True)
class Renewed:
    """The end to which a busy annex was renewed, in place of the end `base`."""

    end: datetime
    base: datetime

    def text(self) -> str:
        """The text form: `END@BASE`."""
        return f"{tags.format_time(self.end)}@{tags.format_time(self.base)}"


@dataclass(frozen=True)
class LeaseRecord:
    """What the tags of a group say.

    `policy` is None if anything that the template must declare is missing or malformed: half a policy is no policy.
    `granted_known` and `ledger_known` are False if the tag is there but cannot be read. `renewal` is the operator's
    wish to have the size granted again.
    """

    policy: LeasePolicy | None
    until: datetime | None
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
        """The end that instances were last told of; None if it cannot be read."""
        try:
            return tags.parse_time(self.published.value) if self.published else None
        except ValueError:
            return None

    @property
    def renewal_pending(self) -> bool:
        """Whether the operator asked for the size to be granted again, and it was not yet."""
        return self.renewal is not None and (self.granted is None or self.granted.renewal != self.renewal)

    @property
    def was_granted(self) -> bool:
        """Whether the annex may have had capacity: what cannot be read may have been a grant."""
        return self.granted is not None or not self.granted_known


def read_record(group_tags: Iterable[Tag]) -> LeaseRecord:
    """The record in `group_tags`; never raises, whatever they hold."""
    by_key = {tag.key: tag for tag in group_tags}
    values = {key: tag.value for key, tag in by_key.items()}
    problems: list[str] = []
    policy = _policy(values, problems)
    granted = _parsed(values, tags.TAG_GRANTED, _granted, problems)
    ledger = _parsed(values, tags.TAG_USED, parse_ledger, problems)
    return LeaseRecord(
        policy=policy,
        until=_parsed(values, tags.TAG_UNTIL, tags.parse_time, problems),
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


def _granted(text: str) -> Granted:
    match = _GRANTED.fullmatch(text)
    if match is None:
        raise ValueError(f"{tags.shown(text)} is not of the form SIZE or SIZE@TIME")
    return Granted(tags.parse_count(match[1]), tags.parse_time(match[2]) if match[2] else None)


def _renewed(text: str) -> Renewed:
    end, at, base = text.partition("@")
    if not at:
        raise ValueError(f"{tags.shown(text)} is not of the form END@BASE")
    return Renewed(tags.parse_time(end), tags.parse_time(base))


def _policy(values: Mapping[str, str], problems: list[str]) -> LeasePolicy | None:
    for key in (tags.TAG_NAME, tags.TAG_SIZE, tags.TAG_MAX_LIFETIME, tags.TAG_GRACE):
        if key not in values:
            problems.append(f"{key} is missing: the template declares it; deploy the annex again")
    if (tags.TAG_DURATION in values) == (tags.TAG_ENDS_AT in values):
        problems.append(f"exactly one of {tags.TAG_DURATION} and {tags.TAG_ENDS_AT} must be declared")
    name = _parsed(values, tags.TAG_NAME, tags.check_annex_name, problems)
    size = _parsed(values, tags.TAG_SIZE, tags.parse_count, problems)
    duration = _parsed(values, tags.TAG_DURATION, _seconds(1), problems)
    ends_at = _parsed(values, tags.TAG_ENDS_AT, tags.parse_time, problems)
    reach = _parsed(values, tags.TAG_MAX_LIFETIME, _seconds(1), problems)
    grace = _parsed(values, tags.TAG_GRACE, _seconds(0, tags.LONGEST_GRACE_SECONDS), problems)
    renew = _parsed(values, tags.TAG_RENEW, _seconds(tags.SHORTEST_RENEWAL_SECONDS), problems)
    limit = _parsed(values, tags.TAG_LIMIT, _seconds(1, tags.LARGEST_LIMIT_HOURS), problems)
    warn = _parsed(values, tags.TAG_WARN_BEFORE_END, _seconds(tags.SHORTEST_WARNING_SECONDS), problems)
    if problems or name is None or size is None or reach is None or grace is None:
        return None
    return LeasePolicy(name, size, reach, grace, duration, ends_at, renew, limit, warn)


def _parsed(values: Mapping[str, str], key: str, parse: Callable[[str], _T], problems: list[str]) -> _T | None:
    if key not in values:
        return None
    try:
        return parse(values[key])
    except ValueError as error:
        problems.append(f"{key}: {error}")
        return None


def _seconds(least: int, most: int = tags.MAX_LIFETIME_SECONDS) -> Callable[[str], int]:
    return lambda text: tags.parse_count(text, least=least, most=most)
