"""What a decision is: where an annex stands, and what to do about it, as data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from annex_lease.actions import Action
from annex_lease.observed import Fact


class Phase(Enum):
    """Where an annex stands."""

    WAITING = "waiting"
    """The lease is valid and the declared size is not granted yet: something is missing."""
    GRANTED = "granted"
    """The lease is valid, the declared size is granted, and no instance is in service: not yet, or no longer."""
    ACTIVE = "active"
    """The lease is valid and instances are in service."""
    DRAINING = "draining"
    """The lease is over, and something is still there, could still start, or was not looked for twice."""
    ENDED = "ended"
    """The lease is over, nothing can start, and two listings with time between them found nothing."""


@dataclass(frozen=True)
class Decision:
    """What to do, in this order, and why.

    Attributes:
        phase: where the annex stands, before the actions.
        reason: why it stands there.
        end: the effective end of the lease, aware UTC; None if there is no group or no readable policy.
        actions: what to do, the first thing first.
        independent: True if each action is worth trying whatever became of those before it (stopping); False if the
            first failure must stop the rest (granting).
        problems: what an operator should look at, `record_problems` among them.
        record_problems: what of the record could not be followed.
        needs: facts without which the decision is not complete. The actions are right without them; supply the facts
            with what was seen and decide again.
        alive: how many instances may still cost money, as far as was looked.
        overdue: how many of them should be gone: the lease and its grace are over.
        empty: the lease is over and this look found nothing at all; the second of two such looks makes an end.
        used_seconds: instance-seconds used of a declared limit; None if no limit is declared.
    """

    phase: Phase
    reason: str
    end: datetime | None
    actions: tuple[Action, ...] = ()
    independent: bool = True
    problems: tuple[str, ...] = ()
    record_problems: tuple[str, ...] = ()
    needs: frozenset[Fact] = frozenset()
    alive: int = 0
    overdue: int = 0
    empty: bool = False
    used_seconds: int | None = None
