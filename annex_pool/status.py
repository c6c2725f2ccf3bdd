"""What an annex looks like from both sides: its instances in AWS against its slots in the pool. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from annex_lease.contract import format_time
from annex_lease.decision import Decision
from annex_lease.observed import Group
from annex_lease.record import LeaseTimes, lease_times, read_record
from annex_pool.collector import Slot
from annex_pool.instances import states

NOT_DEPLOYED = "not deployed"


@dataclass(frozen=True)
class Seen:
    """What was found about one annex. None always means "not known", never "none".

    Attributes:
        name: the annex's name.
        region: its Region.
        asked: whether AWS answered what it was asked about the group; with `group` None: it is not deployed.
        group: its Auto Scaling group, with EC2's own list of its machines.
        decision: what the lease checker would decide about it now.
        slots: its slots in the collector.
        errors: what could not be found out, and why.
    """

    name: str
    region: str
    asked: bool
    group: Group | None
    decision: Decision | None
    slots: Sequence[Slot] | None
    errors: tuple[str, ...]


@dataclass(frozen=True)
class Instance:
    """A living instance. `joined` and `jobs_running` are None if the pool did not answer."""

    id: str
    state: str
    joined: bool | None
    jobs_running: int | None


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
    times: LeaseTimes | None
    created: datetime | None
    instances: tuple[Instance, ...] | None
    strangers: tuple[str, ...] | None
    jobs_running: int | None
    problems: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def joined(self) -> int | None:
        """How many of the living instances have a slot in the collector; None if either side is not known."""
        if self.instances is None or any(instance.joined is None for instance in self.instances):
            return None
        return sum(1 for instance in self.instances if instance.joined)

    def as_data(self) -> dict[str, object]:
        """The status as `annex status --json` prints it; null always means "not known" or "not deployed".

        Keys: name, region, stack, time (of the look); phase (waiting, active, ending, ended, "not deployed"), reason;
        size (declared), granted; lease (created, declared_end, end, latest_end, seconds_left >= 0); instances (each:
        id, state, joined, jobs_running), joined; strangers (names of slots that claim to be of this annex and of no
        living instance of it); jobs_running; problems; errors. Times are UTC, YYYY-MM-DDTHH:MM:SSZ.
        """
        instances = None
        if self.instances is not None:
            instances = [
                {"id": each.id, "state": each.state, "joined": each.joined, "jobs_running": each.jobs_running}
                for each in self.instances
            ]
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
            "instances": instances,
            "joined": self.joined,
            "strangers": None if self.strangers is None else list(self.strangers),
            "jobs_running": self.jobs_running,
            "problems": list(self.problems),
            "errors": list(self.errors),
        }

    def _lease(self) -> dict[str, object] | None:
        if self.times is None or self.created is None:
            return None
        return {
            "created": format_time(self.created),
            "declared_end": format_time(self.times.declared),
            "end": format_time(self.times.end),
            "latest_end": format_time(self.times.longest),
            "seconds_left": max(int((self.times.end - self.time).total_seconds()), 0),
        }


def status_of(seen: Seen, now: datetime) -> Status:
    """Join what AWS says with what the pool says.

    Args:
        seen: what was found.
        now: the time of the look, aware.
    """
    record = read_record(seen.group.tags) if seen.group else None
    living = states(seen.group) if seen.group else {} if seen.asked else None
    slots = None if seen.slots is None else [slot for slot in seen.slots if slot.annex == seen.name]
    decision = seen.decision
    return Status(
        name=seen.name,
        region=seen.region,
        time=now,
        phase=decision.phase.value if decision else NOT_DEPLOYED if seen.asked and seen.group is None else None,
        reason=decision.reason if decision else None,
        size=record.policy.size if record and record.policy else None,
        granted=record.granted if record else None,
        times=lease_times(record, seen.group.created) if record and seen.group else None,
        created=seen.group.created if seen.group else None,
        instances=None if living is None else _instances(living, slots),
        strangers=None if living is None or slots is None else _strangers(living, slots),
        jobs_running=None if slots is None else sum(slot.busy for slot in slots),
        problems=decision.problems if decision else (),
        errors=seen.errors,
    )


def _instances(living: Mapping[str, str], slots: Sequence[Slot] | None) -> tuple[Instance, ...]:
    if slots is None:
        return tuple(Instance(key, state, None, None) for key, state in living.items())
    joined = {slot.instance_id for slot in slots}
    jobs = {key: sum(slot.busy for slot in slots if slot.instance_id == key) for key in living}
    return tuple(Instance(key, state, key in joined, jobs[key]) for key, state in living.items())


def _strangers(living: Mapping[str, str], slots: Sequence[Slot]) -> tuple[str, ...]:
    return tuple(sorted(slot.name for slot in slots if slot.instance_id not in living))
