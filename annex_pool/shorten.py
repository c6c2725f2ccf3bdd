"""`annex shorten`: move the end of a running lease to an earlier time that is still to come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from annex_lease.lease import Lease
from annex_lease.tags import format_time
from annex_pool.check import Answer
from annex_pool.command_error import AnnexError, InputError
from annex_pool.deployed import Deployed, running_lease
from annex_pool.environment import Environment
from annex_pool.extend import check_end, check_one, was_renewed, write_latest
from annex_pool.place import Place, deployed_annex

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Shortened:
    """Result of a shortening.

    Attributes:
        before: the effective end before.
        after: the end that was written, or a later one that another operator wrote at the same moment; `before` if
            nothing had to be written.
        renewed: end to which the busy annex had been renewed, which is void now; None: it was not renewed.
        renews: True if the lease is renewed while jobs run, so that this end can move again.
        answer: the lease checker's answer; None if nothing was written.
    """

    before: datetime
    after: datetime
    renewed: datetime | None
    renews: bool
    answer: Answer | None


def shorten(environment: Environment, place: Place, *, span: timedelta | None, until: datetime | None) -> Shortened:
    """Move the end of the lease to an earlier time.

    Args:
        environment: external dependencies.
        place: the annex.
        span: longest time from now to the end; a repeated command moves nothing.
        until: the exact end. Give exactly one of the two.

    Raises:
        InputError: the end asked for is later than the present end, or is not later than now.
        AnnexError: the annex is not deployed, has ended or is being destroyed; AWS could not be asked; the checker
            uses another end.
    """
    now = environment.now()
    found = deployed_annex(environment, place)
    lease = running_lease(found, now)
    wanted = earlier_end(place.name, lease, now, span=span, until=until)
    renewed = lease.effective_end if lease.effective_end > lease.unrenewed_end else None
    renews = lease.renew_while_busy is not None
    if wanted is None:
        return Shortened(lease.effective_end, lease.effective_end, None, renews, None)
    end, answer = write_latest(environment, found, wanted)
    _check_not_renewed(answer, end, found)
    check_end(answer, end, found)
    return Shortened(lease.effective_end, end, renewed, renews, answer)


def earlier_end(
    name: str, lease: Lease, now: datetime, *, span: timedelta | None, until: datetime | None
) -> datetime | None:
    """Compute the end to write; None if the present one is early enough.

    Args:
        name: the annex's name, for the errors.
        lease: the lease.
        now: the current time, aware.
        span: longest time from now to the end.
        until: the exact end.

    Raises:
        InputError: neither or both are given; `until` is later than the present end, or is not later than now.
    """
    check_one(span, until)
    # Instance-hours may end the lease before this end. They move with the number of instances.
    present = lease.end_by_time
    if until is None:
        until = min(now + min(span or timedelta(0), present - now), present).replace(microsecond=0)
    elif until > present:
        raise InputError(
            f"--until {format_time(until)} is later than the present end {format_time(present)} and annex shorten "
            f"never lengthens a lease: run `annex extend {name}`"
        )
    if until <= now:
        raise InputError(
            f"the end asked for, {format_time(until)}, is not later than now, {format_time(now)}: to end the lease now "
            f"run `annex stop {name}`"
        )
    if until == present:
        return None
    busy = lease.record.busy
    if busy is not None and until == busy.unrenewed_end and until - _SECOND > now:
        # A renewal of a busy annex counts in place of exactly the end that it renewed: it would count again.
        return until - _SECOND
    return until


def _check_not_renewed(answer: Answer, end: datetime, found: Deployed) -> None:
    if answer.end == format_time(end) or not was_renewed(answer):
        return
    raise AnnexError(
        f"the new end {format_time(end)} is written, but jobs run, and the lease checker renewed the busy annex to "
        f"{answer.end} (renew_while_busy): to end it in spite of its jobs run `annex stop {found.name}`"
    )
