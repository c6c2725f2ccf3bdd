"""Actions and decisions, as data. Each action states its reason, and may be repeated without harm."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from annex_lease.entries import Granted, Ledger, Override, Renewed, Schedule, ScheduledAction
from annex_lease.lease import Phase
from annex_lease.observed import Fact


@dataclass(frozen=True)
class Action:
    """Base of all actions. Each states what it is as class keywords; one without them cannot be defined.

    Attributes:
        ends: it ends or removes something, or lets the group do so: a part of stopping an annex.
        bookkeeping: it only writes or publishes what became of the lease; it starts and ends nothing.
        guarded: it lets something start, and is carried out only if nothing before it failed. Default: False.
        note: text for an operator if the action fails and no lease depends on it. Default: empty - that is an error.
    """

    ends: ClassVar[bool]
    bookkeeping: ClassVar[bool]
    guarded: ClassVar[bool] = False
    note: ClassVar[str] = ""

    def __init_subclass__(cls, *, ends: bool, bookkeeping: bool, guarded: bool = False, note: str = "") -> None:
        """Keep what the class states of itself."""
        cls.ends, cls.bookkeeping, cls.guarded, cls.note = ends, bookkeeping, guarded, note


@dataclass(frozen=True)
class RenewLease(Action, ends=False, bookkeeping=True):
    """Record that the lease of a busy annex is renewed."""

    renewed: Renewed
    reason: str


@dataclass(frozen=True)
class PublishEnd(Action, ends=False, bookkeeping=True):
    """Write the effective end on the group, for the instances that it launches from now on."""

    end: datetime
    reason: str


@dataclass(frozen=True)
class RecordGrant(Action, ends=False, bookkeeping=True):
    """Record a grant without granting: one whose tag is lost, or a renewal as used up before it was granted."""

    granted: Granted
    reason: str


@dataclass(frozen=True)
class RecordOverride(Action, ends=False, bookkeeping=True):
    """Record the declared end that the operator's override was written against."""

    override: Override
    reason: str


@dataclass(frozen=True)
class ScheduleEnds(Action, ends=False, bookkeeping=True):
    """Put scheduled actions of EC2 Auto Scaling that empty the group at its ends, then record that."""

    schedule: Schedule
    actions: tuple[ScheduledAction, ...]
    reason: str


@dataclass(frozen=True)
class SuspendProcesses(Action, ends=False, bookkeeping=False):
    """Suspend these processes of the group, which an annex does without."""

    processes: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class ResumeLaunch(Action, ends=False, bookkeeping=False, guarded=True):
    """Resume the Launch process of the group, for a renewal by the operator."""

    reason: str


@dataclass(frozen=True)
class Grant(Action, ends=False, bookkeeping=False, guarded=True):
    """Give the group the declared size. Use and grant are recorded and marked before, its completion after it.

    Attributes:
        granted: the grant to record.
        ledger: use of the instance-hours; None: there is no limit.
        capacity: desired capacity to set; `starts`: True if it rises.
        max_size: MaxSize to set; None: it stays.
    """

    granted: Granted
    ledger: Ledger | None
    capacity: int
    max_size: int | None
    starts: bool
    reason: str


@dataclass(frozen=True)
class NotifyInstances(Action, ends=False, bookkeeping=True, note="instances keep to another end than the lease"):
    """Write the effective end on these instances, which have none or another one, then record that."""

    end: datetime
    instance_ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class RecordUse(Action, ends=False, bookkeeping=True):
    """Record the use of the instance-hours, and the number of instances from now on."""

    ledger: Ledger
    reason: str


@dataclass(frozen=True)
class Warn(Action, ends=False, bookkeeping=True, note="the warning before the end could not be published"):
    """Publish that the lease ends soon, then record that. The lease is enforced even if this fails."""

    end: datetime
    alive: int
    reason: str


@dataclass(frozen=True)
class Report(Action, ends=False, bookkeeping=True, note="the disorder of the lease could not be reported"):
    """Publish what is not in order although the lease is enforced, then record the kinds, or record them only."""

    kinds: str
    problems: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Close(Action, ends=False, bookkeeping=True, note="it could not be recorded that the annex is being destroyed"):
    """Record that the annex is being destroyed, so that no later check grants anything."""

    at: datetime
    reason: str


@dataclass(frozen=True)
class Reopen(Action, ends=False, bookkeeping=True):
    """Record that the annex was created again on the same group."""

    reason: str


@dataclass(frozen=True)
class SuspendLaunch(Action, ends=True, bookkeeping=False):
    """Suspend the Launch process of the group: it starts nothing from now on, at any desired capacity."""

    reason: str


@dataclass(frozen=True)
class ResumeTerminate(Action, ends=True, bookkeeping=False):
    """Resume the Terminate process of the group: while it is suspended, the group terminates nothing."""

    reason: str


@dataclass(frozen=True)
class DeleteWarmPool(Action, ends=True, bookkeeping=False):
    """Delete the warm pool of the group with all its instances."""

    reason: str


@dataclass(frozen=True)
class AllowDeletion(Action, ends=False, bookkeeping=False):
    """Remove the deletion protection of the group: only the deletion of its stack needs that."""

    reason: str


@dataclass(frozen=True)
class ClearProtection(Action, ends=True, bookkeeping=False):
    """Remove scale-in protection from these instances."""

    instance_ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class EmptyGroup(Action, ends=True, bookkeeping=False):
    """Set minimum and desired capacity of the group to 0, and stop protecting new instances from scale-in."""

    reason: str


@dataclass(frozen=True)
class FinishHooks(Action, ends=True, bookkeeping=False):
    """Complete the lifecycle hooks that these instances wait for, so that they are terminated."""

    launching: tuple[str, ...]
    terminating: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class TerminateInstances(Action, ends=True, bookkeeping=False):
    """Terminate these instances by id."""

    instance_ids: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class Decision:
    """Actions to carry out, in this order, and the reason.

    Attributes:
        phase: phase of the annex, before the actions, with its `reason`.
        end: effective end of the lease, aware UTC; None if there is no group or no readable policy.
        problems: problems for an operator, `record_problems` among them.
        record_problems: what of the record could not be followed.
        needs: facts to look up, and then to decide again. The actions are right without them.
        alive: number of instances that may still cost money, as far as was looked.
        overdue: number of those that should be gone: the lease and its grace are over.
        surplus: number of instances above the declared size that the group is to have.
        empty: True if the lease is over and this look found nothing; the second of two such looks makes an end.
        leaving: number of instances that are shutting down, and for which no deletion of the group waits.
        used_seconds: instance-seconds used of a declared limit; None if no limit is declared.
    """

    phase: Phase
    reason: str
    end: datetime | None
    actions: tuple[Action, ...] = ()
    problems: tuple[str, ...] = ()
    record_problems: tuple[str, ...] = ()
    needs: frozenset[Fact] = frozenset()
    alive: int = 0
    overdue: int = 0
    surplus: int = 0
    empty: bool = False
    leaving: int = 0
    used_seconds: int | None = None
