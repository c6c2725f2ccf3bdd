"""AWS calls that mark, unmark and remove one resource. Each may be repeated; a resource that is gone is no error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from annex_lease.aws import Clients
from annex_lease.sweep.resources import ResourceKind, TaggedResource, log_group_name
from annex_lease.tags import TAG_ORPHAN, format_time, group_tag

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import TagTypeDef

RECOVERY_DAYS = 7
"""Days in which a removed secret can be restored: the minimum of Secrets Manager."""

_GONE = frozenset(
    {
        "InvalidInstanceID.NotFound",
        "InvalidVolume.NotFound",
        "InvalidNetworkInterfaceID.NotFound",
        "ResourceNotFoundException",
    }
)


def remove(resource: TaggedResource, clients: Clients) -> None:
    """Remove one orphan that is not a group.

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
        ValueError: the resource is a group: a group is ended, not removed.
    """
    with _gone_is_fine():
        if resource.kind is ResourceKind.INSTANCE:
            clients.ec2.terminate_instances(InstanceIds=[resource.id])
        elif resource.kind is ResourceKind.VOLUME:
            clients.ec2.delete_volume(VolumeId=resource.id)
        elif resource.kind is ResourceKind.INTERFACE:
            clients.ec2.delete_network_interface(NetworkInterfaceId=resource.id)
        elif resource.kind is ResourceKind.SECRET:
            clients.secretsmanager.delete_secret(SecretId=resource.id, RecoveryWindowInDays=RECOVERY_DAYS)
        elif resource.kind is ResourceKind.LOG_GROUP:
            clients.logs.delete_log_group(logGroupName=log_group_name(resource.id))
        else:
            raise ValueError(f"{resource.kind.value} {resource.id} cannot be removed; end it instead")


def mark(resource: TaggedResource, now: datetime, clients: Clients) -> None:
    """Write the mark of an orphan on a resource, with the current time.

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    since = format_time(now)
    with _gone_is_fine():
        if resource.kind is ResourceKind.GROUP:
            tag = cast("TagTypeDef", group_tag(TAG_ORPHAN, since).to_api(resource.id))
            clients.autoscaling.create_or_update_tags(Tags=[tag])
        elif resource.kind is ResourceKind.SECRET:
            clients.secretsmanager.tag_resource(SecretId=resource.id, Tags=[{"Key": TAG_ORPHAN, "Value": since}])
        elif resource.kind is ResourceKind.LOG_GROUP:
            clients.logs.tag_resource(resourceArn=resource.id, tags={TAG_ORPHAN: since})
        else:
            clients.ec2.create_tags(Resources=[resource.id], Tags=[{"Key": TAG_ORPHAN, "Value": since}])


def unmark(resource: TaggedResource, clients: Clients) -> None:
    """Delete the mark of a resource that is not an orphan.

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    with _gone_is_fine():
        if resource.kind is ResourceKind.GROUP:
            clients.autoscaling.delete_tags(
                Tags=[{"ResourceId": resource.id, "ResourceType": "auto-scaling-group", "Key": TAG_ORPHAN}]
            )
        elif resource.kind is ResourceKind.SECRET:
            clients.secretsmanager.untag_resource(SecretId=resource.id, TagKeys=[TAG_ORPHAN])
        elif resource.kind is ResourceKind.LOG_GROUP:
            clients.logs.untag_resource(resourceArn=resource.id, tagKeys=[TAG_ORPHAN])
        else:
            clients.ec2.delete_tags(Resources=[resource.id], Tags=[{"Key": TAG_ORPHAN}])


@contextmanager
def _gone_is_fine() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
