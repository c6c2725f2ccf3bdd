"""Reading a lease back from the tags of a group: as data, with every defect named and none of them raised.

A record can be missing, half written, edited by hand or hostile. Whatever the tags hold, reading them ends in a record
whose `policy` is either complete or None, and in a list of problems for the operator.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from annex_lease import contract
from annex_lease.contract import LeasePolicy, Tag

_T = TypeVar("_T")


@dataclass(frozen=True)
class LeaseRecord:
    """What the tags of a group say.

    `policy` is None if anything that the template must declare is missing or malformed: half a policy is no policy.
    `granted_known` is False if the tag of the granted size is there but cannot be read.
    """

    policy: LeasePolicy | None
    until: datetime | None
    published: Tag | None
    told: str | None
    granted: int | None
    granted_known: bool
    problems: tuple[str, ...]


@dataclass(frozen=True)
class LeaseTimes:
    """When a lease ends.

    `declared` is what the template asks for, `longest` what no extension can pass, `end` what counts. All are aware
    UTC, in whole seconds. `problems` says why the operator's word was not followed, if it was not.
    """

    declared: datetime
    longest: datetime
    end: datetime
    problems: tuple[str, ...]


def read_record(tags: Iterable[Tag]) -> LeaseRecord:
    """The record in `tags`; never raises, whatever they hold."""
    by_key = {tag.key: tag for tag in tags}
    values = {key: tag.value for key, tag in by_key.items()}
    problems: list[str] = []
    policy = _policy(values, problems)
    until = _parsed(values, contract.TAG_UNTIL, contract.parse_time, problems)
    granted = _parsed(values, contract.TAG_GRANTED, contract.parse_count, problems)
    return LeaseRecord(
        policy=policy,
        until=until,
        published=by_key.get(contract.TAG_END),
        told=values.get(contract.TAG_TOLD),
        granted=granted,
        granted_known=granted is not None or contract.TAG_GRANTED not in values,
        problems=tuple(problems),
    )


def lease_times(record: LeaseRecord, created: datetime) -> LeaseTimes | None:
    """When the lease of a group ends; None if the record declares no policy, and the annex must stop at once.

    Args:
        record: what the group's tags say.
        created: the group's CreatedTime, which AWS sets and nobody can edit; aware.
    """
    if record.policy is None:
        return None
    # Times are told to the second. Rounding down means that no rounding ever adds to a lease.
    start = created.astimezone(UTC).replace(microsecond=0)
    longest = start + timedelta(seconds=record.policy.reach_seconds)
    if record.policy.ends_at is not None:
        declared = record.policy.ends_at
    else:
        declared = start + timedelta(seconds=record.policy.duration_seconds or 0)
    end = min(declared, longest)
    if record.until is None:
        return LeaseTimes(declared, longest, end, ())
    if record.until > longest:
        problem = (
            f"{contract.TAG_UNTIL} {contract.format_time(record.until)} is ignored: "
            f"the reach of this lease ends at {contract.format_time(longest)}"
        )
        return LeaseTimes(declared, longest, end, (problem,))
    return LeaseTimes(declared, longest, record.until, ())


def _policy(values: Mapping[str, str], problems: list[str]) -> LeasePolicy | None:
    for key in (contract.TAG_NAME, contract.TAG_SIZE, contract.TAG_REACH, contract.TAG_GRACE):
        if key not in values:
            problems.append(f"{key} is missing: the template declares it; deploy the annex again")
    if (contract.TAG_DURATION in values) == (contract.TAG_ENDS_AT in values):
        problems.append(f"exactly one of {contract.TAG_DURATION} and {contract.TAG_ENDS_AT} must be declared")
    name = _parsed(values, contract.TAG_NAME, contract.check_annex_name, problems)
    size = _parsed(values, contract.TAG_SIZE, contract.parse_count, problems)
    duration = _parsed(values, contract.TAG_DURATION, _lease_seconds, problems)
    ends_at = _parsed(values, contract.TAG_ENDS_AT, contract.parse_time, problems)
    reach = _parsed(values, contract.TAG_REACH, _lease_seconds, problems)
    grace = _parsed(values, contract.TAG_GRACE, _grace_seconds, problems)
    if problems or name is None or size is None or reach is None or grace is None:
        return None
    return LeasePolicy(name, size, reach, grace, duration_seconds=duration, ends_at=ends_at)


def _parsed(values: Mapping[str, str], key: str, parse: Callable[[str], _T], problems: list[str]) -> _T | None:
    if key not in values:
        return None
    try:
        return parse(values[key])
    except ValueError as error:
        problems.append(f"{key}: {error}")
        return None


def _lease_seconds(text: str) -> int:
    return contract.parse_count(text, least=1, most=contract.LONGEST_REACH_SECONDS)


def _grace_seconds(text: str) -> int:
    return contract.parse_count(text, most=contract.LONGEST_GRACE_SECONDS)
