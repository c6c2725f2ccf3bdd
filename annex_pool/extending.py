"""`annex extend`: a later end of a lease that has not ended, within its reach, never an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from annex_lease.aws import read_group
from annex_lease.tags import TAG_UNTIL, format_time
from annex_pool.aws import asking
from annex_pool.checker import Answer
from annex_pool.environment import Environment
from annex_pool.error import AnnexError
from annex_pool.finding import Deployed
from annex_pool.lease import deployed, running_lease
from annex_pool.wanted import wanted_end
from annex_pool.writing import write_record
from annex_spec import AnnexSpec

_ATTEMPTS = 5


@dataclass(frozen=True)
class Extended:
    """What became of the end of the lease.

    Attributes:
        before: the effective end before.
        after: the end asked for, or a later one that somebody else asked for at the same moment; the one before if
            nothing had to be written.
        answer: what the lease checker found; None if nothing was written.
    """

    before: datetime
    after: datetime
    answer: Answer | None


def extend(environment: Environment, spec: AnnexSpec, *, span: timedelta | None, until: datetime | None) -> Extended:
    """Move the end of the lease to a later time.

    Args:
        environment: the world.
        spec: the annex.
        span: so long from now at least; counted from now, so that repeating the command does not add up.
        until: until exactly this time. Give exactly one of the two.

    Raises:
        InputError: the time asked for is beyond the reach or earlier than the present end.
        AnnexError: the annex is not deployed or has ended; AWS could not be asked.
    """
    now = environment.now()
    found = deployed(environment.connect(spec.region), spec)
    lease = running_lease(found, now)
    wanted = wanted_end("annex extend", spec.name, lease, now, span=span, until=until)
    if wanted is None:
        return Extended(lease.effective_end, lease.effective_end, None)
    end, answer = _write_latest(environment, found, wanted)
    check_end(answer, end, lease.hours_end)
    return Extended(lease.effective_end, end, answer)


def _write_latest(environment: Environment, found: Deployed, wanted: datetime) -> tuple[datetime, Answer]:
    """Write the end, or the later one that somebody else asks for at the same moment; AWS's tags know no condition.

    Whoever wrote last and earlier learns of the other from the end that the checker published before; whoever wrote
    first and later finds the other's on the group. One of the two writes the later end again.
    """
    before, end = found.group.lease.record.published_end, wanted
    for _ in range(_ATTEMPTS):
        write_record(found, {TAG_UNTIL: format_time(end)}, "the end of the lease")
        try:
            answer = environment.ask_checker(found)
        except AnnexError as error:
            raise AnnexError(
                f"the new end {format_time(end)} is written, but {error}; running execution points do not know it yet"
            ) from error
        overwritten = answer.published if answer.published != before else None
        written = _written(found)
        if written is not None and written <= environment.now():
            raise AnnexError(f"annex {found.name} was stopped at the same time: its lease ended {format_time(written)}")
        if (overwritten is None or overwritten <= end) and written is not None and written >= end:
            return (end, answer) if written == end else (written, environment.ask_checker(found))
        end = max(time for time in (end, overwritten, written) if time is not None)
    raise AnnexError(
        f"somebody else keeps changing the end of annex {found.name}; look at `annex status {found.name}`, then repeat"
    )


def _written(found: Deployed) -> datetime | None:
    with asking(f"for group {found.group.name}"):
        group = read_group(found.annex)
    return group.lease.record.until if group else None


def check_end(answer: Answer, wanted: datetime, hours_end: datetime | None) -> None:
    """Make sure that the checker takes the end that was written; the money may end the lease before it.

    Raises:
        AnnexError: it says another end.
    """
    if answer.end != format_time(wanted) and not (hours_end is not None and hours_end < wanted):
        raise AnnexError(
            f"the new end {format_time(wanted)} is written, but the lease checker says {answer.end}: "
            f"{'; '.join(answer.problems) or 'someone else changed it at the same time'}"
        )
