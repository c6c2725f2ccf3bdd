"""Stage of a scenario: an annex in a world, the checker's runs, and what is left at the end.

See `tests.world.world` for what can stand behind it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease import tags as lease_tags
from annex_lease.checker import CheckError
from annex_lease.handler import serve
from annex_lease.invocation import RUN_SECONDS
from annex_lease.memory import Memory
from tests.world.aws_conditions import Condition
from tests.world.aws_faults import Killed
from tests.world.world import Can, Site, World

__all__ = ["HOUR", "MINUTE", "Can", "Run", "Site", "Stage", "World"]

MINUTE, HOUR = 60.0, 3600.0
SCHEDULED = {"check": "scheduled"}


@dataclass(frozen=True)
class Run:
    """A run of the function: its reply, or what it raised."""

    reply: dict[str, Any] = field(default_factory=dict)
    error: BaseException | None = None

    @property
    def phase(self) -> str:
        """The phase it reported; empty if it reported none."""
        return str(self.reply.get("phase", ""))


class Context:
    """A Lambda context whose time runs with the world's."""

    def __init__(self, world: World, seconds: float) -> None:
        self._world = world
        self._end = world.now() + timedelta(seconds=seconds)

    def get_remaining_time_in_millis(self) -> int:
        """See the Lambda Developer Guide, "Context object"."""
        return max(0, int((self._end - self._world.now()).total_seconds() * 1000))


class Stage:
    """An annex in a world.

    Attributes:
        strict: whether nothing is disturbed, so that a scenario may expect things on its way.
        runs: what the checker's runs came to.
    """

    def __init__(self, world: World, site: Site | None = None, *, strict: bool = True) -> None:
        self.world = world
        self.site = site or Site()
        self.strict = strict
        self.runs: list[Run] = []
        self.memory = Memory()
        self.before_run: Callable[[], None] = lambda: None
        self.while_waiting: Callable[[], None] = lambda: None
        self.start = world.now()

    def make(self, **changes: Any) -> None:
        """Make the annex, with these changes of the site; `policy` takes a dictionary of changes too."""
        policy = changes.pop("policy", {})
        self.site = replace(self.site, policy=replace(self.site.policy, **policy), **changes)
        self.world.add_annex(self.site)

    def run_as_of(self, moment: datetime) -> Run:
        """One run of the function that takes the time for `moment`."""
        return self.run(moment=moment)

    def run(
        self,
        event: Mapping[str, Any] = SCHEDULED,
        *,
        seconds: float = RUN_SECONDS,
        moment: datetime | None = None,
    ) -> Run:
        """One run of the function, now, with so many seconds left to it."""
        self.before_run()
        context = Context(self.world, seconds)
        try:
            reply = serve(
                event,
                context,
                environ=self.site.environ(),
                now=moment or self.world.now(),
                clients=self.world.clients,
                sleep=self._wait,
                memory=self.memory,
            )
            run = Run(dict(reply))
        except (CheckError, BotoCoreError, ClientError) as error:
            report = getattr(error, "report", None)
            run = Run(report.as_data() if report else {}, error)
        except Killed as error:
            self.forget()
            run = Run({}, error)
        self.runs.append(run)
        return run

    def forget(self) -> None:
        """Let the next run find a new process."""
        self.memory = Memory()

    def _wait(self, seconds: float) -> None:
        self.while_waiting()
        self.world.advance(seconds)

    def minutes(self, number: int) -> Run:
        """So many scheduled runs, one a minute; the last one."""
        run = Run()
        for _ in range(number):
            began = self.world.now()
            run = self.run()
            passed = (self.world.now() - began).total_seconds()
            self.world.advance(max(1.0, MINUTE - passed))
        return run

    def until(self, seconds: float, *, checked: bool = True) -> None:
        """Go on to so many seconds after the start: with a run a minute for the last three minutes, or without."""
        left = seconds - self.seconds()
        quiet = left - 3 * MINUTE if checked else left
        if quiet > 0:
            self.world.advance(quiet)
        while checked and self.seconds() < seconds:
            self.minutes(1)

    def seconds(self) -> float:
        """Seconds since the start."""
        return (self.world.now() - self.start).total_seconds()

    def moment(self, seconds: float) -> datetime:
        """So many seconds after the group's creation."""
        created: datetime = self.group()["CreatedTime"]
        return created + timedelta(seconds=seconds)

    def at(self, seconds: float) -> str:
        """So many seconds after the group's creation, as a tag's value."""
        return lease_tags.format_time(self.moment(seconds))

    @contextlib.contextmanager
    def under(self, condition: Condition) -> Iterator[None]:
        """Let AWS's answers to the function be under this condition meanwhile."""
        self.world.conditions.append(condition)
        try:
            yield
        finally:
            self.world.conditions.remove(condition)

    def group(self) -> Any:
        """The group as AWS describes it to an operator; None if it is gone."""
        found = self.world.operator.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.site.group])
        return found["AutoScalingGroups"][0] if found["AutoScalingGroups"] else None

    def tags(self) -> dict[str, str]:
        """The group's tags."""
        group = self.group()
        return {tag["Key"]: tag["Value"] for tag in group["Tags"]} if group else {}

    def write(self, key: str, value: str) -> None:
        """Write a tag of the group, as the operator's command or CloudFormation does."""
        tag = {"ResourceId": self.site.group, "ResourceType": "auto-scaling-group", "Key": key, "Value": value}
        propagate = key in lease_tags.PROPAGATED_TAGS
        self.world.operator.autoscaling.create_or_update_tags(Tags=[tag | {"PropagateAtLaunch": propagate}])

    def ends_of_instances(self) -> set[str]:
        """Ends that the tags of the living instances hold; empty text: one has none."""
        found = self.world.operator.ec2.describe_instances(InstanceIds=self.alive())["Reservations"]
        tags = [one["Tags"] for part in found for one in part["Instances"]]
        return {next((tag["Value"] for tag in each if tag["Key"] == lease_tags.TAG_END), "") for each in tags}

    def scheduled(self) -> dict[str, datetime]:
        """Scheduled actions of the group: name and start time."""
        found = self.world.operator.autoscaling.describe_scheduled_actions(AutoScalingGroupName=self.site.group)
        return {one["ScheduledActionName"]: one["StartTime"] for one in found["ScheduledUpdateGroupActions"]}

    def problems(self) -> str:
        """Problems and errors that the last run reported."""
        reply = self.runs[-1].reply
        return "; ".join([*reply.get("problems", []), *reply.get("errors", []), str(self.runs[-1].error or "")])

    def reply_group(self) -> str:
        """The group that the last run reported on."""
        return str(self.runs[-1].reply.get("group", ""))

    def alive(self) -> list[str]:
        """Ids of the annex's instances that are alive, even if they belong to another group by now."""
        return sorted(self.world.alive(self.site.group))

    def expect(self, fact: bool, what: str) -> None:
        """A fact that holds on the way, if nothing is disturbed."""
        assert fact or not self.strict, f"{what}; last run: {self.runs[-1] if self.runs else None}"
