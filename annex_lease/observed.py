"""Observation of an annex at one moment: group, members, instances, and the findings of earlier runs. Pure data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from typing import Any

from annex_lease.entries import GRANT_MARK
from annex_lease.lease import NO_CAPS, Lease, LeaseCaps
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
FRESH = timedelta(minutes=10)
"""Time for which a look at EC2 counts as recent, and after which a wrong tag or action is found and repaired."""
BELIEVED = timedelta(minutes=10)
"""Time after which a group that is not listed, or a record that cannot be read, is believed.

CloudFormation deletes and writes the tags of a group in two calls, which can be minutes apart while it is throttled,
and a listing of AWS can lack what exists. To end what runs cannot be taken back.
"""


class Credential(Enum):
    """State of the secret that instances join the pool with."""

    PRESENT = "present"
    EMPTY = "empty"
    """It has no value yet."""
    DELETED = "deleted"
    """It waits for its deletion."""


class Fact(Enum):
    """A fact that a decision may need and the description of the group does not hold; looked up only when needed."""

    CREDENTIAL = "credential"
    """State of the secret that instances join the pool with, a `Credential`."""
    INSTANCES = "instances"
    """The instances that EC2 lists by the annex's tags, independent of the group's own list."""
    SCHEDULED = "scheduled"
    """Start times of the group's scheduled actions, by their names."""
    ACTIVITY = "activity"
    """Message of EC2 Auto Scaling about its newest failed launch; empty if it names none since one succeeded."""


class Deployment(Enum):
    """Deployment that just made the annex what it is."""

    CREATED = "created"
    UPDATED = "updated"


@dataclass(frozen=True)
class GroupMember:
    """An instance as the group lists it. `state` is the lifecycle state, `protected` its scale-in protection."""

    id: str
    state: str
    protected: bool = False


@dataclass(frozen=True)
class Instance:
    """An instance as EC2 lists it.

    Attributes:
        id: id of the instance.
        state: EC2 instance state.
        member: True if it is in the group; False: it was detached from it.
        end: text of the tag with the end that the instance was notified of; None: it has none.
        launched: time of its launch, aware. Default: None - it is not known.
    """

    id: str
    state: str
    member: bool = True
    end: str | None = None
    launched: datetime | None = None


@dataclass(frozen=True)
class Compared:
    """A listing in which the tags of instances were compared with an end.

    Attributes:
        end: the end, as the tags hold it.
        ids: the instances that have it.
    """

    end: str
    ids: frozenset[str]


@dataclass(frozen=True)
class Missing:
    """An annex whose group does not exist, according to AWS. The facts are those of `Group`."""

    name: str
    instances: tuple[Instance, ...] | None = None
    unread_for: timedelta = timedelta(0)
    empty_before: bool = False
    known_empty: datetime | None = None

    def alive(self) -> tuple[str, ...]:
        """Ids of all instances that may still cost money, sorted."""
        return _alive((), self.instances or ())


@dataclass(frozen=True)
class Group:
    """The Auto Scaling group of an annex, as AWS describes it.

    `credential`, `instances`, `scheduled` and `activity` are None until they were looked up: see `Fact`. The last ten
    are findings of earlier runs, see `Memory`.

    Attributes:
        caps: declared values that no tag can exceed.
        refused: facts that were needed, and could not be looked up.
        unread_for: time for which the record could not be read.
        short_for: time for which the group has had fewer instances than it should have.
        unserved_for: time for which it was to start instances and had none in service.
        lost: ids of living instances that the group did not list when EC2 was asked last.
        over_for: time for which the lease has been seen to be over.
        late_for: time for which instances have been alive although the lease and its grace were over.
        empty_before: an earlier listing, long enough ago, was empty too.
        known_empty: time, not long ago, of the second of two empty listings: EC2 need not be asked again now.
        compared: end that recent listings compared the tags of instances with, and the ids of those instances.
        gone: members that EC2 did not list in two looks with a long time between them.
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
    caps: LeaseCaps = NO_CAPS
    credential: Credential | None = None
    instances: tuple[Instance, ...] | None = None
    scheduled: Mapping[str, datetime] | None = None
    activity: str | None = None
    refused: frozenset[Fact] = frozenset()
    unread_for: timedelta = timedelta(0)
    short_for: timedelta = timedelta(0)
    unserved_for: timedelta = timedelta(0)
    over_for: timedelta = timedelta(0)
    late_for: timedelta = timedelta(0)
    lost: frozenset[str] = frozenset()
    empty_before: bool = False
    known_empty: datetime | None = None
    compared: Compared | None = None
    gone: frozenset[str] = frozenset()

    @cached_property
    def lease(self) -> Lease:
        """The lease that the tags of the group record, within the caps."""
        return Lease.of(self.tags, self.created, self.caps, marked=GRANT_MARK in self.suspended)

    def alive(self) -> tuple[str, ...]:
        """Ids of all instances that may still cost money, sorted.

        EC2's state counts where EC2 lists an instance, the group's where EC2 does not: the group lags behind. An
        instance that only one of them lists is alive unless its state is a dead one.
        """
        return _alive(self.members, self.instances or (), self.gone)

    def outside(self) -> int:
        """Number of living instances that EC2 lists and the group does not: detached ones, or those just launched."""
        # The group does not list the instances of its warm pool, and EC2 lists them as its own.
        return max(0, len(self.outsiders()) - self.warm_pool_size)

    def outsiders(self) -> frozenset[str]:
        """Ids of living instances that EC2 lists, or listed when it was asked last, and the group does not."""
        listed = self.lost if self.instances is None else frozenset(_alive((), self.instances))
        return listed - {member.id for member in self.members}

    def billed(self) -> int:
        """Number of instances that cost money: those that the group lists, those of its warm pool, those outside."""
        return len(_alive(self.members, (), self.gone)) + self.warm_pool_size + self.outside()

    def staying(self) -> int:
        """Number of those that cost money and are not being terminated."""
        leaving = sum(1 for each in self.members if each.state.startswith("Terminating") and each.id not in self.gone)
        return self.billed() - leaving

    def launches(self) -> tuple[datetime, ...]:
        """Launch times of the living instances as EC2 lists them, the newest first; empty if it was not asked."""
        alive = (each.launched for each in self.instances or () if each.state not in DEAD_INSTANCE_STATES)
        return tuple(sorted((launched for launched in alive if launched is not None), reverse=True))

    def shortfall(self) -> int:
        """Number of instances that the group is to have and does not have; a detached instance is none of them."""
        return max(0, self.desired - len(_alive(self.members, (), self.gone)))

    def is_off(self) -> bool:
        """True if nothing can start: Launch is suspended, minimum and desired capacity are 0."""
        return "Launch" in self.suspended and not self.desired and not self.min_size

    def in_service(self) -> bool:
        """True if any instance is in service."""
        return any(member.state == "InService" for member in self.members)

    def unserved(self) -> bool:
        """True if the group is to start instances and none is in service."""
        return self.desired > 0 and "Launch" not in self.suspended and not self.in_service()

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


def _alive(
    members: Iterable[GroupMember], instances: Iterable[Instance], gone: frozenset[str] = frozenset()
) -> tuple[str, ...]:
    alive = {member.id: member.state not in DEAD_LIFECYCLE_STATES for member in members if member.id not in gone}
    alive |= {instance.id: instance.state not in DEAD_INSTANCE_STATES for instance in instances}
    return tuple(sorted(key for key, is_alive in alive.items() if is_alive))
