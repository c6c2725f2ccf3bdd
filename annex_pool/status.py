"""What an annex looks like from both sides: its instances in AWS against its slots in the pool. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from annex_lease.actions import Decision
from annex_lease.lease import Lease
from annex_lease.observed import Group
from annex_lease.record import HOUR_SECONDS
from annex_lease.tags import format_time
from annex_pool.collector import Slot
from annex_pool.instances import states
from annex_spec import AnnexSpec

NOT_DEPLOYED = "not deployed"


@dataclass(frozen=True)
class Seen:
    """What was found about one annex. None always means "not known", never "none".

    Attributes:
        spec: the annex as the spec declares it.
        asked: whether AWS answered what it was asked about the group; with `group` None: it is not deployed.
        group: its Auto Scaling group, with EC2's own list of its machines.
        decision: what the lease checker would decide about it now.
        slots: its slots in the collector.
        errors: what could not be found out, and why; and that instances run without a group.
        strays: without a group: the alive instances that carry the annex's name, by id, with their EC2 states.
    """

    spec: AnnexSpec
    asked: bool
    group: Group | None
    decision: Decision | None
    slots: Sequence[Slot] | None
    errors: tuple[str, ...]
    strays: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class InstanceStatus:
    """A alive instance. `joined` and `jobs_running` are None if the pool did not answer.

    `protected` is its protection from scale-in: execution points that renew the lease while busy set it for the time
    of a job.
    """

    id: str
    state: str
    protected: bool
    joined: bool | None
    jobs_running: int | None


@dataclass(frozen=True)
class Hours:
    """What is used of an annex's instance-hours; `price` of one is None if the spec names none."""

    used: float
    limit: int
    price: float | None

    def as_data(self) -> dict[str, object]:
        """As `annex status --json` prints it: used, limit, cost and cost_limit (null without a price)."""
        cost, cost_limit = (None if self.price is None else round(n * self.price, 2) for n in (self.used, self.limit))
        return {"used": round(self.used, 2), "limit": self.limit, "cost": cost, "cost_limit": cost_limit}


@dataclass(frozen=True)
class Status:
    """One annex at one moment; `as_data` documents the fields."""

    name: str
    region: str
    time: datetime
    phase: str | None
    reason: str | None
    size: int | None
    granted: int | None
    lease: Lease | None
    created: datetime | None
    next_warning: datetime | None
    hours: Hours | None
    instances: tuple[InstanceStatus, ...] | None
    unmatched_slots: tuple[str, ...] | None
    jobs_running: int | None
    overdue: int | None
    record_problems: tuple[str, ...]
    problems: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def joined(self) -> int | None:
        """How many of the alive instances have a slot in the collector; None if either side is not known."""
        if self.instances is None or any(instance.joined is None for instance in self.instances):
            return None
        return sum(1 for instance in self.instances if instance.joined)

    @property
    def protected(self) -> int | None:
        """How many of the alive instances are protected from scale-in; None if AWS did not answer."""
        return None if self.instances is None else sum(instance.protected for instance in self.instances)

    def as_data(self) -> dict[str, object]:
        """The status as `annex status --json` prints it; null always means "not known", "not deployed" or "none".

        Keys: name, region, stack, time (of the look); phase (waiting, granted, active, draining, ended, "not
        deployed"), reason; size (declared), granted; lease (created, declared_end, end, latest_end, seconds_left >= 0,
        next_warning); instance_hours (used, limit, cost, cost_limit; null without a limit); instances (each: id,
        state, protected, joined, jobs_running), joined, protected; overdue (instances that should be gone); unmatched_slots
        (names of slots that claim to be of this annex and of no alive instance of it); jobs_running; record_problems
        (what of the lease's record could not be followed); problems (those among them); errors. Times are UTC,
        YYYY-MM-DDTHH:MM:SSZ.
        """
        return {
            "name": self.name,
            "region": self.region,
            "stack": f"Annex-{self.name}",
            "time": format_time(self.time),
            "phase": self.phase,
            "reason": self.reason,
            "size": self.size,
            "granted": self.granted,
            "lease": self._lease(),
            "instance_hours": None if self.hours is None else self.hours.as_data(),
            "instances": None if self.instances is None else [vars(instance) for instance in self.instances],
            "joined": self.joined,
            "protected": self.protected,
            "overdue": self.overdue,
            "unmatched_slots": None if self.unmatched_slots is None else list(self.unmatched_slots),
            "jobs_running": self.jobs_running,
            "record_problems": list(self.record_problems),
            "problems": list(self.problems),
            "errors": list(self.errors),
        }

    def _lease(self) -> dict[str, object] | None:
        if self.lease is None or self.created is None:
            return None
        return {
            "created": format_time(self.created),
            "declared_end": format_time(self.lease.declared_end),
            "end": format_time(self.lease.effective_end),
            "latest_end": format_time(self.lease.latest_end),
            "seconds_left": max(int((self.lease.effective_end - self.time).total_seconds()), 0),
            "next_warning": None if self.next_warning is None else format_time(self.next_warning),
        }


def status_of(seen: Seen, now: datetime) -> Status:
    """Join what AWS says with what the pool says.

    Args:
        seen: what was found.
        now: the time of the look, aware.
    """
    group, decision = seen.group, seen.decision
    record = group.lease.record if group else None
    lease = group.lease if group and group.lease.policy else None
    alive = states(group) if group else seen.strays if seen.asked else None
    slots = None if seen.slots is None else [slot for slot in seen.slots if slot.annex == seen.spec.name]
    return Status(
        name=seen.spec.name,
        region=seen.spec.region,
        time=now,
        phase=decision.phase.value if decision else NOT_DEPLOYED if seen.asked and group is None else None,
        reason=decision.reason if decision else None,
        size=lease.size if lease else None,
        granted=record.granted.size if record and record.granted else None,
        lease=lease,
        created=group.created if group else None,
        next_warning=_next_warning(lease, now) if lease else None,
        hours=_hours(lease, decision, seen.spec) if lease and decision else None,
        instances=None if alive is None else _instances(alive, group, slots),
        unmatched_slots=None if alive is None or slots is None else _unmatched_slots(alive, slots),
        jobs_running=None if slots is None else sum(slot.busy for slot in slots),
        overdue=decision.overdue if decision else None,
        record_problems=decision.record_problems if decision else (),
        problems=decision.problems if decision else (),
        errors=seen.errors,
    )


def _next_warning(lease: Lease, now: datetime) -> datetime | None:
    end, before = lease.effective_end, lease.warn_before_end
    if before is None or now >= end or lease.record.warned == format_time(end):
        return None
    return max(end - before, lease.start)


def _hours(lease: Lease, decision: Decision, spec: AnnexSpec) -> Hours | None:
    # Of the record, not of the spec: the limit that counts is the one that was deployed.
    if lease.limit is None:
        return None
    return Hours((decision.used_seconds or 0) / HOUR_SECONDS, lease.limit, spec.price_per_hour)


def _instances(
    alive: Mapping[str, str], group: Group | None, slots: Sequence[Slot] | None
) -> tuple[InstanceStatus, ...]:
    protected = {instance.id for instance in group.members if instance.protected} if group else set[str]()
    if slots is None:
        return tuple(InstanceStatus(key, state, key in protected, None, None) for key, state in alive.items())
    joined = {slot.instance_id for slot in slots}
    jobs = {key: sum(slot.busy for slot in slots if slot.instance_id == key) for key in alive}
    return tuple(InstanceStatus(key, state, key in protected, key in joined, jobs[key]) for key, state in alive.items())


def _unmatched_slots(alive: Mapping[str, str], slots: Sequence[Slot]) -> tuple[str, ...]:
    return tuple(sorted(slot.name for slot in slots if slot.instance_id not in alive))
