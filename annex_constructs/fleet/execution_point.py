"""Properties of one execution point of an annex."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from constructs import Construct

from annex_constructs.declared_values import check_conflicts, check_script, check_texts
from annex_constructs.errors import (
    FLAG,
    IMAGE,
    KEY,
    Kind,
    check_form,
    check_kind,
    check_whole_number,
    invalid_value,
    seconds,
)
from annex_constructs.pool import Pool
from annex_constructs.stock_image import StockImage
from annex_lease import terms
from annex_lease.egress import Opening, dns_network, package_openings
from annex_lease.image_rules import default_root_device
from annex_lease.installation_rules import component_conflict, default_htcondor, installation_conflicts
from annex_lease.job_rules import JobPolicy, jobs_conflict, start_conflict
from annex_lease.kinds import Text


class _Image(Kind):
    def includes(self, value: object) -> bool:
        """True for an image of the CDK and for a stock image."""
        return isinstance(value, StockImage) or IMAGE.includes(value)


_IMAGE = _Image("a StockImage or an ec2.IMachineImage", f"{StockImage.DEBIAN_13}")


@dataclass(frozen=True, kw_only=True)
class ExecutionPoint:
    """An execution point: which pool it joins, from which image it boots, and when it leaves.

    Example::

        point = ExecutionPoint(
            pool=Pool(collector="cm.example.edu", trust_domain="example.edu"),
            machine_image=StockImage.UBUNTU_24_04,
            components=["apptainer"],
            idle_timeout=Duration.minutes(10),
        )

    :param pool: the pool to join.
    :param machine_image: a `StockImage`, or any Linux image with cloud-init: with HTCondor, or with `htcondor` of a
        system that a stock image has too. Default: StockImage.DEBIAN_13.
    :param htcondor: series of HTCondor to install when an instance boots, `25.0` or `25.x`; `image` installs nothing.
        Default: - `25.0` with a `StockImage`, `image` with any other image.
    :param components: names of software to install besides HTCondor: `osg`, `cvmfs`, `apptainer`, `docker`, `nvidia`,
        `pelican`. Default: - none.
    :param script: text of a shell script that runs as root when an instance boots for the first time, after the
        components and before HTCondor starts, at most 10000 bytes; its first line may name another interpreter. It is
        no secret. Default: - none.
    :param htcondor_mirror: URL of a mirror of HTCondor's repositories; the fleet's own security group opens its port.
        Default: - none, the official ones.
    :param package_mirror: URL of a mirror of the system's packages; the fleet's own security group opens its port.
        Default: - none, those that the image names.
    :param volume_gib: size of the root volume, 1 to 16384 GiB; encrypted gp3, deleted with the instance. Default: 20.
    :param root_device: the device name that the image gives its root volume.
        Default: - that of the `StockImage`, `/dev/xvda` with any other image.
    :param volume_key: KMS key of the annex's Region that encrypts the volumes. A key that the app makes lets EC2 Auto
        Scaling use it; the policy of an imported one must already do so. Default: - the account's default key for EBS.
    :param dns_servers: addresses of the DNS servers that the VPC's DHCP options name, at most 4; the fleet's own
        security group opens port 53 to them. Default: - Amazon's DNS, which needs no rule.
    :param proxy: URL of a proxy for HTTP and HTTPS, without a user: instances call AWS through it, and jobs find it in
        their environment. HTCondor's own connections do not use it. Default: - none.
    :param opt_in: whether only jobs that ask for the annex run there: those with `My.TargetAnnexName` and its name, or
        with `My.MayUseAWS = true`. Default: True.
    :param owners: users whose jobs may run there: a name is compared with a job's `Owner`, a name with `@` with its
        `User`. Default: - every user.
    :param groups: accounting groups whose jobs may run there, with all their subgroups. Default: - every group, and
        jobs of none.
    :param project_id: project that pays: machines advertise it as `ProjectID`, and only jobs with the same
        `My.ProjectID` run there. Default: - none, jobs of every project.
    :param start: further condition on jobs, a ClassAd expression that is added to START with `&&`. Default: - none.
    :param drain_before_end: how long before the end of the lease running jobs are sent back to the queue, and jobs
        that would not end by then are refused; 10s to 1h. Default: 2m.
    :param idle_timeout: how long it stays without a job before it retires; 30s to 7d. Default: 20m.
    :param join_timeout: how long it may take to join the pool before it retires; 1m to 2h. Default: 15m.
    :param shutdown_after_end: how long after the end of the lease it powers itself off, even if AWS never stops it;
        1m to 1d. Default: 30m.
    :raises ValueError: a value is not allowed.
    """

    pool: Pool
    machine_image: ec2.IMachineImage | StockImage = StockImage.DEBIAN_13
    htcondor: str | None = None
    components: Sequence[str] = ()
    script: str | None = None
    htcondor_mirror: str | None = None
    package_mirror: str | None = None
    volume_gib: float = terms.VOLUME_GIB.default_value
    root_device: str | None = None
    volume_key: kms.IKey | None = None
    dns_servers: Sequence[str] = ()
    proxy: str | None = None
    opt_in: bool = terms.OPT_IN.default_value
    owners: Sequence[str] = ()
    groups: Sequence[str] = ()
    project_id: str | None = None
    start: str | None = None
    drain_before_end: Duration | None = None
    idle_timeout: Duration | None = None
    join_timeout: Duration | None = None
    shutdown_after_end: Duration | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot boot or would never leave."""
        check_kind("ExecutionPoint pool", self.pool, Kind("a Pool", "Pool(...)", Pool))
        check_kind("ExecutionPoint machine_image", self.machine_image, _IMAGE)
        check_whole_number("ExecutionPoint volume_gib", self.volume_gib, terms.VOLUME_GIB)
        self._check_texts()
        check_texts("ExecutionPoint components", self.components, terms.COMPONENTS, component_conflict)
        check_script("ExecutionPoint script", self.script)
        image, series = self.image_name, self.htcondor_series
        given = (image, series, self.components, self.htcondor_mirror, self.package_mirror)
        check_conflicts(self, installation_conflicts(*given))
        _ = self.dns_addresses  # reads and checks them
        check_kind("ExecutionPoint volume_key", self.volume_key, KEY, optional=True)
        self._check_jobs()
        _ = self.times  # reads and checks each duration

    def _check_texts(self) -> None:
        if self.root_device is not None:
            check_form("ExecutionPoint root_device", self.root_device, terms.ROOT_DEVICE.form)
        known: tuple[Text, ...] = (terms.PROXY, terms.HTCONDOR, terms.HTCONDOR_MIRROR, terms.PACKAGE_MIRROR)
        for term in known:
            if getattr(self, term.name) is not None:
                check_form(f"ExecutionPoint {term.name}", getattr(self, term.name), term.form, known=True)

    def _check_jobs(self) -> None:
        check_kind("ExecutionPoint opt_in", self.opt_in, FLAG)
        for names in (terms.OWNERS, terms.GROUPS):
            check_texts(f"ExecutionPoint {names.name}", getattr(self, names.name), names)
        for term in (terms.PROJECT_ID, terms.START):
            if getattr(self, term.name) is not None:
                check_form(f"ExecutionPoint {term.name}", getattr(self, term.name), term.form, known=True)
        conflicts = [None if self.start is None else start_conflict(self.start), jobs_conflict(self.job_policy)]
        check_conflicts(self, conflicts)

    @property
    def job_policy(self) -> JobPolicy:
        """Which jobs the execution point accepts."""
        return JobPolicy(**{term.name: getattr(self, term.name) for term in terms.JOB_KEYS})

    @property
    def image_name(self) -> str:
        """Name of the stock image; empty for another image."""
        return self.machine_image.value if isinstance(self.machine_image, StockImage) else ""

    @property
    def htcondor_series(self) -> str:
        """The value of `htcondor`, with its default applied."""
        return default_htcondor(self.image_name) if self.htcondor is None else self.htcondor

    @property
    def image_root_device(self) -> str:
        """The value of `root_device`, with its default applied."""
        return default_root_device(self.image_name) if self.root_device is None else self.root_device

    @property
    def package_openings(self) -> tuple[Opening, ...]:
        """Ports besides 443/tcp from which packages are installed, for `AnnexSecurityGroup`."""
        return package_openings(
            self.image_name, self.htcondor_series, self.htcondor_mirror, self.package_mirror, self.proxy
        )

    def image(self, scope: Construct, instance_types: Sequence[ec2.InstanceType]) -> ec2.IMachineImage:
        """The machine image of the instances.

        :param scope: a construct in their stack.
        :param instance_types: their types, of one architecture.
        :raises ValueError: there is no such image for them.
        """
        if isinstance(self.machine_image, StockImage):
            return self.machine_image.for_types(scope, instance_types)
        return self.machine_image

    @property
    def dns_addresses(self) -> tuple[str, ...]:
        """The DNS servers, each as a network of one address."""
        term = terms.DNS_SERVERS
        try:
            if isinstance(self.dns_servers, str) or len(self.dns_servers) > (term.maximum or 0):
                raise ValueError("not such a list")
            return tuple(map(dns_network, self.dns_servers))
        except (TypeError, ValueError):
            raise invalid_value(
                "ExecutionPoint dns_servers",
                received=self.dns_servers,
                allowed=term.allowed,
                fix=f"pass dns_servers={term.example}",
            ) from None

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
