"""Listing of groups, stacks and tagged resources in the function's own Region, page by page.

The number of calls depends on the number of pages, and on the annexes whose lease is over; not on those that live.
The filters of AWS only narrow a listing: that of ListSecrets matches prefixes, for example. The keys are compared here.
A listing that fails is a failure, never an empty list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from sys import intern
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.aws import PAGE_SIZE, Clients, group_from_api
from annex_lease.observed import Group
from annex_lease.ownership import GROUP_TAG, STACK_ID_TAG, STACK_NAME_TAG, annex_id, by_key, by_key_from_api
from annex_lease.sweep.resources import Inventory, ResourceKind, Stack, TaggedResource, log_group_name
from annex_lease.tags import TAG_ID, TAG_NAME

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import FilterTypeDef

_T = TypeVar("_T")
_Described = tuple[str, Iterable[Mapping[str, object]], datetime | None, str]
_OURS = (TAG_NAME, TAG_ID)
_TAGGED: list[FilterTypeDef] = [{"Name": "tag-key", "Values": list(_OURS)}]
_KEPT_TAGS = frozenset({GROUP_TAG, STACK_ID_TAG, STACK_NAME_TAG, "Name"})
# EC2 answers about 200 values of filters in one call with FilterLimitExceeded.
_FILTER_VALUES = 100
# The largest pages that the API references of DescribeAutoScalingGroups, ListSecrets, GetResources and
# DescribeLogGroups allow. DescribeStacks has no page size.
_GROUP_PAGE, _SECRET_PAGE, _TAGGING_PAGE, _LOG_PAGE = 100, 100, 100, 50

INSTANCES_OVER = "the instances of annexes whose lease is over"
"""Name of a listing in reports."""
LOG_GROUPS = "the log groups"
"""Name of a listing in reports."""


class RegionReader:
    """Reader of one Region, for one run of the sweeper."""

    def __init__(self, clients: Clients) -> None:
        """Keep the clients; nothing is asked of AWS yet."""
        self._clients = clients

    def groups(self) -> tuple[Group, ...]:
        """All Auto Scaling groups, of annexes or not.

        Raises:
            botocore.exceptions.ClientError: AWS refused or kept failing.
            botocore.exceptions.BotoCoreError: AWS could not be reached.
        """
        pages = self._clients.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
            PaginationConfig={"PageSize": _GROUP_PAGE}
        )
        return tuple(group_from_api(each) for page in pages for each in page["AutoScalingGroups"])

    def instances_of(self, groups: Sequence[Group]) -> Iterator[TaggedResource]:
        """Instances of these groups, and those with the ids of their annexes; one can be listed twice.

        Raises:
            botocore.exceptions.ClientError: AWS refused or kept failing.
            botocore.exceptions.BotoCoreError: AWS could not be reached.
        """
        ids = {annex_id(by_key(group.tags)) for group in groups} - {""}
        for key, values in ((GROUP_TAG, [group.name for group in groups]), (TAG_ID, sorted(ids))):
            for start in range(0, len(values), _FILTER_VALUES):
                some = values[start : start + _FILTER_VALUES]
                yield from _instances(self._clients, [{"Name": f"tag:{key}", "Values": some}])

    def inventory(self, groups: tuple[Group, ...]) -> Inventory:
        """Stacks and tagged resources, with these groups. Listings that failed are named in it.

        Args:
            groups: the groups as listed. Resources are listed later: one that is not listed then has no resources yet.
        """
        clients = self._clients
        failures: dict[str, str] = {}
        instances = listed("the instances", lambda: _instances(clients, _TAGGED), failures)
        stacks = listed("the stacks", lambda: _stacks(clients), failures)
        others: tuple[TaggedResource, ...] | None = ()
        for what, list_all in (
            ("the volumes", _volumes),
            ("the network interfaces", _interfaces),
            ("the secrets", _secrets),
            (LOG_GROUPS, _log_groups),
        ):
            found = listed(what, lambda list_all=list_all: list_all(clients), failures)  # type: ignore[misc]
            others = None if others is None or found is None else others + found
        return Inventory(groups, instances, others, stacks, failures)

    def existing(self, log_groups: Iterable[TaggedResource]) -> Iterator[TaggedResource]:
        """Those of these log groups that exist: the tagging service still lists what was just deleted.

        Raises:
            botocore.exceptions.ClientError: AWS refused or kept failing.
            botocore.exceptions.BotoCoreError: AWS could not be reached.
        """
        paginator = self._clients.logs.get_paginator("describe_log_groups")
        for each in log_groups:
            name = log_group_name(each.id)
            pages = paginator.paginate(logGroupNamePrefix=name, PaginationConfig={"PageSize": _LOG_PAGE})
            if any(found["logGroupName"] == name for page in pages for found in page["logGroups"]):
                yield each


def listed(what: str, list_all: Callable[[], Iterable[_T]], failures: dict[str, str]) -> tuple[_T, ...] | None:
    """Everything that `list_all` yields; None if it fails, and `failures` has the error under `what`."""
    try:
        return tuple(list_all())
    except (BotoCoreError, ClientError) as error:
        failures[what] = str(error)
        return None


def _tagged(kind: ResourceKind, described: Iterable[_Described]) -> Iterator[TaggedResource]:
    """Resources with one of our two tags, of ids, tags, times of creation and states.

    Many resources have the same few tags: each text is kept once, and no other tag is.
    """
    for id, tags, created, state in described:
        kept = {
            intern(key): intern(value)
            for key, value in by_key_from_api(tags).items()
            if key in _KEPT_TAGS or key.startswith("annex:")
        }
        if not kept.keys().isdisjoint(_OURS):
            yield TaggedResource(kind, id, kept, created, intern(state))


def _stacks(clients: Clients) -> Iterator[Stack]:
    for page in clients.cloudformation.get_paginator("describe_stacks").paginate():
        for each in page["Stacks"]:
            described = each["StackName"], each["StackId"], each["StackStatus"], each["CreationTime"]
            yield Stack(*described, each.get("Description", ""))


def _instances(clients: Clients, filters: list[FilterTypeDef]) -> Iterator[TaggedResource]:
    pages = clients.ec2.get_paginator("describe_instances").paginate(
        Filters=filters, PaginationConfig={"PageSize": PAGE_SIZE}
    )
    described = (
        (i["InstanceId"], i.get("Tags", []), i["LaunchTime"], i["State"]["Name"])
        for page in pages
        for reservation in page["Reservations"]
        for i in reservation["Instances"]
    )
    return _tagged(ResourceKind.INSTANCE, described)


def _volumes(clients: Clients) -> Iterator[TaggedResource]:
    pages = clients.ec2.get_paginator("describe_volumes").paginate(
        Filters=_TAGGED, PaginationConfig={"PageSize": PAGE_SIZE}
    )
    described = (
        (v["VolumeId"], v.get("Tags", []), v["CreateTime"], v["State"]) for page in pages for v in page["Volumes"]
    )
    return _tagged(ResourceKind.VOLUME, described)


def _interfaces(clients: Clients) -> Iterator[TaggedResource]:
    pages = clients.ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=_TAGGED, PaginationConfig={"PageSize": PAGE_SIZE}
    )
    described = (
        # AWS does not report when an interface was made.
        (i["NetworkInterfaceId"], i.get("TagSet", []), None, i["Status"])
        for page in pages
        for i in page["NetworkInterfaces"]
    )
    return _tagged(ResourceKind.INTERFACE, described)


def _secrets(clients: Clients) -> Iterator[TaggedResource]:
    # Secrets that wait for their deletion are not listed.
    paginator = clients.secretsmanager.get_paginator("list_secrets")
    described = (
        (s["ARN"], s.get("Tags", []), s.get("CreatedDate"), "")
        for key in _OURS
        for page in paginator.paginate(
            Filters=[{"Key": "tag-key", "Values": [key]}], PaginationConfig={"PageSize": _SECRET_PAGE}
        )
        for s in page["SecretList"]
    )
    return _once(_tagged(ResourceKind.SECRET, described))


def _log_groups(clients: Clients) -> Iterator[TaggedResource]:
    # DescribeLogGroups lists no tags, so it would take a call for each log group. Several filters of GetResources
    # select what has all the keys, so it takes a listing for each key.
    paginator = clients.tagging.get_paginator("get_resources")
    described = (
        (found["ResourceARN"].removesuffix(":*"), found.get("Tags", []), None, "")
        for key in _OURS
        for page in paginator.paginate(
            TagFilters=[{"Key": key}],
            ResourceTypeFilters=["logs:log-group"],
            PaginationConfig={"PageSize": _TAGGING_PAGE},
        )
        for found in page["ResourceTagMappingList"]
    )
    return _once(_tagged(ResourceKind.LOG_GROUP, described))


def _once(resources: Iterable[TaggedResource]) -> Iterator[TaggedResource]:
    """Each resource once: the listings by the two keys overlap."""
    seen: set[str] = set()
    for each in resources:
        if each.id not in seen:
            seen.add(each.id)
            yield each
