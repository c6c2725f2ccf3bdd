"""Status of one annex at one moment, as `annex status` prints it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from annex_lease.lease import Lease
from annex_lease.tags import format_time

NOT_DEPLOYED = "not deployed"


@dataclass(frozen=True)
class InstanceStatus:
    """Alive instance. `joined` and `jobs_running` are None if the pool did not answer.

    `protected`: protected from scale-in. Execution points that renew the lease while busy protect themselves during a
    job.
    """

    id: str
    state: str
    protected: bool
    joined: bool | None
    jobs_running: int | None


@dataclass(frozen=True)
class HoursUsed:
    """Instance-hours used, and their limit; `price` is that of one hour, None if the spec declares none."""

    used: float
    limit: int
    price: float | None

    def as_data(self) -> dict[str, object]:
        """The object `instance_hours` of `annex status --json`.

        Keys: used, limit; cost and cost_limit (null without a price).
        """
        cost, cost_limit = (None if self.price is None else round(n * self.price, 2) for n in (self.used, self.limit))
        return {"used": round(self.used, 2), "limit": self.limit, "cost": cost, "cost_limit": cost_limit}


@dataclass(frozen=True)
class AnnexStatus:
    """One annex at one moment; `as_data` documents the fields."""

    name: str
    region: str
    stack: str
    id: str | None
    time: datetime
    phase: str | None
    reason: str | None
    size: int | None
    granted: int | None
    lease: Lease | None
    created: datetime | None
    next_warning: datetime | None
    hours: HoursUsed | None
    instances: tuple[InstanceStatus, ...] | None
    unmatched_slots: tuple[str, ...] | None
    jobs_running: int | None
    overdue: int | None
    surplus: int | None
    shortfall: int | None
    closed: bool | None
    record_problems: tuple[str, ...]
    problems: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def joined(self) -> int | None:
        """Number of alive instances with a slot in the collector; None if one side did not answer."""
        if self.instances is None or any(instance.joined is None for instance in self.instances):
            return None
        return sum(1 for instance in self.instances if instance.joined)

    @property
    def protected(self) -> int | None:
        """Number of alive instances that are protected from scale-in; None if AWS did not answer."""
        return None if self.instances is None else sum(instance.protected for instance in self.instances)

    def as_data(self) -> dict[str, object]:
        """The JSON object of `annex status --json`; null means "not known", "not deployed" or "none".

        Keys: name, region, stack, id (of the annex, or null); time (of the look); phase (waiting, granted, active,
        draining, ended, "not deployed"), reason; size (declared), granted; lease (created, declared_end,
        effective_end, latest_end, seconds_left >= 0, explained (what decided the effective end), override_void (a
        deployment made the operator's end void), next_warning); instance_hours (see `HoursUsed.as_data`; null without
        a limit); instances (each: id, state, protected, joined, jobs_running), joined, protected; overdue (number of
        instances that should be gone), surplus (number of instances above the declared size), shortfall (number of
        instances that have not started), closed (a destroy of the annex began); unmatched_slots (names of slots that
        claim to belong to this annex and match none of its alive instances); jobs_running; record_problems (invalid
        lease tags, which are ignored); problems (those and others);
        errors. Times are UTC, YYYY-MM-DDTHH:MM:SSZ.
        """
        return {
            "name": self.name,
            "region": self.region,
            "stack": self.stack,
            "id": self.id,
            "time": format_time(self.time),
            "phase": self.phase,
            "reason": self.reason,
            "size": self.size,
            "granted": self.granted,
            "lease": self._lease_data(),
            "instance_hours": None if self.hours is None else self.hours.as_data(),
            "instances": None if self.instances is None else [vars(instance) for instance in self.instances],
            "joined": self.joined,
            "protected": self.protected,
            "overdue": self.overdue,
            "surplus": self.surplus,
            "shortfall": self.shortfall,
            "closed": self.closed,
            "unmatched_slots": None if self.unmatched_slots is None else list(self.unmatched_slots),
            "jobs_running": self.jobs_running,
            "record_problems": list(self.record_problems),
            "problems": list(self.problems),
            "errors": list(self.errors),
        }

    def _lease_data(self) -> dict[str, object] | None:
        if self.lease is None or self.created is None:
            return None
        return {
            "created": format_time(self.created),
            "declared_end": format_time(self.lease.declared_end),
            "effective_end": format_time(self.lease.effective_end),
            "latest_end": format_time(self.lease.latest_end),
            "seconds_left": max(int((self.lease.effective_end - self.time).total_seconds()), 0),
            "explained": self.lease.explained(),
            "override_void": self.lease.override_is_void,
            "next_warning": None if self.next_warning is None else format_time(self.next_warning),
        }
