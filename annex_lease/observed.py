"""What was seen of an annex's group at one moment: plain data for the decision, without a way to look again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from annex_lease.contract import Tag

DEAD_LIFECYCLE_STATES = frozenset({"Terminated", "Warmed:Terminated"})
"""The only lifecycle states in which an instance costs nothing; every other state, known or not, is alive.

AWS adds states (``Terminating:Retained`` and ``ReplacingRootVolume`` are recent), so the list names the dead.
"""
DEAD_MACHINE_STATES = frozenset({"shutting-down", "terminated"})
"""The EC2 states in which an instance costs nothing (EC2 User Guide, "Instance lifecycle": billing)."""


class Fact(Enum):
    """Something the decision may need that the description of the group does not tell; asked for only when needed."""

    CREDENTIAL = "credential"
    """Whether the secret that instances join the pool with has a value."""
    MACHINES = "machines"
    """The instances that EC2 knows by the group's tag, whatever the group itself lists."""


@dataclass(frozen=True)
class Instance:
    """An instance as the group lists it. `state` is the lifecycle state, `protected` its scale-in protection."""

    id: str
    state: str
    protected: bool = False


@dataclass(frozen=True)
class Machine:
    """An instance as EC2 lists it. `state` is the EC2 instance state."""

    id: str
    state: str


@dataclass(frozen=True)
class Group:
    """The one Auto Scaling group of an annex, as described by AWS.

    `credential` and `machines` are None until somebody looked: see `Fact`.
    """

    name: str
    created: datetime
    min_size: int
    max_size: int
    desired: int
    tags: tuple[Tag, ...]
    instances: tuple[Instance, ...] = ()
    suspended: frozenset[str] = frozenset()
    new_instances_protected: bool = False
    credential: bool | None = None
    machines: tuple[Machine, ...] | None = None

    def living(self) -> tuple[str, ...]:
        """Ids of all instances that may still cost money, sorted.

        EC2's word counts where it lists an instance, the group's where EC2 does not: the group lags behind, and an
        instance that only one of them lists is alive unless that one says it is dead.
        """
        alive = {instance.id: instance.state not in DEAD_LIFECYCLE_STATES for instance in self.instances}
        alive |= {machine.id: machine.state not in DEAD_MACHINE_STATES for machine in self.machines or ()}
        return tuple(sorted(key for key, living in alive.items() if living))
