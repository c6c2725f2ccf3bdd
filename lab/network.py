"""Network of the lab inside the sandbox: a VPC bridge for the instances, the pool's site, and the router between.

The sandbox's own network namespace is the cloud: it has the API's address, the metadata service's address, and the
bridge of the instances. The pool is in a named namespace behind a pair of interfaces. It sees the
instances only through address translation and can reach none of them, as with instances behind a NAT gateway.
"""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
from ipaddress import IPv4Address
from pathlib import Path

from lab.package_server import HOSTS
from lab.processes import run, start, stop

POOL_NAMESPACE = "pool"
POOL_ADDRESS = "198.18.0.10"
POOL_NAME = "cm.pool.lab"
CLOUD_ADDRESS = "198.18.0.1"
CLOUD_DOMAIN = "amazonaws.com"
PACKAGES_ADDRESS = "198.18.0.2"
METADATA_ADDRESS = (
    "169.254.169.254"  # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
)
RESOLVER_ADDRESS = "169.254.169.253"  # https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
GATEWAY_ADDRESS = "10.255.255.254"
VPC = "10.0.0.0/8"
BRIDGE = "vpc0"
# A bridge without an address of its own takes one of its ports', and changes it when that port leaves.
BRIDGE_MAC = "02:00:0a:ff:ff:fe"
LINK = "to-pool"

RULES = f"""
table inet lab {{
    chain forward {{
        type filter hook forward priority filter; policy drop;
        ct state established,related accept
        iifname "{BRIDGE}" oifname "{LINK}" ip daddr {POOL_ADDRESS} accept
    }}
    chain postrouting {{
        type nat hook postrouting priority srcnat;
        ip saddr {VPC} oifname "{LINK}" masquerade
    }}
}}
"""

TUNSETIFF = 0x400454CA  # <linux/if_tun.h>
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
IFF_VNET_HDR = 0x4000


def mac_address(ip: str) -> str:
    """The MAC address of an instance: 02:00 and its IPv4 address."""
    return ":".join(f"{octet:02x}" for octet in b"\x02\x00" + IPv4Address(ip).packed)


class Network:
    """Network of one lab. ``create`` is called once; ``plug`` also from another process of the same sandbox."""

    def __init__(self, directory: Path) -> None:
        """``directory``: files of the name and address server; the same in every process."""
        self._directory = directory
        self._leases = directory / "dhcp-hosts"
        self._dnsmasq: subprocess.Popen[bytes] | None = None

    def create(self) -> None:
        """Makes the interfaces, the pool's namespace and the rules, and starts the name and address server.

        Raises:
            LabError: a program or a kernel feature is missing.
        """
        self._leases.mkdir(parents=True, exist_ok=True)
        _settings()
        _make_bridge()
        _make_pool()
        run("nft", "-f", "-", text=RULES)
        self._dnsmasq = start(_dnsmasq(self._directory), log=self._directory / "dnsmasq.log")

    def plug(self, name: str, *, mac: str, ip: str) -> int:
        """Gives a machine a port on the bridge and an address by DHCP; returns the open descriptor of the port.

        The port exists as long as the descriptor is open in some process. Pass it to the machine's process and close
        it here: the port then ends with that process. No instance can reach another, as with a security group without
        ingress rules (ours) in EC2.
        """
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        interface = f"i{name[-14:]}"  # names of interfaces have at most 15 characters
        try:
            request = struct.pack("16sH22x", interface.encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)
            fcntl.ioctl(descriptor, TUNSETIFF, request)
            run("ip", "link", "set", interface, "master", BRIDGE, "up")
            run("bridge", "link", "set", "dev", interface, "isolated", "on")
            # dnsmasq reads new files of this directory by itself. An address always has the same MAC, so none is stale.
            (self._leases / ip).write_text(f"{mac},{ip}\n")
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def close(self) -> None:
        """Stops the name and address server. Interfaces and rules end with the sandbox."""
        if self._dnsmasq is not None:
            stop(self._dnsmasq)


def _settings() -> None:
    # IPv6 is off: nothing here has such addresses, and waiting for them to be checked for duplicates takes seconds.
    for name, value in {
        "ipv4/ip_forward": "1",
        "ipv6/conf/all/disable_ipv6": "1",
        "ipv6/conf/default/disable_ipv6": "1",
    }.items():
        setting = Path("/proc/sys/net") / name
        if setting.exists():  # a kernel without IPv6 has no switch for it
            setting.write_text(value)


def _make_bridge() -> None:
    run("ip", "link", "add", BRIDGE, "address", BRIDGE_MAC, "type", "bridge", "forward_delay", "0")
    run("ip", "address", "add", f"{GATEWAY_ADDRESS}/{VPC.partition('/')[2]}", "dev", BRIDGE)
    for address in (METADATA_ADDRESS, RESOLVER_ADDRESS):
        run("ip", "address", "add", f"{address}/32", "dev", BRIDGE)
    run("ip", "link", "set", BRIDGE, "up")


def _make_pool() -> None:
    run("ip", "netns", "add", POOL_NAMESPACE)
    run("ip", "link", "add", LINK, "type", "veth", "peer", "name", "eth0", "netns", POOL_NAMESPACE)
    for address in (CLOUD_ADDRESS, PACKAGES_ADDRESS):
        run("ip", "address", "add", f"{address}/24", "dev", LINK)
    run("ip", "link", "set", LINK, "up")
    run("ip", "-n", POOL_NAMESPACE, "address", "add", f"{POOL_ADDRESS}/24", "dev", "eth0")
    for interface in ("lo", "eth0"):
        run("ip", "-n", POOL_NAMESPACE, "link", "set", interface, "up")
    # With this route an outgoing connection is refused by the rules above, not for want of a route.
    run("ip", "-n", POOL_NAMESPACE, "route", "add", "default", "via", CLOUD_ADDRESS)


def _dnsmasq(directory: Path) -> list[str]:
    return [
        "dnsmasq",
        "--keep-in-foreground",
        "--conf-file=/dev/null",
        "--pid-file=",
        "--user=root",
        "--log-facility=-",
        "--bind-interfaces",
        f"--interface={BRIDGE}",
        f"--interface={LINK}",
        f"--no-dhcp-interface={LINK}",
        # Names. An unknown name is answered with "no such name": a client without an answer waits for minutes.
        "--no-resolv",
        "--no-hosts",
        "--address=/#/",
        f"--address=/{CLOUD_DOMAIN}/{CLOUD_ADDRESS}",
        *(f"--address=/{host}/{PACKAGES_ADDRESS}" for host in HOSTS),
        f"--address=/{POOL_NAME}/{POOL_ADDRESS}",
        # Addresses, for known machines only, without the three seconds of a search for duplicates.
        f"--dhcp-range={VPC.partition('/')[0]},static,255.0.0.0,infinite",
        f"--dhcp-hostsdir={directory / 'dhcp-hosts'}",
        f"--dhcp-leasefile={directory / 'dhcp-leases'}",
        f"--dhcp-option=option:router,{GATEWAY_ADDRESS}",
        f"--dhcp-option=option:dns-server,{RESOLVER_ADDRESS}",
        "--dhcp-authoritative",
        "--dhcp-rapid-commit",
        "--no-ping",
        "--dhcp-lease-max=10000",
    ]
