"""What was seen of one Region at one moment: plain data for the judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from annex_lease.observed import DEAD_INSTANCE_STATES, Group


class Kind(Enum):
    """What a resource is, in the order of removal: what is attached to something goes after it."""

    GROUP = "group"
    INSTANCE = "instance"
    VOLUME = "volume"
    INTERFACE = "network-interface"
    SECRET = "secret"  # noqa: S105 - the name of a kind of resource
    LOG_GROUP = "log-group"


REMOVAL_ORDER = tuple(Kind)


@dataclass(frozen=True)
class Resource:
    """Something that carries an annex's name in its tags.

    Attributes:
        kind: what it is.
        id: what AWS calls it: the ARN of a secret or a log group, the id of an EC2 resource, the name of a group.
        tags: its tags.
        created: when it was made, aware; None where AWS does not tell.
        state: AWS's word for its state; empty where it has none.
    """

    kind: Kind
    id: str
    tags: Mapping[str, str]
    created: datetime | None = None
    state: str = ""

    def costs(self) -> bool:
        """Whether it is billed by itself: a volume or an interface in use goes with its instance."""
        if self.kind is Kind.INSTANCE:
            return self.state not in DEAD_INSTANCE_STATES
        return self.kind not in (Kind.VOLUME, Kind.INTERFACE) or self.state == "available"


@dataclass(frozen=True)
class Stack:
    """A CloudFormation stack that exists, in whatever state; `id` is its ARN, `created` aware."""

    name: str
    id: str
    status: str
    created: datetime
    tags: Mapping[str, str]

    @property
    def uuid(self) -> str:
        """The last part of the ARN: no other stack has it, not even a later one of the same name."""
        return self.id.rpartition("/")[2]

    def settled(self) -> bool:
        """Whether CloudFormation is done with it for now."""
        return not self.status.endswith("_IN_PROGRESS")


@dataclass(frozen=True)
class Inventory:
    """Everything that a run looks at.

    Attributes:
        groups: all Auto Scaling groups of the Region, whosever they are: what is alive is told by them.
        instances: the instances with an annex's name in any state; None if they could not be listed.
        others: the other resources with an annex's name; None if one of the listings failed.
        stacks: all stacks of the Region; None if they could not be listed.
        failures: what could not be listed, and why.
    """

    groups: tuple[Group, ...]
    instances: tuple[Resource, ...] | None = None
    others: tuple[Resource, ...] | None = None
    stacks: tuple[Stack, ...] | None = None
    failures: tuple[str, ...] = ()
