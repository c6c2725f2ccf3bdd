"""Reads of the annexes of a run in AWS, and waits for what they show."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from annex_lease.aws import AnnexAccess
from annex_lease.facts import failed_launch
from annex_lease.ownership import by_key_from_api
from annex_pool.leftovers.listing import pages
from verify.account import Account
from verify.outcome import NotRunError
from verify.run import Run
from verify.stack_state import stack_status

POLL_SECONDS = 3.0
_LIVE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")

T = TypeVar("T")


@dataclass(kw_only=True)
class Observation:
    """Annexes of a run, as AWS describes them. An annex is known by its letter.

    Attributes:
        run: the run.
        account: the account.
        failure: why the annexes could not be deployed; empty: they were.
    """

    run: Run
    account: Account
    failure: str = ""
    _outputs: dict[str, dict[str, str]] = field(default_factory=dict)

    def output(self, letter: str, name: str) -> str:
        """An output of the annex's stack.

        Raises:
            NotRunError: there is no such stack, because its deployment failed.
        """
        if letter not in self._outputs:
            cloudformation, stack_name = self.account.aws.cloudformation, self.run.stack(letter)
            if (status := stack_status(cloudformation, stack_name)) not in _LIVE:
                raise NotRunError(self.failure or f"the stack of annex {letter} is {status}")
            (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
            self._outputs[letter] = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
            self._outputs[letter]["StackId"] = stack["StackId"]
        return self._outputs[letter][name]

    def group_name(self, letter: str) -> str:
        """Name of the annex's Auto Scaling group."""
        return self.output(letter, "AutoScalingGroup")

    def group(self, letter: str) -> Mapping[str, Any]:
        """The annex's Auto Scaling group, as AWS describes it.

        Raises:
            NotRunError: there is none.
        """
        name = self.group_name(letter)
        found = self.account.aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        if not found["AutoScalingGroups"]:
            raise NotRunError(f"the group of annex {letter} is gone")
        return found["AutoScalingGroups"][0]

    def tags(self, letter: str) -> dict[str, str]:
        """Tags of the annex's group."""
        return dict(by_key_from_api(self.group(letter)["Tags"]))

    def members(self, letter: str) -> list[str]:
        """Ids of the instances in the annex's group; one that leaves it is listed until EC2 has terminated it."""
        listed = self.group(letter)["Instances"]
        return [str(each["InstanceId"]) for each in listed if not each["LifecycleState"].startswith("Terminat")]

    def activities(self, letter: str) -> list[dict[str, Any]]:
        """Scaling activities of the annex's group, the oldest first."""
        client = self.account.aws.autoscaling
        listed = pages(
            client, "describe_scaling_activities", "Activities", AutoScalingGroupName=self.group_name(letter)
        )
        found = [dict(each) for each in listed]
        found.reverse()  # AWS lists the newest first; two of one moment keep their order
        return sorted(found, key=lambda each: each["StartTime"])

    def physical_ids(self, letter: str, kind: str, part: str = "") -> list[str]:
        """Physical ids of the stack's resources of a type, with a text in their logical ids."""
        listed = self.account.aws.cloudformation.describe_stack_resources(StackName=self.output(letter, "StackId"))
        return [
            each["PhysicalResourceId"]
            for each in listed["StackResources"]
            if each["ResourceType"] == kind and part in each["LogicalResourceId"]
        ]

    def log_group(self, letter: str) -> str:
        """Name of the log group of the annex's lease checker."""
        name = self.output(letter, "LeaseChecker")
        found = self.account.aws.functions.get_function_configuration(FunctionName=name)
        return str(found.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{name}"))

    def log_lines(self, log_group: str, since: datetime) -> list[str]:
        """Lines of a log since a time, the oldest first."""
        start = int(since.timestamp() * 1000)
        found = pages(self.account.aws.logs, "filter_log_events", "events", logGroupName=log_group, startTime=start)
        return [str(each["message"]).rstrip() for each in sorted(found, key=lambda each: each["timestamp"])]

    def instance(self, instance_id: str) -> Mapping[str, Any]:
        """An instance, as EC2 describes it."""
        found = self.account.aws.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
        return found[0]["Instances"][0]

    def failed(self, letter: str) -> str:
        """The reason of the newest launch that failed; empty if none did since one succeeded."""
        return failed_launch(AnnexAccess(self.group_name(letter), "", self.account.aws))

    def wait_for(
        self,
        what: str,
        seconds: float,
        probe: Callable[[], T],
        *,
        otherwise: Callable[[], str] = lambda: "",
        every: float = POLL_SECONDS,
    ) -> T:
        """The first value of `probe` that is true.

        Args:
            what: the expected event, for the error.
            seconds: longest wait.
            probe: looks for the event.
            otherwise: what the error says besides.
            every: seconds between two looks.

        Raises:
            NotRunError: it did not come in time.
        """
        value = self.watch(seconds, probe, every=every)
        if not value:
            raise NotRunError(f"no {what} within {seconds:.0f} s; {otherwise()}".rstrip("; "))
        return value

    def watch(self, seconds: float, probe: Callable[[], T], *, every: float = POLL_SECONDS) -> T:
        """The first value of `probe` that is true, or its last one if none was within so many seconds."""
        end = time.monotonic() + seconds
        while not (value := probe()) and time.monotonic() < end:
            time.sleep(every)
        return value

    def now(self) -> datetime:
        """The current time in UTC, by the clock of AWS."""
        return datetime.now(UTC) + self.account.ahead
