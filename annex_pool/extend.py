"""`annex extend`: move the end of a running lease to a later time, within the maximum lifetime."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from annex_lease.actions import RenewLease
from annex_lease.lease import Lease
from annex_lease.tags import format_time
from annex_pool.check import Answer
from annex_pool.command_error import AnnexError, InputError
from annex_pool.deployed import (
    OVER,
    Deployed,
    override_tags,
    read_lease,
    running_lease,
    write_tags,
)
from annex_pool.environment import Environment
from annex_pool.place import Place, deployed_annex
from annex_pool.stored_credential import early_expiry, stored_credential

_ATTEMPTS = 5


@dataclass(frozen=True)
class Extended:
    """Result of an extension.

    Attributes:
        before: the effective end before.
        after: the end asked for, or a later one that another operator wrote at the same moment; `before` if nothing
            had to be written.
        answer: the lease checker's answer; None if nothing was written.
        notes: what the operator has to know besides.
    """

    before: datetime
    after: datetime
    answer: Answer | None
    notes: tuple[str, ...] = ()


def extend(environment: Environment, place: Place, *, span: timedelta | None, until: datetime | None) -> Extended:
    """Move the end of the lease to a later time.

    Args:
        environment: external dependencies.
        place: the annex.
        span: minimum time from now to the end; a repeated command does not add up.
        until: the exact end. Give exactly one of the two.

    Raises:
        InputError: the end asked for exceeds the maximum lifetime, or is earlier than the present end.
        AnnexError: the annex is not deployed or has ended; AWS could not be asked.
    """
    now = environment.now()
    found = deployed_annex(environment, place)
    lease = running_lease(found, now)
    wanted = wanted_end("annex extend", place.name, lease, now, span=span, until=until)
    if wanted is None:
        return Extended(lease.effective_end, lease.effective_end, None)
    end, answer = write_latest(environment, found, wanted)
    check_end(answer, end, found)
    return Extended(lease.effective_end, end, answer, _notes(found, end))


def _notes(found: Deployed, end: datetime) -> tuple[str, ...]:
    """A note if the stored token expires before the new end; an instance that joined before stays in the pool."""
    try:
        expires = early_expiry(stored_credential(found), end)
    except AnnexError as error:
        return (f"whether the stored token lasts until the new end is not known: {error}",)
    if expires is None:
        return ()
    return (
        f"the stored token expires at {format_time(expires)}, before the new end: no instance could join after that; "
        f"run `annex credential push {found.name}`",
    )


def wanted_end(
    command: str, name: str, lease: Lease, now: datetime, *, span: timedelta | None, until: datetime | None
) -> datetime | None:
    """Compute the end to write; None if the present one is late enough.

    Args:
        command: the command, such as "annex extend", for the errors.
        name: the annex's name, for the errors.
        lease: the lease.
        now: the current time, aware.
        span: minimum time from now to the end; counted from now, so that a repeated command does not add up.
        until: the exact end.

    Raises:
        InputError: neither or both are given; the end exceeds the maximum lifetime; or `until` is earlier than the
            present end, or is over.
    """
    check_one(span, until)
    # Not the end by instance-hours: it moves with the number of instances, and the declared end would be lost.
    present = lease.end_by_time
    if until is not None:
        if now < present and until < present:
            raise InputError(
                f"--until {format_time(until)} is earlier than the present end {format_time(present)} and {command} "
                f"never shortens a lease: run `annex shorten {name}`, or `annex stop {name}` to end it now"
            )
        if until <= now:
            raise InputError(f"--until {format_time(until)} is not later than now, {format_time(now)}")
        wanted = until
    else:
        wanted = _later(now, span or timedelta(0), lease.latest_end).replace(microsecond=0)
    if wanted > lease.latest_end:
        latest = format_time(lease.latest_end)
        raise InputError(
            f"the end asked for, {format_time(wanted)}, exceeds the maximum lifetime of annex {name}: the latest "
            f"possible is {latest} (`{command} {name} --until {latest}`)"
        )
    return wanted if wanted > present else None


def check_one(span: object, until: object) -> None:
    """Check that exactly one of --for and --until is given, before any call to AWS.

    Raises:
        InputError: neither or both are given.
    """
    if (span is None) == (until is None):
        received = "neither" if span is None else "both"
        raise InputError(f"received {received}: give exactly one of --for DURATION and --until TIME")


def check_end(answer: Answer, wanted: datetime, found: Deployed) -> None:
    """Check that the checker uses the end that was written, or a later one to which it renewed the busy annex.

    Used-up instance-hours may end the lease before it.

    Args:
        answer: the checker's answer after the end was written.
        wanted: the end that was written.
        found: the annex.

    Raises:
        AnnexError: the checker uses another end; AWS could not be asked.
    """
    if answer.end == format_time(wanted) or was_renewed(answer):
        return
    # Read again: the check before may have been the first that saw the instances, and counted them.
    lease = read_lease(found)
    if lease is None or lease.hours_end is None or lease.hours_end >= wanted:
        raise AnnexError(
            f"the new end {format_time(wanted)} is written, but the lease checker uses {answer.end}: "
            f"{'; '.join(answer.problems) or 'another operator, or a deployment, changed it at the same time'}"
        )


def was_renewed(answer: Answer) -> bool:
    """True if the checker renewed the busy annex in the check that gave this answer."""
    return any(action.get("action") == RenewLease.__name__ for action in answer.actions)


def _later(now: datetime, span: timedelta, latest: datetime) -> datetime:
    # "999999d" is more than a datetime can hold. Every time after the latest end is refused alike.
    return now + min(span, latest - now + timedelta(days=1))


def write_latest(environment: Environment, found: Deployed, wanted: datetime) -> tuple[datetime, Answer]:
    """Write the end, or the later end that another operator writes at the same moment; AWS's tags know no condition.

    A writer who overwrote a later end learns of it from the end that the checker published before. A writer whose later
    end was overwritten finds the other end on the group. One of the two writes the later end again.

    Args:
        environment: external dependencies.
        found: the annex, as it was when the end was decided.
        wanted: the end to write.

    Returns:
        the end that stands, and the checker's answer.

    Raises:
        AnnexError: AWS or the checker could not be asked; the annex was stopped at the same time.
    """
    before, end = found.group.lease.record.published_end, wanted
    for _ in range(_ATTEMPTS):
        write_tags(found, override_tags(found.group.lease, end), "the end of the lease")
        try:
            answer = environment.ask_checker(found)
        except AnnexError as error:
            raise AnnexError(
                f"the new end {format_time(end)} is written, but {error}; running execution points do not have it yet"
            ) from error
        lease = read_lease(found)
        written = lease.record.override_end if lease else None
        if written is not None and written != end and written <= environment.now():
            raise AnnexError(f"annex {found.name} was stopped at the same time: its lease ended {format_time(written)}")
        if answer.phase in OVER and end > environment.now():
            raise AnnexError(
                f"the new end {format_time(end)} is written, but annex {found.name} ended, or was stopped, at the same "
                f"time: {answer.reason or 'the lease checker gives no reason'}"
            )
        overwritten = _by_operator(answer, lease) if lease and answer.published != before else None
        if (overwritten is None or overwritten <= end) and written is not None and written >= end:
            return (end, answer) if written == end else (written, environment.ask_checker(found))
        end = max(time for time in (end, overwritten, written) if time is not None)
    raise AnnexError(
        f"other commands keep changing the end of annex {found.name}; look at `annex status {found.name}`, then repeat"
    )


def _by_operator(answer: Answer, lease: Lease) -> datetime | None:
    """The end that was published before, unless it follows from a renewal of the busy annex, or from the hours."""
    busy = lease.record.busy
    if was_renewed(answer) or answer.published in {lease.hours_end, busy.end if busy else None}:
        return None
    return answer.published
