"""Resources and stacks of one Region, as one run of the sweeper listed them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from annex_lease.observed import DEAD_INSTANCE_STATES, Group


class ResourceKind(Enum):
    """Kinds of resource in the order of removal: first the resources that others are attached to."""

    GROUP = "group"
    INSTANCE = "instance"
    VOLUME = "volume"
    INTERFACE = "network-interface"
    SECRET = "secret"  # noqa: S105 - the name of a kind of resource
    LOG_GROUP = "log-group"


REMOVAL_ORDER = tuple(ResourceKind)


@dataclass(frozen=True)
class TaggedResource:
    """A resource with the tag `annex:name` or `annex:id`.

    Attributes:
        kind: its kind.
        id: the ARN of a secret or a log group, the id of an EC2 resource, the name of a group.
        tags: its tags, as far as a decision or a reader needs them.
        created: time of its creation, aware; None where AWS does not report it.
        state: its state as AWS names it; empty for a kind without states.
    """

    kind: ResourceKind
    id: str
    tags: Mapping[str, str]
    created: datetime | None = None
    state: str = ""

    @property
    def detached(self) -> bool:
        """True for a volume that is attached to nothing."""
        return self.kind is ResourceKind.VOLUME and self.state == "available"

    def costs(self) -> bool:
        """True if it is billed on its own: a volume or an interface in use is deleted with its instance."""
        if self.kind is ResourceKind.INSTANCE:
            return self.state not in DEAD_INSTANCE_STATES
        return self.kind not in (ResourceKind.VOLUME, ResourceKind.INTERFACE) or self.state == "available"


@dataclass(frozen=True)
class Stack:
    """A CloudFormation stack that exists, in any state; `id` is its ARN, `created` is aware."""

    name: str
    id: str
    status: str
    created: datetime
    description: str

    @property
    def uuid(self) -> str:
        """Last part of the ARN; a later stack of the same name has another."""
        return self.id.rpartition("/")[2]

    def settled(self) -> bool:
        """True if no operation of CloudFormation is in progress."""
        return not self.status.endswith("_IN_PROGRESS")


@dataclass(frozen=True)
class Inventory:
    """Everything that one run looks at.

    Attributes:
        groups: all Auto Scaling groups of the Region, of annexes or not.
        instances: the instances with one of the two tags, in any state; None if the listing failed.
        others: the other resources with one of them; None if one of the listings failed.
        stacks: all stacks of the Region; None if the listing failed.
        failures: the error of each listing that failed, by what it lists.
    """

    groups: tuple[Group, ...]
    instances: tuple[TaggedResource, ...] | None = None
    others: tuple[TaggedResource, ...] | None = None
    stacks: tuple[Stack, ...] | None = None
    failures: Mapping[str, str] = field(default_factory=dict)


def log_group_name(arn: str) -> str:
    """Name of the log group with this ARN."""
    return arn.partition(":log-group:")[2]
