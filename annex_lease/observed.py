"""Observation of an annex at one moment: group, members, instances, and the findings of earlier runs. Pure data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from typing import Any

from annex_lease.lease import Lease
from annex_lease.tags import Tag

DEAD_LIFECYCLE_STATES = frozenset({"Terminated", "Warmed:Terminated"})
"""The only lifecycle states in which an instance costs nothing; every other state, known or not, is alive.

AWS adds states (``Terminating:Retained`` and ``ReplacingRootVolume`` are recent), so the list holds the dead states.
"""
DEAD_INSTANCE_STATES = frozenset({"shutting-down", "terminated"})
"""The EC2 states in which an instance costs nothing (EC2 User Guide, "Instance lifecycle": billing)."""
# EC2's listings are eventually consistent: what was launched just before the end may not be listed yet.
APART = timedelta(seconds=60)
"""Minimum time between the two empty listings that make an end."""
_FRESH = timedelta(minutes=10)


class Fact(Enum):
    """A fact that a decision may need and the description of the group does not hold; looked up only when needed."""

    CREDENTIAL = "credential"
    """True if the secret that instances join the pool with has a value."""
    INSTANCES = "instances"
    """The instances that EC2 lists by the annex's tags, independent of the group's own list."""
    CONFIRMATION = "confirmation"
    """True if a second reading, some seconds later, gave the same result."""


@dataclass(frozen=True)
class GroupMember:
    """An instance as the group lists it. `state` is the lifecycle state, `protected` its scale-in protection."""

    id: str
    state: str
    protected: bool = False


@dataclass(frozen=True)
class Instance:
    """An instance as EC2 lists it. `state` is the EC2 instance state; not a `member`: detached from the group."""

    id: str
    state: str
    member: bool = True


@dataclass(frozen=True)
class Missing:
    """An annex whose group does not exist, according to AWS. The facts are those of `Group`."""

    name: str
    instances: tuple[Instance, ...] | None = None
    confirmed: bool = False
    empty_before: bool = False
    known_empty: bool = False

    def alive(self) -> tuple[str, ...]:
        """Ids of all instances that may still cost money, sorted."""
        return _alive((), self.instances or ())


@dataclass(frozen=True)
class Group:
    """The Auto Scaling group of an annex, as AWS describes it.

    `credential` and `instances` are None until they were looked up, `confirmed` is False until a second reading: see
    `Fact`. `empty_before`: an earlier listing, long enough ago, was empty too. `known_empty`: two listings were empty
    not long ago, so that EC2 need not be asked again now.
    """

    name: str
    created: datetime
    min_size: int
    max_size: int
    desired: int
    tags: tuple[Tag, ...]
    members: tuple[GroupMember, ...] = ()
    suspended: frozenset[str] = frozenset()
    new_instances_protected: bool = False
    deletion_protected: bool = False
    warm_pool: bool = False
    warm_pool_size: int = 0
    credential: bool | None = None
    instances: tuple[Instance, ...] | None = None
    confirmed: bool = False
    empty_before: bool = False
    known_empty: bool = False

    @cached_property
    def lease(self) -> Lease:
        """The lease that the tags of the group record."""
        return Lease.of(self.tags, self.created)

    def alive(self) -> tuple[str, ...]:
        """Ids of all instances that may still cost money, sorted.

        EC2's state counts where EC2 lists an instance, the group's where EC2 does not: the group lags behind. An
        instance that only one of them lists is alive unless its state is a dead one.
        """
        return _alive(self.members, self.instances or ())

    def billed(self) -> int:
        """Number of instances that the group itself reports: those that it lists and those of its warm pool."""
        return len(_alive(self.members, ())) + self.warm_pool_size

    def is_off(self) -> bool:
        """True if nothing can start: Launch is suspended, minimum and desired capacity are 0."""
        return "Launch" in self.suspended and not self.desired and not self.min_size

    def in_service(self) -> bool:
        """True if any instance is in service."""
        return any(member.state == "InService" for member in self.members)

    def busy(self) -> int:
        """Number of instances in service with scale-in protection: execution points set it while a job runs."""
        return sum(1 for member in self.members if member.state == "InService" and member.protected)


Seen = Group | Missing
"""Observation of an annex: its group, or that there is none."""


def with_facts(seen: Seen, facts: Mapping[str, Any]) -> Seen:
    """`seen` with these facts, by the names of its attributes; a fact that it has no attribute for is dropped."""
    known = replace(seen, **{name: fact for name, fact in facts.items() if name in vars(seen)})
    if isinstance(seen, Group) and "lease" in vars(seen):
        # The same tags and the same creation: the lease is read once for each description of the group.
        vars(known)["lease"] = seen.lease
    return known


@dataclass
class Memory:
    """Times at which earlier runs of the function's environment found the annex empty after its end, first and last.

    Losing it does no harm, and Lambda may lose it at any time: the end is then confirmed by two listings again.
    """

    since: datetime | None = None
    confirmed: datetime | None = None

    def recall(self, seen: Seen, now: datetime) -> Seen:
        """`seen` with the findings of earlier runs."""
        facts = {
            "empty_before": self.since is not None and now - self.since >= APART,
            # Ten minutes without asking EC2 again: a quiet annex must not cost a call a minute without end.
            "known_empty": self.confirmed is not None and timedelta(0) <= now - self.confirmed < _FRESH,
        }
        return with_facts(seen, facts)

    def note(self, now: datetime, *, empty: bool, listed: bool, ended: bool) -> None:
        """Remember a look at the annex.

        Args:
            now: time of the look.
            empty: True if it found nothing.
            listed: True if EC2 was asked for it.
            ended: True if it was the second of two empty looks.
        """
        if not empty:
            self.since = self.confirmed = None
            return
        if listed:
            self.since = now if self.since is None or self.since > now else self.since
            self.confirmed = now if ended else None


def _alive(members: Iterable[GroupMember], instances: Iterable[Instance]) -> tuple[str, ...]:
    alive = {member.id: member.state not in DEAD_LIFECYCLE_STATES for member in members}
    alive |= {instance.id: instance.state not in DEAD_INSTANCE_STATES for instance in instances}
    return tuple(sorted(key for key, is_alive in alive.items() if is_alive))
