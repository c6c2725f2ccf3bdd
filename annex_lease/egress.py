"""Connections of execution points: the ports that are open to the outside, and the declared values that open them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from annex_lease import forms
from annex_lease.stock_images import HTCONDOR_IN_IMAGE, IMAGE_FAMILIES
from annex_lease.terms import ACCESS_POINT_PORTS, COLLECTOR, DNS_SERVERS, HTCONDOR_MIRROR, PACKAGE_MIRROR, PROXY

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HTTPS, _DNS = 443, 53
_COLLECTOR, _ACCESS_POINT, _NAMES, _PROXY, _HTCONDOR, _PACKAGES = (
    "HTCondor: collector, access points, CCB",
    "HTCondor: access points",
    "DNS",
    "Proxy for HTTP and HTTPS",
    "HTCondor: packages to install",
    "Packages to install",
)

JOB_PORT = 80
"""Port that jobs may connect to on any host, besides 443, unless an app says otherwise: package mirrors, CVMFS and
certificate revocation lists are plain HTTP."""
OPENED_BY: Mapping[str, str] = {
    _COLLECTOR: COLLECTOR.name,
    _ACCESS_POINT: ACCESS_POINT_PORTS.name,
    _NAMES: DNS_SERVERS.name,
    _PROXY: PROXY.name,
    _HTCONDOR: HTCONDOR_MIRROR.name,
    _PACKAGES: PACKAGE_MIRROR.name,
}
"""Key of the declared value that opens a port, by the description of the security group's rule."""


@dataclass(frozen=True)
class Opening:
    """Ports that instances may connect to.

    Attributes:
        first: first port.
        last: last port.
        use: what for, the description of the security group's rule.
        protocol: `tcp` or `udp`. Default: tcp.
        network: network in CIDR notation. Default: "" - any IPv4 and IPv6 address.
    """

    first: int
    last: int
    use: str
    protocol: str = "tcp"
    network: str = ""

    @property
    def key(self) -> str:
        """Key of the declared value that opens the ports; empty if none of `OPENED_BY` does."""
        return OPENED_BY.get(self.use, "")

    def covers(self, other: Opening) -> bool:
        """True if every connection that the other one allows is allowed by this one."""
        ports = self.first <= other.first and other.last <= self.last
        return ports and self.protocol == other.protocol and self.network in ("", other.network)

    def described(self) -> str:
        """The ports as people write them, such as `9700/tcp` and `53/udp to 192.0.2.53/32`."""
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{ports}/{self.protocol}{f' to {self.network}' if self.network else ''}"


def openings(
    collector_ports: Iterable[int],
    access_point_ports: Iterable[tuple[int, int]],
    dns_networks: Sequence[str],
    proxy: str | None,
) -> tuple[Opening, ...]:
    """The ports that the declared values open, in the order of the security group's rules.

    Those of jobs and of packages are not among them.

    Args:
        collector_ports: ports of the pool's collectors. 9618 is open with any of them.
        access_point_ports: first and last port of each range of the access points.
        dns_networks: networks of DNS servers besides Amazon's.
        proxy: URL of the proxy; None: there is none.
    """
    pool = sorted({forms.DEFAULT_PORT, *collector_ports})
    ranges = sorted({*access_point_ports} - {(port, port) for port in pool})
    return (
        Opening(_HTTPS, _HTTPS, "AWS APIs, and data over HTTPS"),
        *(Opening(port, port, _COLLECTOR) for port in pool),
        *(Opening(first, last, _ACCESS_POINT) for first, last in ranges),
        *(Opening(_DNS, _DNS, _NAMES, protocol, each) for each in dns_networks for protocol in ("udp", "tcp")),
        *(Opening(proxy_port(each), proxy_port(each), _PROXY) for each in (proxy,) if each is not None),
    )


def package_openings(
    image: str, htcondor: str, htcondor_mirror: str | None, package_mirror: str | None, proxy: str | None
) -> tuple[Opening, ...]:
    """The ports besides 443 from which an instance installs packages when it boots; a proxy fetches them itself.

    Args:
        image: a name, an id or a parameter, as the spec has it; empty: not known.
        htcondor: series to install, or that HTCondor is in the image and nothing is installed.
        htcondor_mirror: URL of the mirror of HTCondor's repositories; None: the official ones, which are HTTPS.
        package_mirror: URL of the mirror of the system's packages; None: those that the image names.
        proxy: URL of the proxy; None: there is none.
    """
    if htcondor == HTCONDOR_IN_IMAGE or proxy is not None:
        return ()
    family = IMAGE_FAMILIES.get(image)
    # The sources of a system that is not known may be plain HTTP.
    usual = _DEFAULT_PORTS["http" if family is None or family.plain_http else "https"]
    ports = {
        _HTCONDOR: _HTTPS if htcondor_mirror is None else _url_port(htcondor_mirror),
        _PACKAGES: usual if package_mirror is None else _url_port(package_mirror),
    }
    return tuple(Opening(port, port, use) for use, port in ports.items() if port != _HTTPS)


def read_ports(text: str) -> tuple[int, int]:
    """The first and the last port of `9700` or `9700-9799`.

    Raises:
        ValueError: it is neither a port nor a range of ports.
    """
    first, _, last = text.partition("-")
    if not forms.PORTS.matches(text) or int(last or first) < int(first):
        raise ValueError(f"{text!r} is not {forms.PORTS.allowed}")
    return int(first), int(last or first)


def read_dns_server(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address of a DNS server.

    Raises:
        ValueError: it is no address.
    """
    if not forms.DNS_SERVER.matches(text):
        raise ValueError(f"{text!r} is not {forms.DNS_SERVER.allowed}")
    return ipaddress.ip_address(text)


def dns_network(text: str) -> str:
    """The network of one address of a DNS server, such as `192.0.2.53/32`.

    Raises:
        ValueError: it is no address.
    """
    address = read_dns_server(text)
    return f"{address}/{address.max_prefixlen}"


def proxy_port(url: str) -> int:
    """The port of a proxy; that of its scheme where the URL has none.

    Raises:
        ValueError: it is no proxy.
    """
    if not forms.PROXY.matches(url):
        raise ValueError(f"{url!r} is not {forms.PROXY.allowed}")
    return _url_port(url)


def _url_port(url: str) -> int:
    """The port of a URL; that of its scheme where it has none."""
    parts = urlsplit(url)
    return parts.port or _DEFAULT_PORTS[parts.scheme]
