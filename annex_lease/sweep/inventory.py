"""Listing of all resources with an annex's tag in the function's own Region, to the last page.

The filters of AWS only narrow a listing: that of ListSecrets matches prefixes, for example. The key is compared here.
A listing that fails is a failure, never an empty list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.aws import group_from_api
from annex_lease.observed import Group
from annex_lease.sweep.clients import SweepClients
from annex_lease.sweep.resources import Inventory, ResourceKind, Stack, TaggedResource, log_group_name
from annex_lease.tags import TAG_NAME

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef

_T = TypeVar("_T")
_TAGGED: list[FilterTypeDef] = [{"Name": "tag-key", "Values": [TAG_NAME]}]


def take_inventory(clients: SweepClients) -> Inventory:
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


def _tagged(found: Iterable[TaggedResource]) -> Iterator[TaggedResource]:
    return (resource for resource in found if TAG_NAME in resource.tags)


def _tags(listed: Iterable[Mapping[str, object]]) -> dict[str, str]:
    return {str(tag["Key"]): str(tag.get("Value") or "") for tag in listed}


def _groups(clients: SweepClients) -> Iterator[Group]:
    for page in clients.autoscaling.get_paginator("describe_auto_scaling_groups").paginate():
        yield from map(group_from_api, page["AutoScalingGroups"])


def _stacks(clients: SweepClients) -> Iterator[Stack]:
    for page in clients.cloudformation.get_paginator("describe_stacks").paginate():
        for each in page["Stacks"]:
            tags = _tags(each.get("Tags", []))
            yield Stack(each["StackName"], each["StackId"], each["StackStatus"], each["CreationTime"], tags)


def _instances(clients: SweepClients) -> Iterator[TaggedResource]:
    pages = clients.ec2.get_paginator("describe_instances").paginate(Filters=_TAGGED)
    return _tagged(
        TaggedResource(
            ResourceKind.INSTANCE, i["InstanceId"], _tags(i.get("Tags", [])), i["LaunchTime"], i["State"]["Name"]
        )
        for page in pages
        for reservation in page["Reservations"]
        for i in reservation["Instances"]
    )


def _volumes(clients: SweepClients) -> Iterator[TaggedResource]:
    pages = clients.ec2.get_paginator("describe_volumes").paginate(Filters=_TAGGED)
    return _tagged(
        TaggedResource(ResourceKind.VOLUME, v["VolumeId"], _tags(v.get("Tags", [])), v["CreateTime"], v["State"])
        for page in pages
        for v in page["Volumes"]
    )


def _interfaces(clients: SweepClients) -> Iterator[TaggedResource]:
    pages = clients.ec2.get_paginator("describe_network_interfaces").paginate(Filters=_TAGGED)
    return _tagged(
        # AWS does not report when an interface was made.
        TaggedResource(ResourceKind.INTERFACE, i["NetworkInterfaceId"], _tags(i.get("TagSet", [])), None, i["Status"])
        for page in pages
        for i in page["NetworkInterfaces"]
    )


def _secrets(clients: SweepClients) -> Iterator[TaggedResource]:
    # Secrets that wait for their deletion are not listed.
    pages = clients.secretsmanager.get_paginator("list_secrets").paginate(
        Filters=[{"Key": "tag-key", "Values": [TAG_NAME]}]
    )
    return _tagged(
        TaggedResource(ResourceKind.SECRET, s["ARN"], _tags(s.get("Tags", [])), s.get("CreatedDate"))
        for page in pages
        for s in page["SecretList"]
    )


def _log_groups(clients: SweepClients) -> Iterator[TaggedResource]:
    pages = clients.tagging.get_paginator("get_resources").paginate(
        TagFilters=[{"Key": TAG_NAME}], ResourceTypeFilters=["logs:log-group"]
    )
    listed = _tagged(
        TaggedResource(ResourceKind.LOG_GROUP, found["ResourceARN"].removesuffix(":*"), _tags(found.get("Tags", [])))
        for page in pages
        for found in page["ResourceTagMappingList"]
    )
    # The tagging service still lists what was just deleted, so CloudWatch Logs itself is asked.
    return (resource for resource in listed if _log_group_exists(log_group_name(resource.id), clients))


def _log_group_exists(name: str, clients: SweepClients) -> bool:
    pages = clients.logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    return any(found["logGroupName"] == name for page in pages for found in page["logGroups"])
