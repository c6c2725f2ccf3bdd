"""`annex extend`: move the end of a running lease to a later time, within the maximum lifetime."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from annex_lease.aws import read_group
from annex_lease.lease import Lease
from annex_lease.tags import format_time
from annex_pool.check import Answer
from annex_pool.command_error import AnnexError, InputError
from annex_pool.deployed import Deployed, deployed_annex, override_tags, running_lease, write_tags
from annex_pool.environment import Environment
from annex_pool.region import asking
from annex_spec import AnnexSpec

_ATTEMPTS = 5


@dataclass(frozen=True)
class Extended:
    """Result of an extension.

    Attributes:
        before: the effective end before.
        after: the end asked for, or a later one that another operator wrote at the same moment; `before` if nothing
            had to be written.
        answer: the lease checker's answer; None if nothing was written.
    """

    before: datetime
    after: datetime
    answer: Answer | None


def extend(environment: Environment, spec: AnnexSpec, *, span: timedelta | None, until: datetime | None) -> Extended:
    """Move the end of the lease to a later time.

    Args:
        environment: external dependencies.
        spec: the annex.
        span: minimum time from now to the end; a repeated command does not add up.
        until: the exact end. Give exactly one of the two.

    Raises:
        InputError: the end asked for exceeds the maximum lifetime, or is earlier than the present end.
        AnnexError: the annex is not deployed or has ended; AWS could not be asked.
    """
    now = environment.now()
    found = deployed_annex(environment.connect(spec.region), spec)
    lease = running_lease(found, now)
    wanted = wanted_end("annex extend", spec.name, lease, now, span=span, until=until)
    if wanted is None:
        return Extended(lease.effective_end, lease.effective_end, None)
    end, answer = _write_latest(environment, found, wanted)
    check_end(answer, end, lease.hours_end)
    return Extended(lease.effective_end, end, answer)


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


def check_end(answer: Answer, wanted: datetime, hours_end: datetime | None) -> None:
    """Check that the checker uses the end that was written; used-up instance-hours may end the lease before it.

    Raises:
        AnnexError: the checker uses another end.
    """
    if answer.end != format_time(wanted) and not (hours_end is not None and hours_end < wanted):
        raise AnnexError(
            f"the new end {format_time(wanted)} is written, but the lease checker uses {answer.end}: "
            f"{'; '.join(answer.problems) or 'another operator changed it at the same time'}"
        )


def _later(now: datetime, span: timedelta, latest: datetime) -> datetime:
    # "999999d" is more than a datetime can hold. Every time after the latest end is refused alike.
    return now + min(span, latest - now + timedelta(days=1))


def _write_latest(environment: Environment, found: Deployed, wanted: datetime) -> tuple[datetime, Answer]:
    """Write the end, or the later end that another operator writes at the same moment; AWS's tags know no condition.

    A writer who overwrote a later end learns of it from the end that the checker published before. A writer whose later
    end was overwritten finds the other end on the group. One of the two writes the later end again.
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
        overwritten = answer.published if answer.published != before else None
        written = _written(found)
        if written is not None and written <= environment.now():
            raise AnnexError(f"annex {found.name} was stopped at the same time: its lease ended {format_time(written)}")
        if (overwritten is None or overwritten <= end) and written is not None and written >= end:
            return (end, answer) if written == end else (written, environment.ask_checker(found))
        end = max(time for time in (end, overwritten, written) if time is not None)
    raise AnnexError(
        f"other commands keep changing the end of annex {found.name}; look at `annex status {found.name}`, then repeat"
    )


def _written(found: Deployed) -> datetime | None:
    with asking(f"for group {found.group.name}"):
        group = read_group(found.annex)
    return group.lease.record.override_end if group else None
