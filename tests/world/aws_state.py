"""Content of an AWS account, as plain data with a clock: the state of the model of AWS that `aws_model` offers.

Times are seconds after `START`. Nothing moves by itself: `aws_scaling.advance` moves the clock and everything with it.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
REGION = "us-east-1"
OWNER = "123456789012"
GROUP_TAG = "aws:autoscaling:groupName"
_GROUP_UUID = "0b9a6d3e-0000-4000-8000-000000000000"
MAX_TAGS = 50  # of a group, and of an instance
ZONES = ("us-east-1a", "us-east-1b")


@dataclass
class Hook:
    """A lifecycle hook; heartbeat in seconds. Defaults as PutLifecycleHook has them: 3600 seconds, ABANDON."""

    name: str
    transition: str
    heartbeat: float = 3600.0
    default: str = "ABANDON"


@dataclass
class ScheduledAction:
    """A scheduled action that runs once, at `start`; None: it leaves that size as it is."""

    name: str
    start: float
    min_size: int | None = None
    max_size: int | None = None
    desired: int | None = None


@dataclass
class Activity:
    """A scaling activity; `ended` is None while it is in progress."""

    description: str
    started: float
    status: str = "InProgress"
    message: str = ""
    ended: float | None = None

    def close(self, now: float, status: str, message: str = "") -> None:
        """End the activity."""
        self.ended, self.status, self.message = now, status, message


@dataclass
class WarmPool:
    """A warm pool; `prepared` is MaxGroupPreparedCapacity, None if the group's MaxSize counts instead."""

    min_size: int = 0
    state: str = "Stopped"
    prepared: int | None = None
    deleting: bool = False


@dataclass
class Ec2Instance:
    """An instance: its EC2 side (`state`, `tags`), and what its group says about it while it has one (`lifecycle`)."""

    id: str
    zone: str
    launched: float
    tags: dict[str, str]
    launched_by: str
    state: str = "pending"
    group: str | None = None
    lifecycle: str = "Pending"
    protected: bool = False
    warm: bool = False
    hook: str | None = None
    locked: bool = False  # DisableApiTermination
    due: float | None = None
    unpaid_since: float | None = None  # from here on it costs nothing
    terminated: float | None = None
    activity: Activity | None = field(default=None, repr=False)

    @property
    def alive(self) -> bool:
        """True if it may still cost money or start again."""
        return self.state not in ("shutting-down", "terminated")


@dataclass
class ScalingGroup:
    """An Auto Scaling group.

    `tags`: key to value and PropagateAtLaunch; `template_tags`: of its launch template; `launch_error`: reason that
    every launch fails with, empty if launches succeed; `launch_death`: reason that every instance dies with while it
    starts, empty if they live; `max_healthy`: MaxHealthyPercentage of its InstanceMaintenancePolicy, as an annex has
    it. Of `outdated` and `leaving` see `aws_replacement`.
    """

    name: str
    created: datetime
    max_size: int
    min_size: int = 0
    desired: int = 0
    tags: dict[str, tuple[str, bool]] = field(default_factory=dict)
    template_tags: dict[str, str] = field(default_factory=dict)
    suspended: set[str] = field(default_factory=set)
    protect_new: bool = False
    deletion_protection: str = "none"
    retain_abandoned: bool = False  # InstanceLifecyclePolicy, RetentionTriggers, TerminateHookAbandon=retain
    hooks: dict[str, Hook] = field(default_factory=dict)
    warm_pool: WarmPool | None = None
    scheduled: dict[str, ScheduledAction] = field(default_factory=dict)
    activities: list[Activity] = field(default_factory=list)
    launch_error: str = ""
    launch_death: str = ""
    max_healthy: int = 100
    outdated: list[str] = field(default_factory=list)
    leaving: str = ""
    reacts_at: float | None = None
    deleting: bool = False

    @property
    def arn(self) -> str:
        """The ARN as AWS makes it, with an id in the middle that the caller does not choose."""
        return f"arn:aws:autoscaling:{REGION}:{OWNER}:autoScalingGroup:{_GROUP_UUID}:autoScalingGroupName/{self.name}"


@dataclass
class Secret:
    """A secret: the staging labels of its versions, and whether it is scheduled to be deleted."""

    arn: str
    stages: dict[str, list[str]] = field(default_factory=dict)
    deleted: bool = False


@dataclass
class Account:
    """Everything an account has, and the time in it.

    `action_delay`: seconds from the start time of a scheduled action until it runs. "A scheduled action generally runs
    within seconds. However, the action might be delayed for up to two minutes" ("Scheduled scaling").
    """

    now: float = 0.0
    action_delay: float = 2.0
    groups: dict[str, ScalingGroup] = field(default_factory=dict)
    instances: dict[str, Ec2Instance] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)
    topics: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    agenda: list[tuple[float, str, str]] = field(default_factory=list)

    @property
    def moment(self) -> datetime:
        """The time as an aware datetime."""
        return START + timedelta(seconds=self.now)

    def wake(self, instance: Ec2Instance, after: float | None) -> None:
        """Let the instance move on after so many seconds, in place of what it waited for; None: not at all."""
        instance.due = None if after is None else self.now + after
        if instance.due is not None:
            heapq.heappush(self.agenda, (instance.due, "instance", instance.id))

    def touch(self, group: ScalingGroup, after: float) -> None:
        """Let EC2 Auto Scaling look at the group after so many seconds, unless it does so sooner anyway."""
        at = self.now + after
        if group.reacts_at is None or at < group.reacts_at:
            group.reacts_at = at
            heapq.heappush(self.agenda, (at, "group", group.name))

    def plan(self, group: ScalingGroup, at: float) -> None:
        """Let EC2 Auto Scaling run the scheduled actions of the group that are due at this time."""
        heapq.heappush(self.agenda, (at, "scheduled", group.name))

    def members(self, group: ScalingGroup) -> list[Ec2Instance]:
        """The instances of the group and of its warm pool, oldest first."""
        return [one for one in self.instances.values() if one.group == group.name]

    def instance_seconds(self, group: str, since: float = 0.0) -> float:
        """The meter: seconds that instances launched by this group existed alive after `since`, until now.

        It runs from the launch call on, though AWS bills from `running` on (EC2 User Guide, "Instance lifecycle"):
        what is bounded here is bounded on the bill.
        """
        return sum(
            max(0.0, (self.now if one.unpaid_since is None else one.unpaid_since) - max(one.launched, since))
            for one in self.instances.values()
            if one.launched_by == group
        )

    def alive(self, group: str) -> list[Ec2Instance]:
        """The instances that this group ever launched and that are alive, even if they belong to another group now."""
        return [one for one in self.instances.values() if one.launched_by == group and one.alive]
