"""Records of Auto Scaling groups, and their store.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_AutoScalingGroup.html
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from lab.cloud import world
from lab.cloud.emulator import responses
from lab.cloud.query import ApiError

PROCESSES = (
    "Launch",
    "Terminate",
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "ReplaceUnhealthy",
    "ScheduledActions",
)
LAUNCHED = ("Pending", "Pending:Wait", "Pending:Proceed", "InService")
"""Lifecycle states that count towards the desired capacity; Standby and leaving members do not."""


@dataclass
class WaitingAction:
    """A lifecycle action that waits for CompleteLifecycleAction or its heartbeat timeout."""

    hook: str
    token: str
    default: str
    heartbeat: int
    deadline: float


@dataclass(eq=False)
class Member:
    """An instance in a group."""

    instance_id: str
    instance_type: str
    zone: str
    template: dict[str, str]
    protected: bool
    lifecycle: str = "Pending"
    health: str = "Healthy"
    waiting: dict[str, WaitingAction] = field(default_factory=dict)
    activity: "Activity | None" = None


@dataclass
class Tag:
    """A tag of a group; ``propagate`` puts it on instances launched later."""

    key: str
    value: str
    propagate: bool


@dataclass
class Hook:
    """A lifecycle hook. https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_LifecycleHook.html."""

    name: str
    transition: str
    heartbeat: int = 3600
    default: str = "ABANDON"
    metadata: str = ""
    target: str = ""
    role: str = ""


@dataclass
class Activity:
    """A scaling activity. https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Activity.html."""

    identifier: str
    description: str
    cause: str
    start: float
    status: str = "InProgress"
    end: float | None = None
    message: str = ""

    def close(self, status: str, message: str = "") -> None:
        """End the activity, once."""
        if self.end is None:
            self.status, self.message, self.end = status, message, world.now()


@dataclass
class ScheduledAction:
    """An action that runs once; None leaves a size as it is.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_ScheduledUpdateGroupAction.html
    """

    name: str
    arn: str
    start: float
    minimum: int | None = None
    maximum: int | None = None
    desired: int | None = None


@dataclass
class WarmPool:
    """A group's warm pool. https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_WarmPoolConfiguration.html."""

    state: str = "Stopped"
    minimum: int = 0
    prepared: int | None = None
    deleting: bool = False


@dataclass
class Group:
    """An Auto Scaling group; of ``healthy``, ``replacing`` and ``leaving`` see ``lab.cloud.replacement``."""

    name: str
    arn: str
    account: str
    region: str
    created: datetime.datetime
    minimum: int = 0
    maximum: int = 0
    desired: int = 0
    subnets: list[str] = field(default_factory=list)
    template: dict[str, str] = field(default_factory=dict)
    mixed: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)
    suspended: dict[str, str] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    warm_pool: WarmPool | None = None
    warm: list[Member] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    scheduled: dict[str, ScheduledAction] = field(default_factory=dict)
    termination_policies: list[str] = field(default_factory=lambda: ["Default"])
    new_instances_protected: bool = False
    health_check_type: str = "EC2"
    health_check_grace: int = 300
    cooldown: int = 300
    capacity_rebalance: bool = False
    max_instance_lifetime: int | None = None
    deletion_protection: str = "none"
    retain_abandoned: bool = False
    healthy: tuple[int, int] | None = None
    replacing: bool = False
    leaving: str = ""
    deleting: bool = False
    launch_backoff_until: float = 0.0

    def member(self, instance_id: str) -> Member | None:
        """The member with this instance id, or None."""
        return next((one for one in self.members if one.instance_id == instance_id), None)

    def managed(self) -> list[Member]:
        """Every instance Auto Scaling manages for the group: its members, then its warm pool's."""
        return [*self.members, *self.warm]

    def launched(self) -> list[Member]:
        """The members that count towards the desired capacity, oldest first."""
        return [one for one in self.members if one.lifecycle in LAUNCHED]

    def begin(self, description: str, cause: str) -> Activity:
        """Record the start of an activity, newest first, at most 100 kept."""
        activity = Activity(str(uuid4()), description, cause, world.now())
        self.activities.insert(0, activity)
        del self.activities[100:]
        return activity

    def set_capacity(self, minimum: int | None, maximum: int | None, desired: int | None) -> None:
        """Change the capacity limits and the desired capacity, all or nothing.

        An omitted desired capacity follows the new limits:
        https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_UpdateAutoScalingGroup.html

        Raises:
            ApiError: ValidationError if they contradict each other.
        """
        low = self.minimum if minimum is None else minimum
        high = self.maximum if maximum is None else maximum
        if low < 0 or high < 0:
            raise ApiError("ValidationError", f"Group sizes must not be negative, received min {low}, max {high}")
        if low > high:
            raise ApiError("ValidationError", f"Max bound, {high}, must be greater than or equal to min bound, {low}")
        wanted = max(low, min(high, self.desired)) if desired is None else desired
        if not low <= wanted <= high:
            raise ApiError(
                "ValidationError",
                f"Desired capacity:{wanted} must be between the specified min size:{low} and max size:{high}",
            )
        self.minimum, self.maximum, self.desired = low, high, wanted


_groups: Any = responses.AccountRegionScopedDict()


def add(group: Group) -> None:
    """Store a new group. Raises ``ApiError`` (AlreadyExists)."""
    if group.name in _groups:
        raise ApiError("AlreadyExists", f"AutoScalingGroup by this name already exists - {group.name}")
    _groups[group.name] = group


def find(name: str) -> Group | None:
    """A group of the current account and region, or None."""
    group: Group | None = _groups.get(name)
    return group


def get(name: str) -> Group:
    """A group of the current account and region. Raises ``ApiError`` (ValidationError)."""
    group = find(name)
    if group is None:
        raise ApiError("ValidationError", f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return group


def of_instance(instance_id: str) -> Group | None:
    """The group an instance of the current account and region is a member of, or None."""
    return next((group for group in here() if group.member(instance_id)), None)


def managing(instance_id: str) -> tuple[Group, Member] | None:
    """The group that manages an instance, in service or in its warm pool, with the instance; or None."""
    found = ((group, one) for group in here() for one in group.managed() if one.instance_id == instance_id)
    return next(found, None)


def here() -> list[Group]:
    """The groups of the current account and region, in the order of their creation."""
    return list(_groups.values())


def everywhere() -> Iterator[Group]:
    """The groups of every account and region."""
    yield from _groups.all_values()


def remove(name: str) -> None:
    """Remove a group from the store."""
    _groups.pop(name, None)
