"""The HTCondor pool that an annex joins."""

from dataclasses import dataclass

from aws_cdk import Token

from annex_constructs.errors import check_form, invalid_value
from annex_lease.forms import COLLECTOR, DEFAULT_PORT, TRUST_DOMAIN, collector_address


@dataclass(frozen=True, kw_only=True)
class Pool:
    """An HTCondor pool, as its execution points need to know it.

    Example::

        pool = Pool(collector="cm.example.edu", trust_domain="example.edu")

    :param collector: the central manager, `host` or `host:port`: a DNS name or an IPv4 address that instances can
        reach. The port is 9618 unless it is given. A token must come with its port.
    :param trust_domain: the pool's TRUST_DOMAIN, the issuer in every token it signs (HTCondor manual, "Token
        Authentication").
    :raises ValueError: a value has another form.
    """

    collector: str
    trust_domain: str

    def __post_init__(self) -> None:
        """Refuse what is not a collector or a trust domain."""
        check_form("Pool trust_domain", self.trust_domain, TRUST_DOMAIN)
        _ = self.address  # reads and checks the collector

    @property
    def address(self) -> str:
        """The collector as host:port."""
        if Token.is_unresolved(self.collector):
            return self.collector
        try:
            return collector_address(self.collector)
        except ValueError:
            fix = f'pass collector="{COLLECTOR.example}"'
            raise invalid_value("Pool collector", received=self.collector, allowed=COLLECTOR.allowed, fix=fix) from None

    @property
    def port(self) -> int:
        """The collector's port; 9618 if the collector is a token."""
        return DEFAULT_PORT if Token.is_unresolved(self.collector) else int(self.address.partition(":")[2])
