"""Which end an operator asks for with --for or --until: later than the present one, and within the reach. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from annex_lease.lease import Lease
from annex_lease.tags import format_time
from annex_pool.error import InputError


def wanted_end(
    command: str, name: str, lease: Lease, now: datetime, *, span: timedelta | None, until: datetime | None
) -> datetime | None:
    """The end to write, or None if the present one is late enough.

    Args:
        command: the words of the command, such as "annex extend", for the errors.
        name: the annex's name, for the errors.
        lease: the lease as it is now.
        now: the current time, aware.
        span: so long from now at least; counted from now, so that repeating the command does not add up.
        until: until exactly this time.

    Raises:
        InputError: neither or both are given; the time is beyond the reach; or `until` is earlier than the present
            end, or is over.
    """
    check_one(span, until)
    # Not the end that the money makes: it moves with the number of instances, and the declared one would be lost.
    present = max(lease.unrenewed_end, lease.effective_end)
    if until is not None:
        if now < present and until < present:
            raise InputError(
                f"--until {format_time(until)} is earlier than the present end {format_time(present)} and {command} "
                f"never shortens a lease: to end it now run `annex stop {name}`"
            )
        if until <= now:
            raise InputError(f"--until {format_time(until)} is not later than now, {format_time(now)}")
        wanted = until
    else:
        wanted = _later(now, span or timedelta(0), lease.latest_end).replace(microsecond=0)
    if wanted > lease.latest_end:
        latest = format_time(lease.latest_end)
        raise InputError(
            f"the end asked for, {format_time(wanted)}, is beyond the reach of this lease: the latest possible is "
            f"{latest} (`{command} {name} --until {latest}`)"
        )
    return wanted if wanted > present else None


def check_one(span: object, until: object) -> None:
    """Make sure that the operator says either how long or until when, before anything is asked of AWS.

    Raises:
        InputError: neither or both are given.
    """
    if (span is None) == (until is None):
        received = "neither" if span is None else "both"
        raise InputError(f"received {received}: give exactly one of --for DURATION and --until TIME")


def _later(now: datetime, span: timedelta, longest: datetime) -> datetime:
    # "999999d" reaches beyond what a datetime can hold; any time beyond the reach is refused alike.
    return now + min(span, longest - now + timedelta(days=1))
