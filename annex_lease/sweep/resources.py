"""Resources and stacks of one Region, as one run of the sweeper listed them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    """A resource with the tag `annex:name`.

    Attributes:
        kind: its kind.
        id: the ARN of a secret or a log group, the id of an EC2 resource, the name of a group.
        tags: its tags.
        created: time of its creation, aware; None where AWS does not report it.
        state: its state as AWS names it; empty for a kind without states.
    """

    kind: ResourceKind
    id: str
    tags: Mapping[str, str]
    created: datetime | None = None
    state: str = ""

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
    tags: Mapping[str, str]

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
        instances: the instances with the tag `annex:name`, in any state; None if the listing failed.
        others: the other resources with that tag; None if one of the listings failed.
        stacks: all stacks of the Region; None if the listing failed.
        failures: the listings that failed, with the error.
    """

    groups: tuple[Group, ...]
    instances: tuple[TaggedResource, ...] | None = None
    others: tuple[TaggedResource, ...] | None = None
    stacks: tuple[Stack, ...] | None = None
    failures: tuple[str, ...] = ()


def log_group_name(arn: str) -> str:
    """Name of the log group with this ARN."""
    return arn.partition(":log-group:")[2]
