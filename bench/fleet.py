"""Fleet of an annex on the lab's cloud, with its lease checker."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from annex_lease import tags as lease_tags
from annex_lease.handler import serve
from annex_lease.invocation import RUN_SECONDS
from annex_lease.memory import Memory
from annex_lease.policy import LeasePolicy, policy_tags
from bench.cloud import Cloud

MACHINE = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "c6a.large"}
LEASE = timedelta(hours=1)
_numbers = itertools.count(1)


def make_subnet(cloud: Cloud) -> str:
    """A subnet with room for more than 10,000 instances."""
    vpc = cloud.ec2.create_vpc(CidrBlock="10.64.0.0/16")["Vpc"]["VpcId"]
    made = cloud.ec2.create_subnet(VpcId=vpc, CidrBlock="10.64.0.0/16", AvailabilityZone="us-east-1a")
    return str(made["Subnet"]["SubnetId"])


def alive(cloud: Cloud, key: str, value: str) -> list[str]:
    """Instances with a tag that are neither terminated nor shutting down, all pages."""
    states = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
    filters = [*states, {"Name": f"tag:{key}", "Values": [value]}]
    pages = cloud.ec2.get_paginator("describe_instances").paginate(Filters=filters, PaginationConfig={"PageSize": 1000})
    return [one["InstanceId"] for page in pages for part in page["Reservations"] for one in part["Instances"]]


class Context:
    """Lambda context with the cloud's time."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._end = now() + timedelta(seconds=RUN_SECONDS)

    def get_remaining_time_in_millis(self) -> int:
        """See the Lambda Developer Guide, "Context object"."""
        return max(0, int((self._end - self._now()).total_seconds() * 1000))


class Fleet:
    """Group with the tags that its template declares; the checker grants its capacity."""

    def __init__(self, cloud: Cloud, size: int) -> None:
        self.cloud, self.size = cloud, size
        self.name = f"bench{next(_numbers)}"
        self.id = f"00000000-0000-4000-8000-000000000000.{self.name}"
        self._memory = Memory()
        self._make()

    def _make(self) -> None:
        template = self.cloud.ec2.create_launch_template(LaunchTemplateName=self.name, LaunchTemplateData=MACHINE)
        policy = LeasePolicy(
            self.name,
            size=self.size,
            max_lifetime_seconds=24 * 3600,
            grace_seconds=900,
            duration_seconds=int(LEASE.total_seconds()),
        )
        self.cloud.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            LaunchTemplate={"LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"], "Version": "$Latest"},
            MinSize=0,
            MaxSize=self.size,
            VPCZoneIdentifier=make_subnet(self.cloud),
            Tags=[
                {"Key": one.key, "Value": one.value, "PropagateAtLaunch": one.key in lease_tags.PROPAGATED_TAGS}
                for one in policy_tags(policy, annex_id=self.id)
            ],
        )

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the checker's function."""
        names = {"ANNEX_GROUP": self.name, "ANNEX_NAME": self.name, "ANNEX_ID": self.id}
        return {**names, "ANNEX_CREDENTIAL": "", "ANNEX_TOPIC": ""}

    def check(self) -> dict[str, Any]:
        """One scheduled run of the checker's function; its log line is discarded."""
        with contextlib.redirect_stdout(io.StringIO()):
            return dict(
                serve(
                    {"check": "scheduled"},
                    Context(self.cloud.now),
                    environ=self.environment,
                    now=self.cloud.now(),
                    clients=self.cloud,  # type: ignore[arg-type]  # clients of the same names
                    sleep=self.cloud.advance,
                    memory=self._memory,
                )
            )

    def start(self) -> None:
        """Let the checker grant the capacity, and wait until all instances run and have their lease."""
        self.check()
        self.cloud.settle()
        self.check()
        found = len(self.alive())
        if found != self.size:
            raise RuntimeError(f"{found} instances of {self.size} are running")

    @property
    def end(self) -> datetime:
        """End of the lease."""
        created: datetime = self.described()["CreatedTime"]
        return created.replace(microsecond=0) + LEASE  # a lease ends on the second

    def described(self) -> dict[str, Any]:
        """The group."""
        found = self.cloud.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        return dict(found["AutoScalingGroups"][0])

    def alive(self) -> list[str]:
        """Instances of the group that are neither terminated nor shutting down."""
        return alive(self.cloud, "aws:autoscaling:groupName", self.name)

    def remove(self) -> None:
        """Delete the group with its remaining instances."""
        self.cloud.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=self.name, ForceDelete=True)
        self.cloud.settle()
