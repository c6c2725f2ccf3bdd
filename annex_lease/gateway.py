"""Reading from AWS what a decision needs. A call that fails raises: only AWS says that a group is missing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from annex_lease.contract import tags_from_api
from annex_lease.observed import Group, Instance, Machine

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

GROUP_NAME_TAG = "aws:autoscaling:groupName"
"""The tag by which EC2 Auto Scaling marks the instances of a group; nobody else can write it."""

# Six attempts with jitter ride out throttling; the timeouts keep one dead connection from eating the whole run.
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 6}, connect_timeout=5, read_timeout=15)


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


@cache
def shared_clients() -> Clients:
    """The clients that all runs of one function environment share: making them takes longer than a quiet check."""
    return Clients()


@dataclass(frozen=True)
class Annex:
    """What one lease checker looks after: the exact name of a group and the ARN of a secret.

    An empty `credential` means that grants wait for no credential.
    """

    group: str
    credential: str
    clients: Clients


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
                return _group(described)
    return None


def _group(described: AutoScalingGroupTypeDef) -> Group:
    return Group(
        name=described["AutoScalingGroupName"],
        created=described["CreatedTime"],
        min_size=described["MinSize"],
        max_size=described["MaxSize"],
        desired=described["DesiredCapacity"],
        tags=tags_from_api(described.get("Tags", [])),
        instances=tuple(
            Instance(i["InstanceId"], i["LifecycleState"], i["ProtectedFromScaleIn"])
            for i in described.get("Instances", [])
        ),
        suspended=frozenset(p["ProcessName"] for p in described.get("SuspendedProcesses", [])),
        new_instances_protected=described.get("NewInstancesProtectedFromScaleIn", False),
    )


def list_machines(annex: Annex) -> tuple[Machine, ...]:
    """The instances that carry the group's exact name in the tag that EC2 Auto Scaling writes, in any state.

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    pages = annex.clients.ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": f"tag:{GROUP_NAME_TAG}", "Values": [annex.group]}]
    )
    return tuple(
        Machine(instance["InstanceId"], instance["State"]["Name"])
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
        # Filter values may hold wildcards, so the filter alone is not an exact comparison.
        if any(t["Key"] == GROUP_NAME_TAG and t["Value"] == annex.group for t in instance.get("Tags", []))
    )


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
