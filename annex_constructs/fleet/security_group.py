"""Security group of execution points: no inbound connections, few outbound ones."""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from annex_constructs import errors
from annex_constructs.errors import Kind, check_kinds, check_list
from annex_constructs.fleet.execution_point import ExecutionPoint
from annex_constructs.pool import Pool
from annex_lease.egress import JOB_PORT, Opening, openings

_KINDS = {"vpc": errors.VPC, "pool": Kind("a Pool", "Pool(...)", Pool), "allow_all_outbound": errors.FLAG}
_OPENING = Kind("the package_openings of an ExecutionPoint", "*point.package_openings", Opening)


class AnnexSecurityGroup(ec2.SecurityGroup):
    """The security group of execution points: no ingress; egress to the pool, to HTTPS and to what jobs fetch.

    Execution points join through CCB over connections they open themselves, so no port is open to them. Outbound, to
    any IPv4 and IPv6 address, are open: 443/tcp (the AWS APIs, and most data that jobs fetch), the pool's ports and
    9618/tcp (collectors, access points; a security group cannot name hosts by DNS name), and `job_ports`. Everything
    else is closed, among it mail, SSH and the usual ways to scan other hosts. Subnets without IPv6 ignore its rules.

    Amazon's DNS, DHCP, time and metadata services need no rule: security groups do not filter them (VPC User Guide,
    "Control traffic to your AWS resources using security groups"). DNS servers of one's own need `dns_networks`.

    Example::

        group = AnnexSecurityGroup(stack, "Group", vpc=vpc, pool=pool, job_ports=[ec2.Port.tcp(1094)])

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param vpc: VPC of the execution points.
    :param pool: pool to connect to, for its collectors' ports. Default: - a collector at port 9618.
    :param job_ports: ports that jobs may connect to on any host, besides 443/tcp; for example
        `ec2.Port.tcp(1094)` for XRootD. An empty list opens none. Default: - 80/tcp, because package mirrors, CVMFS
        and certificate revocation lists are plain HTTP.
    :param dns_networks: networks of DNS servers, such as `192.0.2.53/32`, to which 53/udp and 53/tcp are open.
        Default: - none.
    :param proxy: URL of a proxy whose port is open. Default: - none.
    :param package_openings: `package_openings` of an `ExecutionPoint`: ports besides 443/tcp from which its instances
        install packages. Default: - none.
    :param allow_all_outbound: open everything outbound, IPv4 and IPv6, instead. Default: False.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        pool: Pool | None = None,
        job_ports: Sequence[ec2.Port] | None = None,
        dns_networks: Sequence[str] = (),
        proxy: str | None = None,
        package_openings: Sequence[Opening] = (),
        allow_all_outbound: bool = False,
    ) -> None:
        check_kinds("AnnexSecurityGroup", locals(), _KINDS, {"pool"})
        check_list("AnnexSecurityGroup job_ports", job_ports, errors.PORT, optional=True)
        check_list("AnnexSecurityGroup package_openings", package_openings, _OPENING)
        super().__init__(
            scope,
            construct_id,
            vpc=vpc,
            description="Execution points of an HTCondor annex: nothing comes in",
            allow_all_outbound=allow_all_outbound,
            allow_all_ipv6_outbound=allow_all_outbound,
        )
        if allow_all_outbound:
            return
        ports, ranges = (pool.ports, pool.port_ranges) if pool else ((), ())
        for opening in openings(ports, ranges, dns_networks, proxy):
            self._open(_port(opening), opening.use, opening.network)
        for job_port in [ec2.Port.tcp(JOB_PORT)] if job_ports is None else job_ports:
            self._open(job_port, "Data that jobs fetch")
        # Last: a port that is open already keeps its rule, with any image.
        for opening in package_openings:
            self._open(_port(opening), opening.use)

    def _open(self, port: ec2.Port, description: str, network: str = "") -> None:
        if network:
            peers = [ec2.Peer.ipv6(network) if ":" in network else ec2.Peer.ipv4(network)]
        else:
            # Which addresses a subnet of the user's has, and a host name, is not known at synthesis.
            peers = [ec2.Peer.any_ipv4(), ec2.Peer.any_ipv6()]
        for peer in peers:
            self.add_egress_rule(peer, port, description)


def own_security_group(scope: Construct, construct_id: str, vpc: ec2.IVpc, point: ExecutionPoint) -> AnnexSecurityGroup:
    """The security group of a fleet that was given none.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param vpc: VPC of the fleet.
    :param point: its execution points.
    """
    return AnnexSecurityGroup(
        scope,
        construct_id,
        vpc=vpc,
        pool=point.pool,
        dns_networks=point.dns_addresses,
        proxy=point.proxy,
        package_openings=point.package_openings,
    )


def _port(opening: Opening) -> ec2.Port:
    if opening.protocol == "udp":
        return ec2.Port.udp(opening.first)
    if opening.first == opening.last:
        return ec2.Port.tcp(opening.first)
    return ec2.Port.tcp_range(opening.first, opening.last)
