"""The HTCondor pool that an annex joins."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import Token

from annex_constructs.errors import Kind, check_form, check_kind, invalid_value
from annex_lease.collectors import collector_list, collector_ports, needs_ipv6
from annex_lease.egress import read_ports
from annex_lease.forms import COLLECTOR, DEFAULT_PORT, TRUST_DOMAIN
from annex_lease.rules import collector_conflict
from annex_lease.terms import ACCESS_POINT_PORTS


@dataclass(frozen=True, kw_only=True)
class Pool:
    """An HTCondor pool, as its execution points need to know it.

    Example::

        pool = Pool(collector="cm.example.edu", trust_domain="example.edu")

    :param collector: the central manager as HTCondor's COLLECTOR_HOST names it: `host` or `host:port`, a DNS name or an
        address that instances can reach; several of them, separated by commas, if it is highly available. The port is
        9618 unless it is given. A token must come with its port.
    :param trust_domain: the pool's TRUST_DOMAIN, the issuer in every token it signs (HTCondor manual, "Token
        Authentication").
    :param access_point_ports: ports of access points that do not use 9618 or the collectors' ports: `9700`, or
        `20000-20100` for a range. Default: - none.
    :raises ValueError: a value has another form.
    """

    collector: str
    trust_domain: str
    access_point_ports: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse what is not a collector or a trust domain."""
        # First: the CDK asks another process whether a value is a token, which some values end.
        check_kind("Pool collector", self.collector, Kind(COLLECTOR.allowed, f'"{COLLECTOR.example}"', str))
        check_kind("Pool trust_domain", self.trust_domain, Kind(TRUST_DOMAIN.allowed, f'"{TRUST_DOMAIN.example}"', str))
        check_form("Pool trust_domain", self.trust_domain, TRUST_DOMAIN)
        _ = self.port_ranges  # reads and checks them
        conflict = None if Token.is_unresolved(self.address) else collector_conflict(self.address)
        if conflict is not None:
            given, allowed = self.collector, conflict.allowed
            raise invalid_value("Pool collector", received=given, allowed=allowed, fix=conflict.advice)

    @property
    def address(self) -> str:
        """The collectors as host:port, separated by commas."""
        if Token.is_unresolved(self.collector):
            return self.collector
        try:
            return collector_list(self.collector)
        except (ValueError, TypeError):
            fix = f'pass collector="{COLLECTOR.example}"'
            raise invalid_value("Pool collector", received=self.collector, allowed=COLLECTOR.allowed, fix=fix) from None

    @property
    def ports(self) -> tuple[int, ...]:
        """The collectors' ports; 9618 if the collector is a token."""
        return (DEFAULT_PORT,) if Token.is_unresolved(self.collector) else collector_ports(self.collector)

    @property
    def port_ranges(self) -> tuple[tuple[int, int], ...]:
        """The first and the last port of each of the access points' ports."""
        term = ACCESS_POINT_PORTS
        try:
            if isinstance(self.access_point_ports, str) or len(self.access_point_ports) > (term.maximum or 0):
                raise ValueError("not such a list")
            return tuple(read_ports(each) for each in self.access_point_ports)
        except (TypeError, ValueError, AttributeError):
            received, fix = self.access_point_ports, 'pass access_point_ports=["9700", "20000-20100"]'
            allowed = f"{term.allowed}, each as text"
            raise invalid_value("Pool access_point_ports", received=received, allowed=allowed, fix=fix) from None

    @property
    def needs_ipv6(self) -> bool:
        """True if a collector has IPv6 addresses only; False if the collector is a token."""
        return not Token.is_unresolved(self.collector) and needs_ipv6(self.collector)
