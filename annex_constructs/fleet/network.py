"""Small network for an annex without one."""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from annex_constructs.errors import FLAG, check_kind, invalid_value
from annex_constructs.nag import acknowledge
from annex_lease.terms import IPV6


class AnnexNetwork(Construct):
    """A VPC of public subnets in two availability zones, without NAT gateways.

    Execution points only ever open connections to the outside, and their security group lets nothing in, so a public
    address exposes nothing. It costs $0.005 an hour for each running instance, and nothing when the annex is empty. A
    NAT gateway would cost $0.045 an hour for as long as the annex exists, and $0.045 for each GB that passes
    (us-east-1, "Amazon VPC pricing"); it is cheaper only for more than nine instances that move little data. For
    private subnets pass a VPC of your own.

    Two zones, because some Regions offer an account no more (us-west-1); your own VPC can have more, and with them more
    spot capacity. The default security group keeps the rules that AWS gives it, because emptying it takes a custom
    resource and nothing in the annex uses it. Flow logs are off: they are billed by volume, and an app that must have
    them calls `network.vpc.add_flow_log`.

    Example::

        network = AnnexNetwork(stack, "Network")

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param ipv6: whether the subnets are dual-stack, and instances get an IPv6 address besides IPv4; it is free of
        charge. Default: False.
    """

    def __init__(self, scope: Construct, construct_id: str, *, ipv6: bool = IPV6.default_value) -> None:
        super().__init__(scope, construct_id)
        check_kind("AnnexNetwork ipv6", ipv6, FLAG)
        self._vpc = ec2.Vpc(
            self,
            "Vpc",
            max_azs=2,
            ip_protocol=ec2.IpProtocol.DUAL_STACK if ipv6 else ec2.IpProtocol.IPV4_ONLY,
            nat_gateways=0,
            restrict_default_security_group=False,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="Public",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    # The CDK's default is False in a dual-stack VPC: what has no IPv6 could not be reached then.
                    map_public_ip_on_launch=True,
                )
            ],
        )
        acknowledge(
            self._vpc,
            "AwsSolutions-VPC7",
            "Flow logs are billed by volume and outlive the annex; an app that must have them adds them to the VPC.",
        )

    @property
    def vpc(self) -> ec2.IVpc:
        """The VPC."""
        return self._vpc


def given_or_own_network(
    scope: Construct, construct_id: str, vpc: ec2.IVpc | None, vpc_subnets: ec2.SubnetSelection | None, *, ipv6: bool
) -> ec2.IVpc:
    """The VPC that was given, or that of a new network.

    :param scope: the annex.
    :param construct_id: id of a new network in that scope.
    :param vpc: the VPC; None: make a network.
    :param vpc_subnets: subnets of the given VPC; None: as the CDK selects them.
    :param ipv6: whether a new network is dual-stack.
    :raises ValueError: there are subnets, and no VPC.
    """
    if vpc is not None:
        return vpc
    if vpc_subnets is not None:
        allowed = "vpc_subnets only together with the vpc they are in"
        raise invalid_value("Annex vpc_subnets", received=vpc_subnets, allowed=allowed, fix="pass vpc too")
    return AnnexNetwork(scope, construct_id, ipv6=ipv6).vpc
