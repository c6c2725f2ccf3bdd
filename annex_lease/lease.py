"""Lease of a group: its record, and the times that follow from it. Pure.

One rule decides which end counts. Caps cap: nothing lasts longer than the maximum lifetime or than the instance-hours
allow. Below the caps the newer decision wins: an override is newer than the declared end that it was written against,
and a deployment that changes the declared end is newer than the override.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

from annex_lease import tags
from annex_lease.entries import Ledger, Override
from annex_lease.policy import NUMBERS, LeasePolicy
from annex_lease.record import LeaseRecord, assume_granted, read_record
from annex_lease.tags import Tag
from annex_lease.terms import GRACE

_LONGEST = NUMBERS["max_lifetime_seconds"][2]


class Phase(Enum):
    """Phase of an annex."""

    WAITING = "waiting"
    """The lease is valid and the declared size is not granted yet: something is missing."""
    GRANTED = "granted"
    """The lease is valid, the declared size is granted, and no instance is in service: not yet, or no longer."""
    ACTIVE = "active"
    """The lease is valid and instances are in service."""
    DRAINING = "draining"
    """The lease is over, and something still exists, could still start, or was not looked for twice."""
    ENDED = "ended"
    """The lease is over, nothing can start, and two listings with time between them were empty."""


@dataclass(frozen=True)
class LeaseCaps:
    """Declared values that cap the tags: they stand where an operator who can write tags cannot write.

    Attributes:
        max_lifetime_seconds: maximum lifetime. Default: None - the tag alone counts.
        size: number of instances. Default: None - the tag alone counts.
        max_instance_hours: instance-hours. Default: None - the tag alone counts.
        problems: caps that cannot be read; the tag alone counts.
    """

    max_lifetime_seconds: int | None = None
    size: int | None = None
    max_instance_hours: int | None = None
    problems: tuple[str, ...] = ()

    @classmethod
    def read(cls, texts: Mapping[str, str]) -> LeaseCaps:
        """Read the caps from texts by their names; an empty text is no cap. Never raises."""
        numbers: dict[str, int] = {}
        problems = []
        for field in ("max_lifetime_seconds", "size", "max_instance_hours"):
            _, minimum, maximum = NUMBERS[field]
            if text := texts.get(field, ""):
                try:
                    numbers[field] = tags.parse_count(text, minimum=minimum, maximum=maximum)
                except ValueError as error:
                    problems.append(f"cap {field} is ignored: {error}")
        return cls(problems=tuple(problems), **numbers)

    def applied_to(self, policy: LeasePolicy) -> LeasePolicy:
        """The policy, with no value above its cap."""
        limits = [each for each in (policy.max_instance_hours, self.max_instance_hours) if each is not None]
        return replace(
            policy,
            size=min(policy.size, policy.size if self.size is None else self.size),
            max_lifetime_seconds=min(policy.max_lifetime_seconds, self.max_lifetime_seconds or _LONGEST),
            max_instance_hours=min(limits, default=None),
        )


NO_CAPS = LeaseCaps()
"""No caps: the tags alone count."""


@dataclass(frozen=True)
class Lease:
    """Record of a lease and the times that follow from it. All times are aware UTC, in whole seconds.

    A group whose tags declare no policy has a lease too: `policy` is None, `size` is 0, and the last published end is
    its effective end. Without a published end every end is `start`.

    Attributes:
        record: content of the tags of the group.
        policy: declared values within the caps; None if one that the template must declare is missing or malformed.
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
    policy: LeasePolicy | None
    start: datetime
    declared_end: datetime
    unrenewed_end: datetime
    effective_end: datetime
    latest_end: datetime
    hours_end: datetime | None
    ledger: Ledger | None
    problems: tuple[str, ...]

    @classmethod
    def of(
        cls, group_tags: Iterable[Tag], created: datetime, caps: LeaseCaps = NO_CAPS, *, marked: bool = False
    ) -> Lease:
        """Read the lease of a group; never raises for anything that the tags may hold.

        Args:
            group_tags: tags of the group.
            created: CreatedTime of the group, which AWS sets and no user can edit; aware.
            caps: declared values that no tag can exceed. Default: none.
            marked: True if the group carries the mark of a grant, which is no tag. Default: False.
        """
        record = read_record(group_tags)
        problems = record.problems + caps.problems
        # Times have whole seconds. Rounding down means that rounding never adds to a lease.
        start = created.astimezone(UTC).replace(microsecond=0)
        if record.policy is None:
            latest = start + timedelta(seconds=caps.max_lifetime_seconds or _LONGEST)
            record = assume_granted(record, 0) if marked else record
            end = min(record.published_end or start, latest)
            return cls(record, None, start, end, end, end, latest, None, None, problems)
        policy = caps.applied_to(record.policy)
        if marked:
            record = assume_granted(record, policy.size)
        latest = start + timedelta(seconds=policy.max_lifetime_seconds)
        declared = policy.ends_at or start + timedelta(seconds=policy.duration_seconds or 0)
        override = None if _is_void(record, declared) else record.override_end
        if override is not None and override > latest:
            problems += (
                f"{tags.TAG_UNTIL} {tags.format_time(override)} is after the maximum lifetime of this lease: "
                f"its end {tags.format_time(latest)} counts",
            )
        unrenewed = min(declared if override is None else override, latest)
        end = unrenewed
        # A renewal counts only in place of the end that it renewed: a later override or a deployment makes it void.
        if policy.renew_seconds is not None and record.busy is not None and record.busy.unrenewed_end == unrenewed:
            end = max(unrenewed, min(record.busy.end, latest))
        ledger = _ledger(record, policy, start, latest)
        limit = policy.max_instance_hours
        hours_end = ledger.reaches(limit) if ledger and limit is not None else None
        if hours_end is not None:
            end = min(end, hours_end)
        return cls(record, policy, start, declared, unrenewed, end, latest, hours_end, ledger, problems)

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
        """Time that an instance may take to shut down after the end: as declared, or the default if that is unknown."""
        seconds = self.record.grace_seconds
        return GRACE.default_value if seconds is None else timedelta(seconds=seconds)

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

    @property
    def end_by_time(self) -> datetime:
        """The end without the instance-hours, which move with the number of instances."""
        return max(self.unrenewed_end, self.effective_end)

    @property
    def override(self) -> Override | None:
        """The operator's override, and what it was written against: the present declared end, if no record says it."""
        end, known = self.record.override_end, self.record.overrides
        if end is None:
            return None
        return known if known is not None and known.end == end else Override(end, self.declared_end)

    @property
    def override_is_void(self) -> bool:
        """True if there is an override that does not count, because a deployment changed the declared end after it."""
        return self.policy is not None and _is_void(self.record, self.declared_end)

    def explained(self) -> str:
        """The effective end and what decided it, for people: one line."""
        if self.policy is None:
            return "the declared lease is missing or malformed"
        text = f"ends at {tags.format_time(self.effective_end)}, {self._cause()}"
        if self.override_is_void and self.record.override_end is not None:
            override = tags.format_time(self.record.override_end)
            text += f"; the end {override} that an operator wrote before is void: a deployment changed the declared end"
        return text

    def _cause(self) -> str:
        record, end = self.record, self.effective_end
        if self.ends_by_hours:
            return f"when the {self.limit} instance-hours are used up"
        if end > self.unrenewed_end:
            return "renewed because the annex was busy"
        overridden = record.override_end is not None and not self.override_is_void
        if end == self.latest_end and end < ((record.override_end if overridden else None) or self.declared_end):
            return "the maximum lifetime, before the end that was asked for"
        return "as an operator wrote" if overridden else "as declared"


def _is_void(record: LeaseRecord, declared: datetime) -> bool:
    known = record.overrides
    return known is not None and known.end == record.override_end and known.declared_end != declared


def _ledger(record: LeaseRecord, policy: LeasePolicy, start: datetime, latest: datetime) -> Ledger | None:
    written = record.ledger is not None or not record.ledger_known
    if policy.max_instance_hours is None and not written:
        return None
    # Kept up while it exists, limit or no limit: a limit that is declared again finds all use in between.
    if record.ledger is not None:
        # What was counted stands, however wrong the clock was that wrote the time.
        return replace(record.ledger, at=min(max(record.ledger.at, start), latest))
    if record.was_granted or written:
        # Unknown use counts as the most that it can have been, by the known sizes.
        return Ledger.assumed(start, max(policy.size, record.granted.size if record.granted else 0))
    return None
