"""What a decision can ask for, as data. Each action says why, and may be repeated without harm."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from annex_lease.contract import format_time

_IDS_SHOWN = 20


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
class Grant:
    """Set the desired capacity to the declared size, then record that this size was granted."""

    size: int
    reason: str


@dataclass(frozen=True)
class TellInstances:
    """Write the effective end on every instance of the group, then record that all were told."""

    end: datetime
    reason: str


@dataclass(frozen=True)
class SuspendLaunch:
    """Suspend the group's Launch process: nothing starts from now on, whatever the desired capacity is."""

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
    PublishEnd
    | SuspendRebalance
    | Grant
    | TellInstances
    | SuspendLaunch
    | ClearProtection
    | EmptyGroup
    | FinishHooks
    | TerminateInstances
)


def as_data(action: Action) -> dict[str, object]:
    """An action for a log line: JSON-able, long lists of ids cut to 20 and their number (a log event has a limit)."""
    data: dict[str, object] = {"action": type(action).__name__}
    for field, value in asdict(action).items():
        if isinstance(value, datetime):
            data[field] = format_time(value)
        elif isinstance(value, tuple):
            data[field] = list(value[:_IDS_SHOWN])
            data[f"{field}_count"] = len(value)
        else:
            data[field] = value
    return data
