"""The collectors of a pool, as HTCondor's COLLECTOR_HOST names them.

HTCondor takes one collector or several, for a highly available central manager, each with a port or without, behind a
shared port or not, by name or by address, and in the form in which its own tools print an address (HTCondor manual,
"COLLECTOR_HOST", "Networking" and "High Availability of the Central Manager").
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from annex_lease.forms import COLLECTOR, DEFAULT_PORT, MAX_COLLECTORS_LENGTH, MAX_HOST_LENGTH

_MAX_PORT = 65_535
_SEPARATORS = re.compile("[ \t\r\n,]+")
_PARTS = re.compile(r"<?(\[[^]]*\]|[^:?]*)(?::(\d+))?(\?.*?)?>?")
# One more address of the same collector in a sinful string: `addrs=192.0.2.1-9618+[2001-db8--1]-9618`.
_MORE_ADDRESSES = re.compile(r"[?&]addrs=([^&]*)")
_ADDRESS_LIKE = re.compile(r"[0-9.]+")
_SAME_HOST = re.compile(r"(.*\.)?localhost(\.localdomain)?\.?", re.IGNORECASE)


@dataclass(frozen=True)
class Collector:
    """One collector.

    Attributes:
        host: DNS name or address, an IPv6 address in brackets.
        port: port.
        text: the collector as HTCondor reads it, always with its port.
        others: host and port of the other addresses that the text holds, in the same form.
    """

    host: str
    port: int
    text: str
    others: tuple[tuple[str, int], ...] = ()

    @property
    def needs_ipv6(self) -> bool:
        """True if every address of the collector is an IPv6 address."""
        return all(host.startswith("[") for host, _ in ((self.host, self.port), *self.others))

    @property
    def is_local(self) -> bool:
        """True if every address of the collector is of the loopback or of a link: valid on one host only."""
        return all(_is_local(host) for host, _ in ((self.host, self.port), *self.others))


def read_collectors(text: str) -> tuple[Collector, ...]:
    """Read the collectors, each once, in the order of the text.

    Args:
        text: one collector or several, separated by commas or spaces.

    Raises:
        ValueError: one of them is no collector.
    """
    if not COLLECTOR.matches(text):
        raise _refused(text)
    found = dict.fromkeys(_read(each, text) for each in _SEPARATORS.split(text) if each)
    if len(_joined(found)) > MAX_COLLECTORS_LENGTH:
        raise _refused(text)
    return tuple(found)


def collector_list(text: str) -> str:
    """The collectors as the value of COLLECTOR_HOST: each with its port, joined by commas.

    Raises:
        ValueError: one of them is no collector.
    """
    return _joined(read_collectors(text))


def collector_ports(text: str) -> tuple[int, ...]:
    """The ports of all addresses of the collectors, sorted."""
    return tuple(
        sorted({port for each in read_collectors(text) for port in (each.port, *(other for _, other in each.others))})
    )


def needs_ipv6(text: str) -> bool:
    """True if one of the collectors has IPv6 addresses only."""
    return any(each.needs_ipv6 for each in read_collectors(text))


def local_collector(text: str) -> str:
    """The first collector whose addresses are valid on one host only; empty if there is none.

    An execution point would look for it on itself.
    """
    return next((each.text for each in read_collectors(text) if each.is_local), "")


def _joined(collectors: Iterable[Collector]) -> str:
    return ",".join(each.text for each in collectors)


def _read(text: str, whole: str) -> Collector:
    if text.count(":") > 1 and text[0] not in "[<" and "?" not in text:
        text = f"[{text}]"  # HTCondor adds the brackets to a naked IPv6 address too (condor_sinful.cpp)
    match = _PARTS.fullmatch(text)
    if match is None:
        raise _refused(whole)
    host, port, parameters = match[1], int(match[2] or DEFAULT_PORT), match[3] or ""
    if (host.startswith("[") and not _is_ipv6(host[1:-1])) or len(host) > MAX_HOST_LENGTH:
        raise _refused(whole)
    if _ADDRESS_LIKE.fullmatch(host) and not _is_ipv4(host):
        raise _refused(whole)  # no name ends in a number (RFC 3696, section 2)
    address = f"{host}:{port}{parameters}"
    return Collector(host, port, f"<{address}>" if text.startswith("<") else address, _others(parameters))


def _others(parameters: str) -> tuple[tuple[str, int], ...]:
    match = _MORE_ADDRESSES.search(parameters)
    pairs = [each.rpartition("-") for each in match[1].split("+")] if match else []
    # Within `addrs` a colon of an IPv6 address is written as `-`.
    return tuple((host, int(port)) for host, _, port in pairs if port.isdigit() and 0 < int(port) <= _MAX_PORT)


def _is_ipv6(text: str) -> bool:
    return isinstance(_address(text), ipaddress.IPv6Address)


def _is_ipv4(text: str) -> bool:
    return isinstance(_address(text), ipaddress.IPv4Address)


def _is_local(host: str) -> bool:
    """True for an address of the loopback or of a link, for the unspecified one, and for a name of the loopback."""
    name = host.strip("[]")
    address = _address(name) or _address(name.replace("-", ":"))  # within `addrs` a colon is written as `-`
    if address is None:
        return _SAME_HOST.fullmatch(host) is not None
    return address.is_loopback or address.is_unspecified or address.is_link_local


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _refused(text: str) -> ValueError:
    return ValueError(f"{text!r} is not {COLLECTOR.allowed}")
