"""Marking and removing one resource with the AWS API. Every call may be repeated; what is gone already is no error."""

from __future__ import annotations

from datetime import datetime

from botocore.exceptions import ClientError

from annex_lease.sweep.clients import SweepClients
from annex_lease.sweep.identity import log_group_name
from annex_lease.sweep.marks import TAG_ORPHAN
from annex_lease.sweep.resources import Kind, Resource
from annex_lease.tags import format_time

RECOVERY_DAYS = 7
"""How long a removed secret can be restored: the shortest time that Secrets Manager offers."""

_GONE = frozenset(
    {
        "InvalidInstanceID.NotFound",
        "InvalidVolume.NotFound",
        "InvalidNetworkInterfaceID.NotFound",
        "ResourceNotFoundException",
    }
)


def remove(resource: Resource, clients: SweepClients) -> None:
    """Remove one orphan that is not a group.

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
        ValueError: the resource is a group: a group is ended, not removed.
    """
    try:
        if resource.kind is Kind.INSTANCE:
            clients.ec2.terminate_instances(InstanceIds=[resource.id])
        elif resource.kind is Kind.VOLUME:
            clients.ec2.delete_volume(VolumeId=resource.id)
        elif resource.kind is Kind.INTERFACE:
            clients.ec2.delete_network_interface(NetworkInterfaceId=resource.id)
        elif resource.kind is Kind.SECRET:
            clients.secretsmanager.delete_secret(SecretId=resource.id, RecoveryWindowInDays=RECOVERY_DAYS)
        elif resource.kind is Kind.LOG_GROUP:
            clients.logs.delete_log_group(logGroupName=log_group_name(resource.id))
        else:
            raise ValueError(f"{resource.kind.value} {resource.id} cannot be removed; end it instead")
    except ClientError as error:
        _unless_gone(error)


def mark(resource: Resource, now: datetime, clients: SweepClients) -> None:
    """Write on a resource that it is an orphan since now.

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    since = format_time(now)
    try:
        if resource.kind is Kind.GROUP:
            clients.autoscaling.create_or_update_tags(
                Tags=[
                    {
                        "ResourceId": resource.id,
                        "ResourceType": "auto-scaling-group",
                        "Key": TAG_ORPHAN,
                        "Value": since,
                        "PropagateAtLaunch": False,
                    }
                ]
            )
        elif resource.kind is Kind.SECRET:
            clients.secretsmanager.tag_resource(SecretId=resource.id, Tags=[{"Key": TAG_ORPHAN, "Value": since}])
        elif resource.kind is Kind.LOG_GROUP:
            clients.logs.tag_resource(resourceArn=resource.id, tags={TAG_ORPHAN: since})
        else:
            clients.ec2.create_tags(Resources=[resource.id], Tags=[{"Key": TAG_ORPHAN, "Value": since}])
    except ClientError as error:
        _unless_gone(error)


def unmark(resource: Resource, clients: SweepClients) -> None:
    """Take the mark from a resource that turned out to be none.

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    try:
        if resource.kind is Kind.GROUP:
            clients.autoscaling.delete_tags(
                Tags=[{"ResourceId": resource.id, "ResourceType": "auto-scaling-group", "Key": TAG_ORPHAN}]
            )
        elif resource.kind is Kind.SECRET:
            clients.secretsmanager.untag_resource(SecretId=resource.id, TagKeys=[TAG_ORPHAN])
        elif resource.kind is Kind.LOG_GROUP:
            clients.logs.untag_resource(resourceArn=resource.id, tagKeys=[TAG_ORPHAN])
        else:
            clients.ec2.delete_tags(Resources=[resource.id], Tags=[{"Key": TAG_ORPHAN}])
    except ClientError as error:
        _unless_gone(error)


def _unless_gone(error: ClientError) -> None:
    if error.response["Error"]["Code"] not in _GONE:
        raise error
