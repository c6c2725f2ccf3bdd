"""Clients of AWS, and reads of what a decision needs. A call that fails raises: it never counts as an empty answer."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config

from annex_lease.lease import NO_CAPS, LeaseCaps
from annex_lease.observed import Group, GroupMember, Instance
from annex_lease.ownership import GROUP_TAG, Identity, Owner, by_key_from_api
from annex_lease.tags import TAG_END, TAG_ID, tags_from_api

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import InstanceTypeDef
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient

FUNCTION_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=3, read_timeout=10)
"""Retries and timeouts of a function's clients.

Attempts with growing, jittered pauses absorb throttling (botocore, "standard" mode: up to 1, 2, 4, 8 s). The timeouts
keep one dead connection from using the time of the whole run; the next run repeats what failed.
"""

PAGE_SIZE = 1000
"""Items in one answer of EC2, the most that its listings allow.

Without a number AWS answers with all instances at once, throttles, or fails (API reference, DescribeInstances).
"""
_DEFAULT_SECONDS = 60.0  # time of a function's run without a context


class Clients:
    """AWS clients for one Region with one set of credentials, each made when first used.

    The lease checker, the account-wide sweeper and the commands share this class; they differ in session and settings.
    """

    def __init__(
        self,
        session: boto3.Session | None = None,
        *,
        config: Config = FUNCTION_CONFIG,
        invoke_config: Config | None = None,
    ) -> None:
        """Keep the settings; nothing is asked of AWS yet.

        Args:
            session: Region and credentials. Default: those of the environment, as in a function.
            config: retries and timeouts.
            invoke_config: those of `functions`, whose calls wait for the function. Default: `config`.
        """
        self.session = session or boto3.Session()
        self._config = config
        self._invoke_config = invoke_config or config
        self._others: dict[str, Any] = {}

    @property
    def region(self) -> str:
        """Code of the Region."""
        return str(self.session.region_name or "")

    @cached_property
    def autoscaling(self) -> AutoScalingClient:
        """EC2 Auto Scaling: the groups."""
        return self.session.client("autoscaling", config=self._config)

    @cached_property
    def ec2(self) -> EC2Client:
        """Amazon EC2: the instances, and what is attached to them."""
        return self.session.client("ec2", config=self._config)

    @cached_property
    def secretsmanager(self) -> SecretsManagerClient:
        """AWS Secrets Manager: the credential."""
        return self.session.client("secretsmanager", config=self._config)

    @cached_property
    def sns(self) -> SNSClient:
        """Amazon SNS: the warning before the end."""
        return self.session.client("sns", config=self._config)

    @cached_property
    def cloudformation(self) -> CloudFormationClient:
        """AWS CloudFormation: the stacks."""
        return self.session.client("cloudformation", config=self._config)

    @cached_property
    def logs(self) -> CloudWatchLogsClient:
        """Amazon CloudWatch Logs: the log groups."""
        return self.session.client("logs", config=self._config)

    @cached_property
    def tagging(self) -> ResourceGroupsTaggingAPIClient:
        """Resource Groups Tagging API: resources of any service by their tags."""
        return self.session.client("resourcegroupstaggingapi", config=self._config)

    @cached_property
    def functions(self) -> LambdaClient:
        """AWS Lambda: the lease checker's function."""
        return self.session.client("lambda", config=self._invoke_config)

    def client(self, service: str) -> Any:
        """Client of any other service.

        Args:
            service: boto3's name of the service, such as "sts".
        """
        if service not in self._others:
            self._others[service] = self.session.client(cast("Any", service), config=self._config)
        return self._others[service]


@cache
def shared_clients() -> Clients:
    """Clients that all runs of one function environment share: to make them takes longer than a quiet check."""
    return Clients()


def seconds_left(context: object) -> Callable[[], float]:
    """Seconds that a function may still run, by Lambda's context; a minute from now without one."""
    end = time.monotonic() + _DEFAULT_SECONDS
    millis: Callable[[], float] | None = getattr(context, "get_remaining_time_in_millis", None)
    return (lambda: millis() / 1000) if millis else (lambda: end - time.monotonic())


@dataclass(frozen=True)
class AnnexAccess:
    """One annex in AWS: its identity, and the clients to act on it.

    Attributes:
        group: exact name of the Auto Scaling group.
        credential: ARN of the secret that a grant waits for; empty: a grant waits for none.
        clients: AWS clients.
        name: name of the annex; empty: instances are looked up by their group alone.
        id: id of the annex, which identifies instances that the group lost; empty: they are not found.
        topic: ARN of the topic for warnings; empty: none are published.
        seconds_left: returns the seconds that the run may still take. Default: nothing limits it.
        caps: declared values that no tag of the group can exceed. Default: none.
    """

    group: str
    credential: str
    clients: Clients
    name: str = ""
    id: str = ""
    topic: str = ""
    seconds_left: Callable[[], float] = lambda: math.inf
    caps: LeaseCaps = NO_CAPS

    @property
    def identity(self) -> Identity:
        """Identity that resources are compared with."""
        return Identity(self.name, self.id, self.group)


def read_group(annex: AnnexAccess) -> Group | None:
    """Describe the group of the annex; None if AWS says that no group has exactly this name.

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    pages = annex.clients.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
        AutoScalingGroupNames=[annex.group]
    )
    for page in pages:
        for described in page["AutoScalingGroups"]:
            # The request is exact already. This must never act on another group.
            if described["AutoScalingGroupName"] == annex.group:
                return group_from_api(described, annex.caps)
    return None


def group_from_api(described: AutoScalingGroupTypeDef, caps: LeaseCaps = NO_CAPS) -> Group:
    """A group from the form of DescribeAutoScalingGroups; facts that it does not hold are unknown."""
    return Group(
        name=described["AutoScalingGroupName"],
        created=described["CreatedTime"],
        min_size=described["MinSize"],
        max_size=described["MaxSize"],
        desired=described["DesiredCapacity"],
        tags=tags_from_api(described.get("Tags", [])),
        members=tuple(
            GroupMember(i["InstanceId"], i["LifecycleState"], i["ProtectedFromScaleIn"])
            for i in described.get("Instances", [])
        ),
        suspended=frozenset(p["ProcessName"] for p in described.get("SuspendedProcesses", [])),
        new_instances_protected=described.get("NewInstancesProtectedFromScaleIn", False),
        deletion_protected=described.get("DeletionProtection", "none") != "none",
        # A warm pool that is being deleted is still listed; to delete it again would do nothing.
        warm_pool=described.get("WarmPoolConfiguration", {}).get("Status") != "PendingDelete"
        and "WarmPoolConfiguration" in described,
        warm_pool_size=described.get("WarmPoolSize", 0),
        caps=caps,
    )


def list_instances(annex: AnnexAccess) -> tuple[Instance, ...]:
    """List the instances of the annex, in any state: those of its group, and those that were detached from it.

    Instances of the group carry its exact name in a tag that only EC2 Auto Scaling can write. A detached instance loses
    it and keeps the id of the annex (EC2 Auto Scaling User Guide, "Tag Auto Scaling groups and instances").

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    found: dict[str, Instance] = {}
    # EC2 has no filter for either tag of two: an instance that lost one of them is found by the other.
    for key, value in ((GROUP_TAG, annex.group), (TAG_ID, annex.id)):
        if not value:
            continue
        pages = annex.clients.ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": f"tag:{key}", "Values": [value]}], PaginationConfig={"PageSize": PAGE_SIZE}
        )
        for page in pages:
            for reservation in page["Reservations"]:
                listed = (_instance(instance, annex.identity) for instance in reservation["Instances"])
                found |= {instance.id: instance for instance in listed if instance is not None}
    return tuple(found.values())


def _instance(described: InstanceTypeDef, identity: Identity) -> Instance | None:
    tags = by_key_from_api(described.get("Tags", []))
    owner = identity.owner_of(tags)
    if not owner.ours:
        return None
    return Instance(
        described["InstanceId"],
        described["State"]["Name"],
        owner is Owner.MEMBER,
        tags.get(TAG_END),
        described.get("LaunchTime"),
    )
