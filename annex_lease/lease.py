"""When a lease ends: what was declared, what the operator said, how busy it was, and what the money allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from annex_lease import tags
from annex_lease.ledger import HOUR_SECONDS, Ledger, assumed
from annex_lease.policy import LeasePolicy
from annex_lease.record import LeaseRecord

_LONGEST = timedelta(seconds=tags.MAX_LIFETIME_SECONDS)


@dataclass(frozen=True)
class LeaseTimes:
    """When a lease ends. All times are aware UTC, in whole seconds.

    Attributes:
        declared: what the template asks for.
        longest: what no extension and no renewal can pass.
        base: the declared end or the operator's word in its place: what a renewal of a busy annex counts from.
        end: what counts.
        money_end: when the instance-hours are used up, with as many instances as now; None: never, or no limit.
        ledger: what is used of the instance-hours; None if no limit was ever declared or nothing was granted yet.
        limit_seconds: the limit in instance-seconds; None: no limit is declared.
        start: when the group was created.
        size: how many instances it may have.
        problems: why a word of the record was not followed, if it was not.
    """

    declared: datetime
    longest: datetime
    base: datetime
    end: datetime
    money_end: datetime | None
    ledger: Ledger | None
    limit_seconds: int | None
    start: datetime
    size: int
    problems: tuple[str, ...]

    @property
    def out_of_money(self) -> bool:
        """Whether it is the money that ends the lease."""
        return self.money_end is not None and self.money_end == self.end


def lease_times(record: LeaseRecord, created: datetime) -> LeaseTimes | None:
    """When the lease of a group ends; None if the record declares no policy, and the annex must stop.

    Args:
        record: what the group's tags say.
        created: the group's CreatedTime, which AWS sets and nobody can edit; aware.
    """
    policy = record.policy
    if policy is None:
        return None
    # Times are told to the second. Rounding down means that no rounding ever adds to a lease.
    start = created.astimezone(UTC).replace(microsecond=0)
    longest = start + timedelta(seconds=policy.max_lifetime_seconds)
    declared = policy.ends_at or start + timedelta(seconds=policy.duration_seconds or 0)
    base, problems = _base(record, declared, longest)
    end = base
    # A renewal counts only in place of the end it renewed: a later word of the operator, or a deploy, makes it void.
    if policy.renew_seconds is not None and record.busy is not None and record.busy.base == base:
        end = max(base, min(record.busy.end, longest))
    ledger = _ledger(record, policy, start)
    money_end = ledger.reaches(policy.max_instance_hours) if ledger and policy.max_instance_hours is not None else None
    if money_end is not None:
        end = min(end, money_end)
    limit = None if policy.max_instance_hours is None else policy.max_instance_hours * HOUR_SECONDS
    return LeaseTimes(declared, longest, base, end, money_end, ledger, limit, start, policy.size, problems)


def _base(record: LeaseRecord, declared: datetime, longest: datetime) -> tuple[datetime, tuple[str, ...]]:
    if record.until is None:
        return min(declared, longest), ()
    if record.until > longest:
        problem = (
            f"{tags.TAG_UNTIL} {tags.format_time(record.until)} is ignored: "
            f"the reach of this lease ends at {tags.format_time(longest)}"
        )
        return min(declared, longest), (problem,)
    return record.until, ()


def _ledger(record: LeaseRecord, policy: LeasePolicy, start: datetime) -> Ledger | None:
    told = record.ledger is not None or not record.ledger_known
    if policy.max_instance_hours is None and not told:
        return None
    # Kept up as long as it is there, limit or no limit: one that is declared again finds all that was used meanwhile.
    if record.ledger is not None and start <= record.ledger.at <= start + _LONGEST:
        return record.ledger
    if record.was_granted or told:
        # What is not known is taken for the most it can have been, by the sizes known: never for nothing.
        return assumed(start, max(policy.size, record.granted.size if record.granted else 0))
    return None
