"""The network that annexes of one Region and account share, as a CloudFormation stack."""

from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import (
    Acknowledgment,
    CrossStackReferences,
    Environment,
    Fn,
    ReferenceStrength,
    Stack,
    Tags,
    Validations,
)
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from annex_constructs import AnnexNetwork
from annex_lease.collectors import needs_ipv6
from annex_lease.forms import SHARED_NETWORK
from annex_spec import AnnexSpec, PoolSpec
from stacks.base_stack import tag_resources
from stacks.places import stack_places

_PREFIX = "AnnexNetwork"
_OVER_OTHERS = 200  # the priority of a tag is 100 by default


class AnnexNetworkStack(Stack):
    """One small VPC for several annexes of a Region and account: `AnnexNetwork-<region>`.

    `cdk deploy Annex-<name>` deploys it first. It belongs to no annex, so it has no tag of one: neither the sweeper nor
    `annex leftovers` takes it for what an annex left. It costs nothing while no instance runs in it.

    An annex refers to it by exports. CloudFormation neither deletes a stack nor changes an export that another stack
    imports (CloudFormation Template Reference, "Fn::ImportValue"). With weak references, the default of this app, it
    would take the routes away from running instances before EC2 refuses to delete the VPC.

    :param region: the Region.
    :param account: the account. Default: - that of the credentials in use.
    :param ipv6: whether the subnets are dual-stack. Default: False.
    :param tags_of_resources: tags of an organisation on the resources. Default: - none.
    :param construct_id: the stack's id. Default: - `AnnexNetwork-<region>`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str | None = None,
        *,
        region: str,
        account: str | None = None,
        ipv6: bool = False,
        tags_of_resources: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            scope,
            construct_id or f"{_PREFIX}-{region}",
            stack_name=f"{_PREFIX}-{region}",
            description="HTCondor annexes: the network that annexes of this Region share",
            env=Environment(account=account, region=region),
        )
        self._vpc = AnnexNetwork(self, "Network", ipv6=ipv6).vpc
        for each in (self._vpc, *self._vpc.public_subnets):
            CrossStackReferences.of(each).produce(ReferenceStrength.STRONG)
        tag_resources(self, tags_of_resources or {})
        # Over the CDK's own, a path that begins with the id: two stacks that may be one differ in that alone.
        Tags.of(self).add("Name", self.stack_name, priority=_OVER_OTHERS, exclude_resource_types=["aws:cdk:stack"])

    @property
    def vpc(self) -> ec2.IVpc:
        """The VPC."""
        return self._vpc

    @property
    def availability_zones(self) -> list[str]:
        """Two zones, named by CloudFormation at deployment: asking for their names at synthesis needs credentials."""
        return two_zones()


def two_zones() -> list[str]:
    """The first two availability zones of the Region and account of a deployment."""
    return [Fn.select(0, Fn.get_azs()), Fn.select(1, Fn.get_azs())]


def imported_subnet(scope: Construct, construct_id: str, subnet_id: str) -> ec2.ISubnet:
    """A subnet by its id alone: a look-up needs credentials.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param subnet_id: id of the subnet.
    """
    subnet = ec2.Subnet.from_subnet_id(scope, construct_id, subnet_id)
    reason = "No route is added to the subnet, so its route table need not be known."
    warning = "@aws-cdk/aws-ec2:noSubnetRouteTableId"
    Validations.of(subnet).acknowledge(Acknowledgment(id=warning, reason=reason))
    return subnet


def network_stacks(scope: Construct, pool: PoolSpec, annexes: Iterable[AnnexSpec]) -> dict[str, AnnexNetworkStack]:
    """The stack of the shared network of each annex that shares one, by the annex's name.

    :param scope: parent construct.
    :param pool: the pool of the spec file.
    :param annexes: the annexes of the spec file.
    """
    sharing = [annex for annex in annexes if annex.vpc == SHARED_NETWORK]
    found: dict[str, AnnexNetworkStack] = {}
    for place in stack_places(sharing):
        stack = AnnexNetworkStack(
            scope,
            place.construct_id(_PREFIX),
            region=place.region,
            account=place.account,
            ipv6=needs_ipv6(pool.collector) or any(annex.ipv6 for annex in place.alike),
            tags_of_resources=_common_tags([annex.tags for annex in place.alike]),
        )
        found |= {annex.name: stack for annex in place.annexes}
    return found


def _common_tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The tags that all have, with the same value."""
    first, *others = tags
    return {key: value for key, value in first.items() if all(each.get(key) == value for each in others)}
