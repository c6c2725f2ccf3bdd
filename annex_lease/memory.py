"""Findings of earlier runs in the same function environment.

Lambda may lose them at any time. Then nothing is ended or started that would not be: what they confirm is looked for
again, and is reported or recorded later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from annex_lease.actions import Decision
from annex_lease.lease import Phase
from annex_lease.observed import APART, BELIEVED, FRESH, Compared, Group, Seen, with_facts
from annex_lease.tags import format_time
from annex_lease.terms import CHECK_PERIOD

# Checks come every minute. Two may fail to be made or to read anything before a finding counts as interrupted.
_GAP = 3 * CHECK_PERIOD + timedelta(seconds=30)


@dataclass(frozen=True)
class Lasting:
    """A finding that every run repeated: the first and the last time of it."""

    first: datetime
    last: datetime


@dataclass
class Memory:
    """Findings of earlier runs, each with its time.

    Attributes:
        empty_since: first of the empty looks after the end of the lease.
        ended_at: the second of two empty looks.
        missing: the group is not listed.
        unread: the group is listed, and its record cannot be read.
        short: the group has fewer instances than it should have.
        unserved: the group is to start instances and has none in service.
        over: the lease is over.
        late: instances are alive although the lease and its grace are over.
        lost: living instances that the group did not list when EC2 was asked last.
        compared_at: time of the last listing that compared the tags of instances, with its result.
        unlisted: members of the group that EC2 does not list. Only some looks ask EC2, so that gaps do not count.
    """

    empty_since: datetime | None = None
    ended_at: datetime | None = None
    missing: Lasting | None = None
    unread: Lasting | None = None
    short: Lasting | None = None
    unserved: Lasting | None = None
    over: Lasting | None = None
    late: Lasting | None = None
    lost: frozenset[str] = frozenset()
    compared_at: tuple[datetime, Compared] | None = None
    unlisted: dict[str, Lasting] = field(default_factory=dict)

    def recall(self, seen: Seen, now: datetime) -> Seen:
        """`seen` with the findings of earlier runs, and with those that it adds to them."""
        # The one says nothing about the other: only the same reading for long is believed.
        self.missing = None if isinstance(seen, Group) else _lasting(self.missing, now)
        if isinstance(seen, Group):
            self.unread = None if seen.lease.policy is not None else _lasting(self.unread, now)
        short = isinstance(seen, Group) and seen.shortfall() > 0
        self.short = _lasting(self.short, now) if short else None
        self.unserved = _lasting(self.unserved, now) if isinstance(seen, Group) and seen.unserved() else None
        over = isinstance(seen, Group) and now >= seen.lease.effective_end
        self.over = _lasting(self.over, now) if over else None
        facts: dict[str, Any] = {
            "unread_for": _time_of(self.unread if isinstance(seen, Group) else self.missing, now),
            "short_for": _time_of(self.short, now),
            "unserved_for": _time_of(self.unserved, now),
            "over_for": _time_of(self.over, now),
            "late_for": _time_of(self.late, now),
            "lost": self.lost,
            "empty_before": self.empty_since is not None and now - self.empty_since >= APART,
            # A quiet annex must not cost a call a minute without end.
            "known_empty": self.ended_at if _recent(self.ended_at, now) else None,
            "compared": self.compared_at[1] if self.compared_at and _recent(self.compared_at[0], now) else None,
            "gone": frozenset(key for key, of in self.unlisted.items() if of.last - of.first >= BELIEVED),
        }
        return with_facts(seen, facts)

    def note_actions(self, decision: Decision) -> None:
        """Forget empty looks if the decision ended anything: what was there again is looked for twice again."""
        if any(action.ends for action in decision.actions):
            self.empty_since = self.ended_at = None

    def note(self, seen: Seen, now: datetime, decision: Decision) -> None:
        """Remember a look at the annex.

        Args:
            seen: the observation; it holds the instances if EC2 was asked for them.
            now: time of the look.
            decision: what was decided about it.
        """
        self.late = _lasting(self.late, now) if decision.overdue else None
        if seen.instances is not None and isinstance(seen, Group):
            self.lost = seen.outsiders()
            listed = {instance.id for instance in seen.instances}
            missing = (member.id for member in seen.members if member.id not in listed)
            known = self.unlisted
            self.unlisted = {
                key: Lasting(_earlier(known[key].first if key in known else None, now), now) for key in missing
            }
            text = format_time(decision.end) if decision.end else ""
            self.compared_at = now, Compared(text, frozenset(i.id for i in seen.instances if i.end == text))
        if not decision.empty:
            self.empty_since = self.ended_at = None
        elif seen.instances is not None:
            self.empty_since = _earlier(self.empty_since, now)
            self.ended_at = now if decision.phase is Phase.ENDED else None


def _earlier(known: datetime | None, now: datetime) -> datetime:
    return now if known is None or known > now else known


def _lasting(known: Lasting | None, now: datetime) -> Lasting:
    """The finding as of now. It begins again after a gap, or if the clock was set back."""
    if known is None or not timedelta(0) <= now - known.last <= _GAP:
        return Lasting(now, now)
    return Lasting(known.first, now)


def _time_of(known: Lasting | None, now: datetime) -> timedelta:
    return timedelta(0) if known is None else max(timedelta(0), now - known.first)


def _recent(time: datetime | None, now: datetime) -> bool:
    return time is not None and timedelta(0) <= now - time < FRESH
