"""`annex extend`: a later end of a lease that has not ended, within its reach, never an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from annex_lease.contract import TAG_UNTIL, format_time, group_tag
from annex_lease.record import LeaseTimes
from annex_pool.aws import asking
from annex_pool.checker import Answer
from annex_pool.error import AnnexError, InputError
from annex_pool.finding import Deployed
from annex_pool.lease import deployed, running_lease
from annex_pool.outside import Outside
from annex_spec import AnnexSpec

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import TagTypeDef


@dataclass(frozen=True)
class Extended:
    """What became of the end of the lease.

    Attributes:
        before: the effective end before.
        after: the effective end now; the same if nothing had to be written.
        answer: what the lease checker found; None if nothing was written.
    """

    before: datetime
    after: datetime
    answer: Answer | None


def extend(outside: Outside, spec: AnnexSpec, *, span: timedelta | None, until: datetime | None) -> Extended:
    """Move the end of the lease to a later time.

    Args:
        outside: the world.
        spec: the annex.
        span: so long from now at least; counted from now, so that repeating the command does not add up.
        until: until exactly this time. Give exactly one of the two.

    Raises:
        InputError: the time asked for is beyond the reach or earlier than the present end.
        AnnexError: the annex is not deployed or has ended; AWS could not be asked.
    """
    now = outside.now()
    found = deployed(outside.connect(spec.region), spec)
    times = running_lease(found, now)
    wanted = wanted_end(spec.name, times, now, span=span, until=until)
    if wanted is None:
        return Extended(times.end, times.end, None)
    write_until(found, wanted)
    try:
        answer = outside.ask_checker(found.aws, spec.name)
    except AnnexError as error:
        raise AnnexError(
            f"the new end {format_time(wanted)} is written, but {error}; running execution points do not know it yet"
        ) from error
    if answer.end != format_time(wanted):
        raise AnnexError(
            f"the new end {format_time(wanted)} is written, but the lease checker says {answer.end}: "
            f"{'; '.join(answer.problems) or 'someone else changed it at the same time'}"
        )
    return Extended(times.end, wanted, answer)


def wanted_end(
    name: str, times: LeaseTimes, now: datetime, *, span: timedelta | None, until: datetime | None
) -> datetime | None:
    """The end to write, or None if the present one is late enough.

    Args:
        name: the annex's name, for the errors.
        times: when the lease ends now, and can end at the latest.
        now: the current time, aware.
        span: so long from now at least.
        until: until exactly this time.

    Raises:
        InputError: neither or both are given; beyond the reach; or `until` is earlier than the present end.
    """
    if (span is None) == (until is None):
        raise InputError("give exactly one of --for DURATION and --until TIME")
    if until is not None:
        if until < times.end:
            raise InputError(
                f"--until {format_time(until)} is earlier than the present end {format_time(times.end)} and extend "
                f"never shortens a lease: to end it now run `annex stop {name}`"
            )
        wanted = until
    else:
        wanted = _later(now, span or timedelta(0), times.longest).replace(microsecond=0)
    if wanted > times.longest:
        latest = format_time(times.longest)
        raise InputError(
            f"the end asked for, {format_time(wanted)}, is beyond the reach of this lease: the latest possible is "
            f"{latest} (`annex extend {name} --until {latest}`)"
        )
    return wanted if wanted > times.end else None


def write_until(found: Deployed, until: datetime) -> None:
    """Write the operator's word about the end on the annex's group.

    Raises:
        AnnexError: AWS refused or could not be asked.
    """
    tag = cast("TagTypeDef", group_tag(TAG_UNTIL, format_time(until)).to_api(found.group.name))
    with asking(f"to write the end of the lease on group {found.group.name}"):
        found.aws.autoscaling.create_or_update_tags(Tags=[tag])


def _later(now: datetime, span: timedelta, longest: datetime) -> datetime:
    # "999999d" reaches beyond what a datetime can hold; any time beyond the reach is refused alike.
    return now + min(span, longest - now + timedelta(days=1))
