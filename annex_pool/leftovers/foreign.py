"""Resources of others in an annex's own VPC: AWS deletes no VPC that holds one, so `cdk destroy` fails.

Amazon GuardDuty, for instance, puts an endpoint and a security group into every VPC of an account (its User Guide,
"Runtime Monitoring"). They carry no tag of the annex, and CloudFormation does not name them when it fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from annex_lease.ownership import claimed_name
from annex_pool.leftovers.leftover import Leftover, ListedResource
from annex_pool.leftovers.listing import pages, tags_of
from annex_pool.region import RegionClients

# Kind, operation, key of the list, keys of the id, the state and the tags.
_KINDS = (
    ("VPC endpoint", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "State", "Tags"),
    ("security group", "describe_security_groups", "SecurityGroups", "GroupId", "", "Tags"),
    (
        "network interface",
        "describe_network_interfaces",
        "NetworkInterfaces",
        "NetworkInterfaceId",
        "InterfaceType",
        "TagSet",
    ),
)


def foreign_in(aws: RegionClients, found: Iterable[Leftover]) -> Iterator[Leftover]:
    """Resources of others in the VPCs among the leftovers, each as a leftover of the annex by its network.

    Args:
        aws: clients of the Region of the leftovers.
        found: leftovers that were listed by their own tags, stacks or names.

    Raises:
        botocore.exceptions.ClientError: AWS refused a listing.
        botocore.exceptions.BotoCoreError: AWS did not answer.
    """
    for vpc in [each for each in found if each.resource.kind == "VPC"]:
        for resource in _listed(aws, vpc.resource.id):
            yield Leftover(vpc.annex, vpc.region, resource, "network")


def _listed(aws: RegionClients, vpc: str) -> Iterator[ListedResource]:
    for kind, operation, key, id_key, state_key, tags_key in _KINDS:
        for item in pages(aws.ec2, operation, key, Filters=[{"Name": "vpc-id", "Values": [vpc]}]):
            tags = tags_of(item.get(tags_key))
            # The group "default" is part of every VPC.
            if claimed_name(tags) is None and item.get("GroupName") != "default":
                yield ListedResource(kind, str(item[id_key]), str(item.get(state_key, "")), tags)
