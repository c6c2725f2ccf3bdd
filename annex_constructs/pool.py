"""The HTCondor pool that an annex joins."""

import re
from dataclasses import dataclass

from aws_cdk import Token

from annex_constructs.errors import invalid_value

DEFAULT_PORT = 9618
"""The port that every HTCondor daemon shares unless told otherwise (HTCondor manual, COLLECTOR_PORT)."""

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST_HOST = 253


@dataclass(frozen=True, kw_only=True)
class Pool:
    """An HTCondor pool, as its execution points need to know it.

    :param collector: the central manager, `host` or `host:port`: a DNS name or an IPv4 address that instances can
        reach. May be a token; then it must come with its port. Without a port, 9618 is meant.
    :param trust_domain: the pool's TRUST_DOMAIN, the issuer in every token it signs (HTCondor manual, "Token
        Authentication").
    :raises ValueError: a value has another form.
    """

    collector: str
    trust_domain: str

    def __post_init__(self) -> None:
        """Refuse what is not a collector or a trust domain."""
        if not Token.is_unresolved(self.collector):
            host, colon, port = self.collector.partition(":")
            if not _is_host(host) or (colon and not _is_port(port)):
                raise invalid_value(
                    "Pool collector",
                    received=self.collector,
                    allowed="host or host:port, a DNS name or IPv4 address and a port from 1 to 65535",
                    fix='pass collector="cm.example.edu"',
                )
        if not Token.is_unresolved(self.trust_domain) and not _is_host(self.trust_domain):
            raise invalid_value(
                "Pool trust_domain",
                received=self.trust_domain,
                allowed="a domain name, the pool's TRUST_DOMAIN",
                fix='pass trust_domain="example.edu"',
            )

    @property
    def address(self) -> str:
        """The collector as host:port."""
        if Token.is_unresolved(self.collector) or ":" in self.collector:
            return self.collector
        return f"{self.collector}:{DEFAULT_PORT}"

    @property
    def port(self) -> int:
        """The collector's port; 9618 if the collector is a token."""
        return DEFAULT_PORT if Token.is_unresolved(self.collector) else int(self.address.partition(":")[2])


def _is_host(text: str) -> bool:
    return len(text) <= _LONGEST_HOST and _HOST.fullmatch(text) is not None


def _is_port(text: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,4}", text) is not None and int(text) <= 65535
