"""What was seen of an annex at one moment: plain data for the decision, without a way to look again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from annex_lease.tags import Tag

DEAD_LIFECYCLE_STATES = frozenset({"Terminated", "Warmed:Terminated"})
"""The only lifecycle states in which an instance costs nothing; every other state, known or not, is alive.

AWS adds states (``Terminating:Retained`` and ``ReplacingRootVolume`` are recent), so the list names the dead.
"""
DEAD_INSTANCE_STATES = frozenset({"shutting-down", "terminated"})
"""The EC2 states in which an instance costs nothing (EC2 User Guide, "Instance lifecycle": billing)."""


class Fact(Enum):
    """Something the decision may need that the description of the group does not tell; asked for only when needed."""

    CREDENTIAL = "credential"
    """Whether the secret that instances join the pool with has a value."""
    INSTANCES = "instances"
    """The instances that EC2 knows by the annex's tags, whatever the group itself lists."""
    CONFIRMATION = "confirmation"
    """Whether a second reading, some seconds later, says the same."""


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
    """An annex whose group does not exist, as AWS says. The facts are those of `Group`."""

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
    """The one Auto Scaling group of an annex, as described by AWS.

    `credential` and `machines` are None until somebody looked, `confirmed` is False until somebody looked twice: see
    `Fact`. `empty_before`: an earlier listing, long enough ago, found nothing either. `known_empty`: two listings did,
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

    def alive(self) -> tuple[str, ...]:
        """Ids of all instances that may still cost money, sorted.

        EC2's word counts where it lists an instance, the group's where EC2 does not: the group lags behind, and an
        instance that only one of them lists is alive unless that one says it is dead.
        """
        return _alive(self.members, self.instances or ())

    def billed(self) -> int:
        """How many instances the group itself tells of: those it lists and those of its warm pool."""
        return len(_alive(self.members, ())) + self.warm_pool_size

    def in_service(self) -> bool:
        """Whether any instance is in service."""
        return any(instance.state == "InService" for instance in self.members)

    def busy(self) -> int:
        """How many instances in service are protected from scale-in: execution points with a job do that."""
        return sum(1 for instance in self.members if instance.state == "InService" and instance.protected)


Seen = Group | Missing
"""What was seen: the group, or that there is none."""


def _alive(members: Iterable[GroupMember], instances: Iterable[Instance]) -> tuple[str, ...]:
    alive = {member.id: member.state not in DEAD_LIFECYCLE_STATES for member in members}
    alive |= {instance.id: instance.state not in DEAD_INSTANCE_STATES for instance in instances}
    return tuple(sorted(key for key, is_alive in alive.items() if is_alive))
