"""World in which scenarios are played: an AWS of some kind with a clock, and an annex as its stack makes it.

It is small, so that the model, an AWS in process and an emulated cloud can each stand behind it; what one of them
cannot express it says in `lacks`, with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

from annex_lease.policy import LeasePolicy
from tests.world.aws_conditions import Condition

POLICY = LeasePolicy("pa", size=2, max_lifetime_seconds=7200, grace_seconds=900, duration_seconds=3600)


@dataclass(frozen=True)
class Site:
    """An annex as its stack makes it."""

    policy: LeasePolicy = POLICY
    group: str = "Annex-pa-Group-1A2B"
    annex_id: str = "0a1b2c3d-0000-4000-8000-00000000000a.pa"
    credential: bool | None = True  # whether the secret has a value; None: there is no secret, nothing is waited for
    topic: bool = False
    max_size: int = 10
    protect_new: bool = False
    declared: bool = True  # whether the template's tags are there

    @property
    def secret_arn(self) -> str:
        """The ARN of the annex's secret."""
        return f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{self.policy.annex}-AbCdEf"

    @property
    def topic_arn(self) -> str:
        """The ARN of the annex's topic; empty without one."""
        return f"arn:aws:sns:us-east-1:123456789012:{self.policy.annex}" if self.topic else ""

    def environ(self) -> dict[str, str]:
        """The environment of the annex's function."""
        return {
            "ANNEX_GROUP": self.group,
            "ANNEX_CREDENTIAL": "" if self.credential is None else self.secret_arn,
            "ANNEX_NAME": self.policy.annex,
            "ANNEX_ID": self.annex_id,
            "ANNEX_TOPIC": self.topic_arn,
        }


class Can(Enum):
    """Abilities that a world may have beyond groups, instances, tags, protection, a suspended Launch, secrets."""

    BOOT = "instances that take time to start and to end"
    HOOKS = "lifecycle hooks that hold instances"
    RETAIN = "instances retained by a lifecycle policy"
    SUSPENDED_TERMINATE = "a suspended Terminate process that keeps instances"
    RESUMED_SCALE_IN = "a scale-in that continues when protection is removed"
    WARM_POOL = "warm pools"
    STANDBY = "instances on standby"
    DETACH = "detached instances, which lose the group's own tag"
    ANY_STATE = "any lifecycle state, also one that AWS does not have yet"
    DELETION_PROTECTION = "groups protected from deletion"
    LOCKED = "instances protected from termination by the API"
    STOPPED = "instances that were stopped, and are replaced"
    DELETE_GROUP = "the deletion of a group by an operator"
    METER = "the instance-seconds that were used"
    TOPIC = "messages published to a topic"
    SCHEDULED = "scheduled actions of a group, run at their time"
    TAG_LIMIT = "groups that refuse more than 50 tags"
    FAILED_LAUNCHES = "launches that fail, and their scaling activities"
    REPLACEMENT = "the gradual replacement of instances at a change of subnets or purchase options"


class World(Protocol):
    """An AWS with a clock."""

    clients: Any
    """Clients for the code under test: an object with the attributes autoscaling, ec2, secretsmanager, sns."""
    operator: Any
    """The same for everybody else."""
    conditions: list[Condition]
    """Conditions under which the calls of `clients` are carried out."""
    lacks: Mapping[Can, str]
    """Abilities that this world lacks, with the reasons."""

    def now(self) -> datetime:
        """The time, aware."""

    def advance(self, seconds: float) -> None:
        """Let time pass."""

    def add_annex(self, site: Site) -> None:
        """Make the group as the template does: no capacity, the declared tags; the secret; the topic."""

    def alive(self, group: str) -> set[str]:
        """Ids of all instances that this group ever launched and that EC2 knows to be alive."""

    def used(self, group: str, since: float) -> float:
        """Instance-seconds used after so many seconds of the world's time (only with `Can.METER`)."""

    def set_state(self, instance_id: str, state: str) -> None:
        """Put an instance into a lifecycle state for good (only with `Can.ANY_STATE`)."""

    def fail_launches(self, group: str, reason: str) -> None:
        """Let every launch of the group fail for this reason; empty: no longer (only with `Can.FAILED_LAUNCHES`)."""

    def kill_launches(self, group: str, reason: str) -> None:
        """Let every instance of the group die for this reason while it starts; empty: no longer."""

    def replace_instances(self, group: str) -> None:
        """Change the subnets, so that no running instance fits them any more (only with `Can.REPLACEMENT`)."""

    def published(self) -> list[dict[str, str]]:
        """Messages published to topics (only with `Can.TOPIC`)."""
