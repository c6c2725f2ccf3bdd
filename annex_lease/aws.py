"""Reading from AWS what a decision needs. A call that fails raises: only AWS says that a group is missing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from annex_lease.observed import Group, GroupMember, Instance
from annex_lease.tags import TAG_ID, TAG_NAME, tags_from_api

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import InstanceTypeDef
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient

GROUP_NAME_TAG = "aws:autoscaling:groupName"
"""The tag by which EC2 Auto Scaling marks the instances of a group; nobody else can write it."""

# Attempts with growing, jittered pauses ride out throttling (botocore, "standard" mode: up to 1, 2, 4, 8 s); the
# timeouts keep one dead connection from eating the whole run. What is left then is the next run's.
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=3, read_timeout=10)


class Clients:
    """The AWS clients of a run, each made when first used, for the function's own region and role."""

    @cached_property
    def autoscaling(self) -> AutoScalingClient:
        """The client for the group."""
        return boto3.client("autoscaling", config=_CONFIG)

    @cached_property
    def ec2(self) -> EC2Client:
        """The client for the instances."""
        return boto3.client("ec2", config=_CONFIG)

    @cached_property
    def secretsmanager(self) -> SecretsManagerClient:
        """The client for the credential's existence."""
        return boto3.client("secretsmanager", config=_CONFIG)

    @cached_property
    def sns(self) -> SNSClient:
        """The client for the warning before the end."""
        return boto3.client("sns", config=_CONFIG)


@cache
def shared_clients() -> Clients:
    """The clients that all runs of one function environment share: making them takes longer than a quiet check."""
    return Clients()


def endless() -> float:
    """The time that is left where nothing limits it."""
    return math.inf


@dataclass(frozen=True)
class Annex:
    """What one lease checker looks after, and with what.

    Attributes:
        group: the exact name of the Auto Scaling group.
        credential: the ARN of the secret that grants wait for; empty: they wait for none.
        clients: the AWS clients.
        name: the annex's name; empty: instances are looked for by their group alone.
        id: the annex's id, by which instances are known that the group lost; empty: they are not.
        topic: the ARN of the topic that warnings are published to; empty: none are.
        seconds_left: how long the run may still take.
    """

    group: str
    credential: str
    clients: Clients
    name: str = ""
    id: str = ""
    topic: str = ""
    seconds_left: Callable[[], float] = endless


def read_group(annex: Annex) -> Group | None:
    """The annex's group as AWS describes it now; None if AWS says that there is none of exactly this name.

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    pages = annex.clients.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
        AutoScalingGroupNames=[annex.group]
    )
    for page in pages:
        for described in page["AutoScalingGroups"]:
            # The request is exact already; acting on another group is the one thing this must never do.
            if described["AutoScalingGroupName"] == annex.group:
                return group_from_api(described)
    return None


def group_from_api(described: AutoScalingGroupTypeDef) -> Group:
    """A group as DescribeAutoScalingGroups describes it; the facts that it does not tell are unknown."""
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
        # One that is being deleted is still shown; to delete it again would do nothing.
        warm_pool=described.get("WarmPoolConfiguration", {}).get("Status") != "PendingDelete"
        and "WarmPoolConfiguration" in described,
        warm_pool_size=described.get("WarmPoolSize", 0),
    )


def list_instances(annex: Annex) -> tuple[Instance, ...]:
    """The instances of the annex, in any state: those of its group, and those that were detached from it.

    The group's own carry its exact name in a tag that only EC2 Auto Scaling can write; detaching takes it away, and
    the annex's id stays (EC2 Auto Scaling User Guide, "Tag Auto Scaling groups and instances").

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    pages = annex.clients.ec2.get_paginator("describe_instances").paginate(
        Filters=[
            {"Name": f"tag:{TAG_NAME}", "Values": [annex.name]}
            if annex.name
            else {"Name": f"tag:{GROUP_NAME_TAG}", "Values": [annex.group]}
        ]
    )
    found = (
        _instance(instance, annex)
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    )
    return tuple(machine for machine in found if machine is not None)


def _instance(instance: InstanceTypeDef, annex: Annex) -> Instance | None:
    # Filter values may hold wildcards, and other annexes may have the same name: the filter alone is no comparison.
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    member = tags.get(GROUP_NAME_TAG) == annex.group
    if not member and (not annex.id or tags.get(TAG_ID) != annex.id):
        return None
    return Instance(instance["InstanceId"], instance["State"]["Name"], member)


def credential_present(annex: Annex) -> bool:
    """Whether the credential has a current value. The value itself is never read: the function may not.

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing; the secret does not exist.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    if not annex.credential:
        return True
    secret = annex.clients.secretsmanager.describe_secret(SecretId=annex.credential)
    stages = secret.get("VersionIdsToStages") or {}
    return "DeletedDate" not in secret and any("AWSCURRENT" in names for names in stages.values())
