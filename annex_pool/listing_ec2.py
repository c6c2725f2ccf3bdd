"""The kinds of EC2 resource that an annex is made of, and how each of them is listed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from annex_lease.tags import TAG_NAME
from annex_pool.aws import Aws
from annex_pool.leftover import STACK_TAG, Resource
from annex_pool.listing import Listing, pages, tags_of

_TAGGED = [{"Name": "tag-key", "Values": [TAG_NAME, STACK_TAG]}]
# EC2 lists what is gone for about an hour more.
_GONE = frozenset({"terminated", "deleted"})


@dataclass(frozen=True)
class Ec2Kind:
    """A kind of EC2 resource.

    Attributes:
        kind: what it is called here.
        arn_type: its type in an ARN.
        operation: what lists it.
        key: the list in the answer.
        id_key: the key of an item's id; also, in the plural, the parameter that asks for single ones.
        state_key: the key of its state; empty: it has none.
        tags_key: the key of its tags.
    """

    kind: str
    arn_type: str
    operation: str
    key: str
    id_key: str
    state_key: str = ""
    tags_key: str = "Tags"

    def listed(self, aws: Aws) -> Iterator[Resource]:
        """All that carry the tag of an annex or of a stack, in the Region of these clients."""
        yield from self._resources(aws, {"Filters": _TAGGED})

    def found(self, aws: Aws, resource_id: str) -> Resource | None:
        """The one of this id, or None if it is gone; raises what botocore raises, also for an id that is unknown."""
        return next(self._resources(aws, {f"{self.id_key}s": [resource_id]}), None)

    def _resources(self, aws: Aws, request: Mapping[str, object]) -> Iterator[Resource]:
        for item in self._items(aws, request):
            said: Any = item.get(self.state_key, "") if self.state_key else ""
            state = str(said.get("Name", "") if isinstance(said, Mapping) else said)
            if state not in _GONE:
                yield Resource(self.kind, str(item[self.id_key]), state, tags_of(item.get(self.tags_key)))

    def _items(self, aws: Aws, request: Mapping[str, object]) -> Iterator[Mapping[str, Any]]:
        listed = pages(aws.ec2, self.operation, self.key, **request)
        if self.arn_type != "instance":
            return listed
        return (instance for reservation in listed for instance in reservation["Instances"])


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
"""Everything of EC2 that an annex is made of."""

EC2_LISTINGS = tuple(Listing(kind.kind, kind.listed) for kind in EC2_KINDS)
"""The direct listings of EC2."""
