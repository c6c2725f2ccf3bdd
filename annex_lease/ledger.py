"""What an annex has used of its instance-hours: one line of text that says it for now and for later.

The line is written only when the number of instances changes, so a quiet minute costs no call: as long as the number
stays, what is used grows by itself, and the moment at which a limit is reached is already known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from annex_lease.tags import MAX_LIFETIME_SECONDS, format_time, parse_count, parse_time, shown

HOUR_SECONDS = 3600
_FORM = re.compile(r"(0|[1-9][0-9]{0,14})@([^x]{1,30})x([0-9]{1,9})")


@dataclass(frozen=True)
class Ledger:
    """`used` instance-seconds up to the time `at` (aware), and `count` instances since then."""

    used: int
    at: datetime
    count: int

    def used_by(self, now: datetime) -> int:
        """Instance-seconds used by `now`; a time before `at` adds nothing."""
        return self.used + max(0, int((now - self.at).total_seconds())) * self.count

    def reaches(self, hours: int) -> datetime | None:
        """When so many instance-hours are used up, whole seconds rounded down; None: never."""
        left = hours * HOUR_SECONDS - self.used
        if left <= 0:
            return self.at
        if not self.count or left // self.count > 2 * MAX_LIFETIME_SECONDS:
            return None  # no lease lasts that long
        return self.at + timedelta(seconds=left // self.count)

    def moved_on(self, now: datetime, count: int) -> Ledger:
        """The ledger as of `now`, with `count` instances from there on."""
        return Ledger(self.used_by(now), max(self.at, now.replace(microsecond=0)), count)

    def text(self) -> str:
        """The text form: `INSTANCE-SECONDS@TIMExCOUNT`."""
        return f"{self.used}@{format_time(self.at)}x{self.count}"


def parse_ledger(text: str) -> Ledger:
    """The ledger that `text` writes in the form of `Ledger.text`; no other form is read.

    Raises:
        ValueError: with the value received and the form allowed.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{shown(text)} is not of the form INSTANCE-SECONDS@TIMExCOUNT")
    return Ledger(int(match[1]), parse_time(match[2]), parse_count(match[3]))


def assumed(created: datetime, size: int) -> Ledger:
    """The ledger of an annex of which none can be read: as many instances as it may have, since it exists."""
    return Ledger(0, created.replace(microsecond=0), size)
