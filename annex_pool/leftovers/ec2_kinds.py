"""Kinds of EC2 resources that an annex consists of, and their direct listings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from annex_lease.ownership import STACK_NAME_TAG
from annex_lease.tags import TAG_NAME
from annex_pool.leftovers.leftover import ListedResource
from annex_pool.leftovers.listing import Listing, listed_instances, pages, tags_of
from annex_pool.region import RegionClients

_TAGGED = [{"Name": "tag-key", "Values": [TAG_NAME, STACK_NAME_TAG]}]
# EC2 keeps listing a resource for about an hour after its end.
_GONE = frozenset({"terminated", "deleted"})


@dataclass(frozen=True)
class Ec2Kind:
    """A kind of EC2 resource.

    Attributes:
        kind: its name in listings.
        arn_type: its type in an ARN.
        operation: the operation that lists it, by its name in boto3.
        key: key of the list in the answer.
        id_key: key of an item's id; its plural is the parameter that asks for single items.
        state_key: key of its state; empty: it has none.
        tags_key: key of its tags.
    """

    kind: str
    arn_type: str
    operation: str
    key: str
    id_key: str
    state_key: str = ""
    tags_key: str = "Tags"

    def listed(self, aws: RegionClients) -> Iterator[ListedResource]:
        """List those in the Region that carry the tag of an annex or of a stack."""
        yield from self._resources(aws, {"Filters": _TAGGED})

    def found(self, aws: RegionClients, resource_id: str) -> ListedResource | None:
        """The resource of this id, or None if it is gone; raises errors of botocore, also for an unknown id."""
        return next(self._resources(aws, {f"{self.id_key}s": [resource_id]}), None)

    def _resources(self, aws: RegionClients, request: Mapping[str, object]) -> Iterator[ListedResource]:
        for item in self._items(aws, request):
            reported: Any = item.get(self.state_key, "") if self.state_key else ""
            state = str(reported.get("Name", "") if isinstance(reported, Mapping) else reported)
            if state not in _GONE:
                yield ListedResource(self.kind, str(item[self.id_key]), state, tags_of(item.get(self.tags_key)))

    def _items(self, aws: RegionClients, request: Mapping[str, object]) -> Iterator[Mapping[str, Any]]:
        if self.arn_type == "instance":
            return listed_instances(aws, **request)
        return pages(aws.ec2, self.operation, self.key, **request)


EC2_KINDS = (
    Ec2Kind("instance", "instance", "describe_instances", "Reservations", "InstanceId", "State"),
    Ec2Kind("volume", "volume", "describe_volumes", "Volumes", "VolumeId", "State"),
    Ec2Kind(
        "network interface",
        "network-interface",
        "describe_network_interfaces",
        "NetworkInterfaces",
        "NetworkInterfaceId",
        "Status",
        "TagSet",
    ),
    Ec2Kind("address", "elastic-ip", "describe_addresses", "Addresses", "AllocationId"),
    Ec2Kind("launch template", "launch-template", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    Ec2Kind("security group", "security-group", "describe_security_groups", "SecurityGroups", "GroupId"),
    Ec2Kind("VPC", "vpc", "describe_vpcs", "Vpcs", "VpcId", "State"),
    Ec2Kind("subnet", "subnet", "describe_subnets", "Subnets", "SubnetId", "State"),
    Ec2Kind("route table", "route-table", "describe_route_tables", "RouteTables", "RouteTableId"),
    Ec2Kind(
        "internet gateway",
        "internet-gateway",
        "describe_internet_gateways",
        "InternetGateways",
        "InternetGatewayId",
    ),
)
"""All kinds of EC2 resources that an annex consists of."""

EC2_LISTINGS = tuple(Listing(kind.kind, kind.listed) for kind in EC2_KINDS)
"""Direct listings of EC2."""
