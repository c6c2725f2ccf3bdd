"""Connections of execution points besides those to AWS and the collectors: access points, DNS servers, a proxy."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from annex_lease.forms import DNS_SERVER, PORTS, PROXY

_DEFAULT_PORTS = {"http": 80, "https": 443}


def read_ports(text: str) -> tuple[int, int]:
    """The first and the last port of `9700` or `9700-9799`.

    Raises:
        ValueError: it is neither a port nor a range of ports.
    """
    first, _, last = text.partition("-")
    if not PORTS.matches(text) or int(last or first) < int(first):
        raise ValueError(f"{text!r} is not {PORTS.allowed}")
    return int(first), int(last or first)


def read_dns_server(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The address of a DNS server.

    Raises:
        ValueError: it is no address.
    """
    if not DNS_SERVER.matches(text):
        raise ValueError(f"{text!r} is not {DNS_SERVER.allowed}")
    return ipaddress.ip_address(text)


def proxy_port(url: str) -> int:
    """The port of a proxy; that of its scheme where the URL has none.

    Raises:
        ValueError: it is no proxy.
    """
    if not PROXY.matches(url):
        raise ValueError(f"{url!r} is not {PROXY.allowed}")
    parts = urlsplit(url)
    return parts.port or _DEFAULT_PORTS[parts.scheme]
