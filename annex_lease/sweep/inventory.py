"""Listing of all resources with an annex's tag in the function's own Region, through all pages.

The filters of AWS only narrow a listing: that of ListSecrets matches prefixes, for example. The key is compared here.
A listing that fails is a failure, never an empty list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.aws import Clients, group_from_api
from annex_lease.observed import Group
from annex_lease.ownership import by_key_from_api
from annex_lease.sweep.resources import Inventory, ResourceKind, Stack, TaggedResource, log_group_name
from annex_lease.tags import TAG_NAME

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef

_T = TypeVar("_T")
_TAGGED: list[FilterTypeDef] = [{"Name": "tag-key", "Values": [TAG_NAME]}]


def take_inventory(clients: Clients) -> Inventory:
    """List groups, stacks and tagged resources.

    Raises:
        botocore.exceptions.ClientError: the groups could not be listed. Other failures are in the inventory.
        botocore.exceptions.BotoCoreError: likewise.
    """
    failures: list[str] = []
    groups = tuple(_groups(clients))
    instances = _listed("the instances", lambda: _instances(clients), failures)
    stacks = _listed("the stacks", lambda: _stacks(clients), failures)
    others: tuple[TaggedResource, ...] | None = ()
    for what, list_all in (
        ("the volumes", _volumes),
        ("the network interfaces", _interfaces),
        ("the secrets", _secrets),
        ("the log groups", _log_groups),
    ):
        found = _listed(what, lambda list_all=list_all: list_all(clients), failures)  # type: ignore[misc]
        others = None if others is None or found is None else others + found
    return Inventory(groups, instances, others, stacks, tuple(failures))


def _listed(what: str, list_all: Callable[[], Iterable[_T]], failures: list[str]) -> tuple[_T, ...] | None:
    try:
        return tuple(list_all())
    except (BotoCoreError, ClientError) as error:
        failures.append(f"{what} could not be listed: {error}")
        return None


def _tagged(
    kind: ResourceKind, listed: Iterable[tuple[str, Iterable[Mapping[str, object]], datetime | None, str]]
) -> Iterator[TaggedResource]:
    """Resources with the tag `annex:name`, of ids, tags, times of creation and states."""
    for id, described, created, state in listed:
        tags = by_key_from_api(described)
        if TAG_NAME in tags:
            yield TaggedResource(kind, id, tags, created, state)


def _groups(clients: Clients) -> Iterator[Group]:
    for page in clients.autoscaling.get_paginator("describe_auto_scaling_groups").paginate():
        yield from map(group_from_api, page["AutoScalingGroups"])


def _stacks(clients: Clients) -> Iterator[Stack]:
    for page in clients.cloudformation.get_paginator("describe_stacks").paginate():
        for each in page["Stacks"]:
            tags = by_key_from_api(each.get("Tags", []))
            yield Stack(each["StackName"], each["StackId"], each["StackStatus"], each["CreationTime"], tags)


def _instances(clients: Clients) -> Iterator[TaggedResource]:
    pages = clients.ec2.get_paginator("describe_instances").paginate(Filters=_TAGGED)
    listed = (
        (i["InstanceId"], i.get("Tags", []), i["LaunchTime"], i["State"]["Name"])
        for page in pages
        for reservation in page["Reservations"]
        for i in reservation["Instances"]
    )
    return _tagged(ResourceKind.INSTANCE, listed)


def _volumes(clients: Clients) -> Iterator[TaggedResource]:
    pages = clients.ec2.get_paginator("describe_volumes").paginate(Filters=_TAGGED)
    listed = (
        (v["VolumeId"], v.get("Tags", []), v["CreateTime"], v["State"]) for page in pages for v in page["Volumes"]
    )
    return _tagged(ResourceKind.VOLUME, listed)


def _interfaces(clients: Clients) -> Iterator[TaggedResource]:
    pages = clients.ec2.get_paginator("describe_network_interfaces").paginate(Filters=_TAGGED)
    listed = (
        # AWS does not report when an interface was made.
        (i["NetworkInterfaceId"], i.get("TagSet", []), None, i["Status"])
        for page in pages
        for i in page["NetworkInterfaces"]
    )
    return _tagged(ResourceKind.INTERFACE, listed)


def _secrets(clients: Clients) -> Iterator[TaggedResource]:
    # Secrets that wait for their deletion are not listed.
    pages = clients.secretsmanager.get_paginator("list_secrets").paginate(
        Filters=[{"Key": "tag-key", "Values": [TAG_NAME]}]
    )
    listed = ((s["ARN"], s.get("Tags", []), s.get("CreatedDate"), "") for page in pages for s in page["SecretList"])
    return _tagged(ResourceKind.SECRET, listed)


def _log_groups(clients: Clients) -> Iterator[TaggedResource]:
    pages = clients.tagging.get_paginator("get_resources").paginate(
        TagFilters=[{"Key": TAG_NAME}], ResourceTypeFilters=["logs:log-group"]
    )
    listed = (
        (found["ResourceARN"].removesuffix(":*"), found.get("Tags", []), None, "")
        for page in pages
        for found in page["ResourceTagMappingList"]
    )
    # The tagging service still lists what was just deleted, so CloudWatch Logs itself is asked.
    tagged = _tagged(ResourceKind.LOG_GROUP, listed)
    return (resource for resource in tagged if _log_group_exists(log_group_name(resource.id), clients))


def _log_group_exists(name: str, clients: Clients) -> bool:
    pages = clients.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    return any(found["logGroupName"] == name for page in pages for found in page["logGroups"])
