"""The rules between two declared values, and the defaults that follow from another value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from annex_lease.duration import format_duration
from annex_lease.terms import DRAIN_BEFORE_END, MAX_LIFETIME, RENEW_WHILE_BUSY, WARN_BEFORE_END

RENEWAL_SLACK = timedelta(minutes=6)
"""A busy annex is renewed in the second half of the renewal before its end. Jobs leave `drain_before_end` before the
end, so several runs of the lease checker, one a minute, must fit in between."""


@dataclass(frozen=True)
class Conflict:
    """Two declared values that exclude each other.

    Attributes:
        name: the value to change.
        allowed: what it may be instead, without a value of the format of one file or language.
        fix: a value that fits; None: leave it out.
    """

    name: str
    allowed: str
    fix: timedelta | None


def default_max_lifetime(lease: timedelta) -> timedelta:
    """The maximum lifetime where none is declared: twice the lease, at most 366 days."""
    return min(2 * lease, MAX_LIFETIME.maximum)


def default_warning(lease: timedelta) -> timedelta | None:
    """The warning where none is declared: 15 minutes, or half of a shorter lease; None below two minutes of lease."""
    half = timedelta(seconds=lease // timedelta(seconds=2))
    return min(WARN_BEFORE_END.default or half, half) if half >= WARN_BEFORE_END.minimum else None


def lifetime_conflict(lease: timedelta, max_lifetime: timedelta) -> Conflict | None:
    """The maximum lifetime must hold the lease."""
    if max_lifetime >= lease:
        return None
    return Conflict(MAX_LIFETIME.name, f"the lease, {format_duration(lease)}, or more", lease)


def drain_conflict(lease: timedelta, drain_before_end: timedelta) -> Conflict | None:
    """The lease must be longer than the drain, or no job would ever start."""
    if drain_before_end < lease:
        return None
    return Conflict(DRAIN_BEFORE_END.name, f"less than the lease, {format_duration(lease)}", lease / 2)


def renewal_conflict(drain_before_end: timedelta, renew_while_busy: timedelta) -> Conflict | None:
    """The renewal must come before the drain."""
    needed = 2 * drain_before_end + RENEWAL_SLACK
    if renew_while_busy >= needed:
        return None
    drain, slack = format_duration(drain_before_end), format_duration(RENEWAL_SLACK)
    allowed = f"{format_duration(needed)} or more: twice {DRAIN_BEFORE_END.name}, {drain}, and {slack}"
    return Conflict(RENEW_WHILE_BUSY.name, allowed, needed)


def warning_conflict(lease: timedelta, warn_before_end: timedelta) -> Conflict | None:
    """The warning must fall into the lease."""
    if warn_before_end < lease:
        return None
    half = max(lease / 2, WARN_BEFORE_END.minimum)
    return Conflict(
        WARN_BEFORE_END.name, f"less than the lease, {format_duration(lease)}", half if half < lease else None
    )
