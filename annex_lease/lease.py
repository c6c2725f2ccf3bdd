"""Lease of a group: its record, and the times that follow from it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from annex_lease import tags
from annex_lease.policy import NUMBERS, LeasePolicy
from annex_lease.record import LeaseRecord, Ledger, read_record
from annex_lease.tags import Tag

_LONGEST = timedelta(seconds=NUMBERS["max_lifetime_seconds"][2])


@dataclass(frozen=True)
class Lease:
    """Record of a lease and the times that follow from it. All times are aware UTC, in whole seconds.

    A group whose tags declare no policy has a lease too: `policy` is None, `size` is 0, and every end is `start`.

    Attributes:
        record: content of the tags of the group.
        start: creation of the group.
        declared_end: end that the template declares.
        unrenewed_end: declared end, or the operator's override of it: the end before a renewal of a busy annex.
        effective_end: end that counts: after renewal, and no later than `hours_end`.
        latest_end: end that no extension and no renewal can pass.
        hours_end: time at which the instance-hours are used up with the present number of instances; None: never, or
            there is no limit.
        ledger: use of the instance-hours; None if no limit was ever declared, or nothing was granted yet.
        problems: what of the record could not be followed.
    """

    record: LeaseRecord
    start: datetime
    declared_end: datetime
    unrenewed_end: datetime
    effective_end: datetime
    latest_end: datetime
    hours_end: datetime | None
    ledger: Ledger | None
    problems: tuple[str, ...]

    @classmethod
    def of(cls, group_tags: Iterable[Tag], created: datetime) -> Lease:
        """Read the lease of a group; never raises for anything that the tags may hold.

        Args:
            group_tags: tags of the group.
            created: CreatedTime of the group, which AWS sets and no user can edit; aware.
        """
        record = read_record(group_tags)
        # Times have whole seconds. Rounding down means that rounding never adds to a lease.
        start = created.astimezone(UTC).replace(microsecond=0)
        policy = record.policy
        if policy is None:
            return cls(record, start, start, start, start, start, None, None, record.problems)
        latest = start + timedelta(seconds=policy.max_lifetime_seconds)
        declared = policy.ends_at or start + timedelta(seconds=policy.duration_seconds or 0)
        unrenewed, problems = _unrenewed_end(record, declared, latest)
        end = unrenewed
        # A renewal counts only in place of the end that it renewed: a later override or a deployment makes it void.
        if policy.renew_seconds is not None and record.busy is not None and record.busy.unrenewed_end == unrenewed:
            end = max(unrenewed, min(record.busy.end, latest))
        ledger = _ledger(record, policy, start)
        limit = policy.max_instance_hours
        hours_end = ledger.reaches(limit) if ledger and limit is not None else None
        if hours_end is not None:
            end = min(end, hours_end)
        return cls(record, start, declared, unrenewed, end, latest, hours_end, ledger, record.problems + problems)

    @property
    def policy(self) -> LeasePolicy | None:
        """Declared values; None if one that the template must declare is missing or malformed."""
        return self.record.policy

    @property
    def size(self) -> int:
        """Declared number of instances."""
        return self.policy.size if self.policy else 0

    @property
    def limit(self) -> int | None:
        """Instance-hours that may be used; None: there is no limit."""
        return self.policy.max_instance_hours if self.policy else None

    @property
    def grace(self) -> timedelta:
        """Time that an instance may take to shut down after the end; zero without a policy."""
        return timedelta(seconds=self.policy.grace_seconds if self.policy else 0)

    @property
    def renew_while_busy(self) -> timedelta | None:
        """Time that a renewal adds for a busy annex; None: it is not renewed."""
        seconds = self.policy.renew_seconds if self.policy else None
        return None if seconds is None else timedelta(seconds=seconds)

    @property
    def warn_before_end(self) -> timedelta | None:
        """Time before the end at which a warning is published; None: there is no warning."""
        seconds = self.policy.warn_before_end_seconds if self.policy else None
        return None if seconds is None else timedelta(seconds=seconds)

    @property
    def ends_by_hours(self) -> bool:
        """True if the instance-hours are what ends the lease."""
        return self.hours_end is not None and self.hours_end == self.effective_end


def _unrenewed_end(record: LeaseRecord, declared: datetime, latest: datetime) -> tuple[datetime, tuple[str, ...]]:
    if record.override_end is None:
        return min(declared, latest), ()
    if record.override_end > latest:
        problem = (
            f"{tags.TAG_UNTIL} {tags.format_time(record.override_end)} is ignored: "
            f"the maximum lifetime of this lease ends at {tags.format_time(latest)}"
        )
        return min(declared, latest), (problem,)
    return record.override_end, ()


def _ledger(record: LeaseRecord, policy: LeasePolicy, start: datetime) -> Ledger | None:
    written = record.ledger is not None or not record.ledger_known
    if policy.max_instance_hours is None and not written:
        return None
    # Kept up while it exists, limit or no limit: a limit that is declared again finds all use in between.
    if record.ledger is not None and start <= record.ledger.at <= start + _LONGEST:
        return record.ledger
    if record.was_granted or written:
        # Unknown use counts as the most that it can have been, by the known sizes.
        return Ledger.assumed(start, max(policy.size, record.granted.size if record.granted else 0))
    return None
