"""Properties of one execution point of an annex."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms

from annex_constructs.errors import IMAGE, KEY, Kind, check_form, check_kind, check_whole_number, invalid_value, seconds
from annex_constructs.pool import Pool
from annex_lease import terms
from annex_lease.egress import read_dns_server
from annex_lease.forms import PROXY, ROOT_DEVICE


@dataclass(frozen=True, kw_only=True)
class ExecutionPoint:
    """An execution point: which pool it joins, from which image it boots, and when it leaves.

    Example::

        point = ExecutionPoint(
            pool=Pool(collector="cm.example.edu", trust_domain="example.edu"),
            machine_image=ec2.MachineImage.generic_linux({"us-east-1": "ami-0123456789abcdef0"}),
            idle_timeout=Duration.minutes(10),
        )

    :param pool: the pool to join.
    :param machine_image: a Debian image with cloud-init, HTCondor and the AWS CLI installed.
    :param volume_gib: size of the root volume, 1 to 16384 GiB; encrypted gp3, deleted with the instance. Default: 20.
    :param root_device: the device name that the image gives its root volume. Default: `/dev/xvda`.
    :param volume_key: KMS key of the annex's Region that encrypts the volumes. A key that the app makes lets EC2 Auto
        Scaling use it; the policy of an imported one must already do so. Default: - the account's default key for EBS.
    :param dns_servers: addresses of the DNS servers that the VPC's DHCP options name, at most 4; the fleet's own
        security group opens port 53 to them. Default: - Amazon's DNS, which needs no rule.
    :param proxy: URL of a proxy for HTTP and HTTPS, without a user: instances call AWS through it, and jobs find it in
        their environment. HTCondor's own connections do not use it. Default: - none.
    :param drain_before_end: how long before the end of the lease running jobs are sent back to the queue, and jobs
        that would not end by then are refused; 10s to 1h. Default: 2m.
    :param idle_timeout: how long it stays without a job before it retires; 30s to 7d. Default: 20m.
    :param join_timeout: how long it may take to join the pool before it retires; 1m to 2h. Default: 15m.
    :param shutdown_after_end: how long after the end of the lease it powers itself off, even if AWS never stops it;
        1m to 1d. Default: 30m.
    :raises ValueError: a value is not allowed.
    """

    pool: Pool
    machine_image: ec2.IMachineImage
    volume_gib: float = terms.VOLUME_GIB.default_value
    root_device: str = terms.ROOT_DEVICE.default_value
    volume_key: kms.IKey | None = None
    dns_servers: Sequence[str] = ()
    proxy: str | None = None
    drain_before_end: Duration | None = None
    idle_timeout: Duration | None = None
    join_timeout: Duration | None = None
    shutdown_after_end: Duration | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot boot or would never leave."""
        check_kind("ExecutionPoint pool", self.pool, Kind("a Pool", "Pool(...)", Pool))
        check_kind("ExecutionPoint machine_image", self.machine_image, IMAGE)
        check_whole_number("ExecutionPoint volume_gib", self.volume_gib, terms.VOLUME_GIB)
        check_form("ExecutionPoint root_device", self.root_device, ROOT_DEVICE)
        if self.proxy is not None:
            check_form("ExecutionPoint proxy", self.proxy, PROXY, known=True)
        _ = self.dns_addresses  # reads and checks them
        check_kind("ExecutionPoint volume_key", self.volume_key, KEY, optional=True)
        _ = self.times  # reads and checks each duration

    @property
    def dns_addresses(self) -> tuple[str, ...]:
        """The DNS servers, each as a network of one address."""
        term = terms.DNS_SERVERS
        try:
            if isinstance(self.dns_servers, str) or len(self.dns_servers) > (term.maximum or 0):
                raise ValueError("not such a list")
            addresses = [read_dns_server(each) for each in self.dns_servers]
        except (TypeError, ValueError):
            raise invalid_value(
                "ExecutionPoint dns_servers",
                received=self.dns_servers,
                allowed=term.allowed,
                fix=f"pass dns_servers={term.example}",
            ) from None
        return tuple(f"{each}/{each.max_prefixlen}" for each in addresses)

    @property
    def times(self) -> Mapping[str, int]:
        """The durations in seconds, by the names of their parameters, with every default applied."""
        return {span.name: self._seconds(span) for span in terms.EXECUTION_POINT_TIMES}

    @property
    def drain_before_end_seconds(self) -> int:
        """The value of `drain_before_end` in seconds, with its default applied."""
        return self._seconds(terms.DRAIN_BEFORE_END)

    def _seconds(self, span: terms.Span) -> int:
        value: Duration | None = getattr(self, span.name)
        if value is None:
            value = Duration.seconds(terms.seconds(span.default_value))
        return seconds(f"ExecutionPoint {span.name}", value, span)
