"""Entries of a lease's record that the lease checker or a command writes, with the text forms that their tags hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from annex_lease import tags
from annex_lease.policy import NUMBERS

HOUR_SECONDS = 3600
"""Seconds of an instance-hour."""
GRANT_MARK = "AddToLoadBalancer"
"""The process whose suspension marks a group that was granted a size.

A deployment may take away tags that its template does not declare: no page of AWS says that. It has no property for
suspended processes. Without a load balancer this one does nothing (EC2 Auto Scaling User Guide, "Suspend and resume").
"""

_VOID = "void"
_GRANTED = re.compile(r"([0-9]+)(?:@([^?]+))?(\??)")
_LEDGER = re.compile(rf"(0|[1-9][0-9]{{0,14}})@([^x]{{1,30}})x([0-9]{{1,{len(str(tags.MAX_COUNT))}}})")
_MAX_LIFETIME_SECONDS = NUMBERS["max_lifetime_seconds"][2]


@dataclass(frozen=True)
class Granted:
    """Size that was granted, and the renewal it was granted for; None: the first grant.

    `begun`: the grant was begun, and nothing says that the group has the capacity. It is carried out again.
    """

    size: int
    renewal: datetime | None = None
    begun: bool = False

    def text(self) -> str:
        """The text form: `SIZE` or `SIZE@RENEWAL`, with a `?` at the end while it is begun."""
        size = f"{self.size}@{tags.format_time(self.renewal)}" if self.renewal else str(self.size)
        return f"{size}?" if self.begun else size


@dataclass(frozen=True)
class Renewed:
    """End to which a busy annex was renewed, in place of `unrenewed_end`."""

    end: datetime
    unrenewed_end: datetime

    def text(self) -> str:
        """The text form: `END@UNRENEWED-END`."""
        return f"{tags.format_time(self.end)}@{tags.format_time(self.unrenewed_end)}"


@dataclass(frozen=True)
class Override:
    """End that an operator wrote, and the declared end at that time: a deployment that changes the latter is newer.

    Attributes:
        end: end that the operator wrote.
        declared_end: declared end that it was written against. None: it is void for good, even if the declared end
            changes back.
        void_since: first check that found another declared end. None: none did.
    """

    end: datetime
    declared_end: datetime | None
    void_since: datetime | None = None

    def text(self) -> str:
        """The text form: `END@DECLARED-END`, with `@TIME` while it is void, or `END@void`."""
        against = _VOID if self.declared_end is None else tags.format_time(self.declared_end)
        since = "" if self.void_since is None else f"@{tags.format_time(self.void_since)}"
        return f"{tags.format_time(self.end)}@{against}{since}"


@dataclass(frozen=True)
class Schedule:
    """Ends for which the group has scheduled actions: the effective end, and the latest end."""

    end: datetime
    latest_end: datetime

    def text(self) -> str:
        """The text form: `END@LATEST-END`."""
        return f"{tags.format_time(self.end)}@{tags.format_time(self.latest_end)}"


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
class ScheduledAction:
    """A scheduled action of EC2 Auto Scaling that empties the group, without any code of ours.

    Attributes:
        name: its name; putting another of the same name moves it.
        start: its time, in the future.
        final: True if it sets the MaxSize to 0 too.
    """

    name: str
    start: datetime
    final: bool


def parse_ledger(text: str) -> Ledger:
    """Parse a ledger in the form of `Ledger.text`.

    Raises:
        ValueError: `text` has another form; the message shows it and the form allowed.
    """
    match = _LEDGER.fullmatch(text)
    if match is None:
        raise ValueError(f"{tags.shown(text)} is not of the form INSTANCE-SECONDS@TIMExCOUNT")
    return Ledger(int(match[1]), tags.parse_time(match[2]), tags.parse_count(match[3]))


def parse_granted(text: str) -> Granted:
    """Parse the form of `text`; raises ValueError for another form."""
    match = _GRANTED.fullmatch(text)
    if match is None:
        raise ValueError(f"{tags.shown(text)} is not of the form SIZE or SIZE@TIME")
    return Granted(tags.parse_count(match[1]), tags.parse_time(match[2]) if match[2] else None, bool(match[3]))


def parse_renewed(text: str) -> Renewed:
    """Parse the form of `text`; raises ValueError for another form."""
    return Renewed(*_two_times(text, "END@UNRENEWED-END"))


def parse_override(text: str) -> Override:
    """Parse the form of `text`; raises ValueError for another form."""
    end, *rest = text.split("@")
    if rest == [_VOID]:
        return Override(tags.parse_time(end), None)
    if len(rest) not in (1, 2):
        form = "END@DECLARED-END, END@DECLARED-END@VOID-SINCE or END@void"
        raise ValueError(f"{tags.shown(text)} is not of the form {form}")
    return Override(*map(tags.parse_time, (end, *rest)))


def parse_schedule(text: str) -> Schedule:
    """Parse the form of `text`; raises ValueError for another form."""
    return Schedule(*_two_times(text, "END@LATEST-END"))


def _two_times(text: str, form: str) -> tuple[datetime, datetime]:
    first, at, second = text.partition("@")
    if not at:
        raise ValueError(f"{tags.shown(text)} is not of the form {form}")
    return tags.parse_time(first), tags.parse_time(second)
