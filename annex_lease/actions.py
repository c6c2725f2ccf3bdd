"""What a decision can ask for, as data. Each action says why, and may be repeated without harm."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from annex_lease.ledger import Ledger
from annex_lease.record import Granted, Renewed
from annex_lease.tags import format_time

_IDS_SHOWN = 20


@dataclass(frozen=True)
class RenewLease:
    """Record that a busy annex's lease is renewed."""

    renewed: Renewed
    reason: str


@dataclass(frozen=True)
class PublishEnd:
    """Write the effective end on the group, for the instances it launches from now on."""

    end: datetime
    reason: str


@dataclass(frozen=True)
class SuspendRebalance:
    """Suspend the group's AZRebalance process: it would terminate busy instances to even out the zones."""

    reason: str


@dataclass(frozen=True)
class ResumeLaunch:
    """Resume the group's Launch process, for a renewal that the operator asked for."""

    reason: str


@dataclass(frozen=True)
class Grant:
    """Set the desired capacity to the declared size, then record what was granted, and what is used from now on."""

    granted: Granted
    ledger: Ledger | None
    reason: str


@dataclass(frozen=True)
class NotifyInstances:
    """Write the effective end on every instance of the group, then record that all were told.

    `instance_ids` are those that the group lists; those that EC2 lists are told too.
    """

    end: datetime
    instance_ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class RecordUse:
    """Record what was used of the instance-hours, and by how many instances from now on."""

    ledger: Ledger
    reason: str


@dataclass(frozen=True)
class Warn:
    """Publish that the lease ends soon, then record that it was said."""

    end: datetime
    alive: int
    reason: str


@dataclass(frozen=True)
class SuspendLaunch:
    """Suspend the group's Launch process: nothing starts from now on, whatever the desired capacity is."""

    reason: str


@dataclass(frozen=True)
class ResumeTerminate:
    """Resume the group's Terminate process: while it is suspended the group takes nothing away."""

    reason: str


@dataclass(frozen=True)
class DeleteWarmPool:
    """Delete the group's warm pool with all its instances."""

    reason: str


@dataclass(frozen=True)
class AllowDeletion:
    """Take the group's deletion protection away."""

    reason: str


@dataclass(frozen=True)
class ClearProtection:
    """Take scale-in protection from these instances."""

    instance_ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class EmptyGroup:
    """Set the group's minimum and desired capacity to 0 and protect no new instance from scale-in."""

    reason: str


@dataclass(frozen=True)
class FinishHooks:
    """Complete the lifecycle hooks that these instances wait for, so that they go on to be terminated."""

    launching: tuple[str, ...]
    terminating: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class TerminateInstances:
    """Terminate these instances by id."""

    instance_ids: tuple[str, ...]
    reason: str


Action = (
    RenewLease
    | PublishEnd
    | SuspendRebalance
    | ResumeLaunch
    | Grant
    | NotifyInstances
    | RecordUse
    | Warn
    | EmptyGroup
    | SuspendLaunch
    | ResumeTerminate
    | DeleteWarmPool
    | ClearProtection
    | FinishHooks
    | AllowDeletion
    | TerminateInstances
)


def as_data(action: Action) -> dict[str, object]:
    """An action for a log line: JSON-able, long lists of ids cut to 20 and their number (a log event has a limit)."""
    data: dict[str, object] = {"action": type(action).__name__}
    for field in fields(action):
        value = getattr(action, field.name)
        if isinstance(value, datetime):
            data[field.name] = format_time(value)
        elif isinstance(value, Granted | Renewed | Ledger):
            data[field.name] = value.text()
        elif isinstance(value, tuple):
            data[field.name] = list(value[:_IDS_SHOWN])
            data[f"{field.name}_count"] = len(value)
        else:
            data[field.name] = value
    return data
