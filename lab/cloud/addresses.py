"""Private addresses of instances: from the subnet's block, unique over all VPCs, because they share one bridge."""

import ipaddress

from lab.cloud.emulator import ec2
from lab.cloud.query import ApiError

NETWORK = ipaddress.IPv4Network("10.0.0.0/8")
GATEWAY = "10.255.255.254"
"""The bridge's own address: no instance may have it."""

# "The first four IP addresses and the last IP address in each subnet CIDR block are not available":
# https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
_RESERVED_FIRST = 4


def allocate(subnet_id: str) -> str:
    """The lowest free address of a subnet.

    Raises:
        ApiError: InvalidSubnetID.NotFound, InsufficientFreeAddressesInSubnet, or InvalidSubnet for a block outside
            10.0.0.0/8, which the lab does not route.
    """
    subnet = ec2._subnets.get(subnet_id)
    if subnet is None:
        raise ApiError("InvalidSubnetID.NotFound", f"The subnet ID '{subnet_id}' does not exist")
    block = ipaddress.IPv4Network(subnet["CidrBlock"])
    if not block.subnet_of(NETWORK):
        raise ApiError(
            "InvalidSubnet", f"subnet {subnet_id} has {block}; the lab routes {NETWORK} only: use a block in it"
        )
    for offset in range(_lowest.get(subnet_id, _RESERVED_FIRST), block.num_addresses - 1):
        address = str(block[offset])
        if address not in _held:
            _lowest[subnet_id] = offset
            return address
    raise ApiError("InsufficientFreeAddressesInSubnet", f"There are not enough free addresses in subnet '{subnet_id}'")


_held = {GATEWAY}
_lowest: dict[str, int] = {}
"""Lower bound of a subnet's free addresses, kept because a test launches thousands of instances."""


def hold(address: str) -> None:
    """Keep an address for an instance until it is terminated."""
    _held.add(address)


def release(address: str) -> None:
    """Release an address."""
    _held.discard(address)
    _lowest.clear()


def is_held(record: dict[str, object]) -> bool:
    """True until the instance is terminated, which waits for its machine."""
    state = record["State"]
    return isinstance(state, dict) and state["Name"] != "terminated"


def mac(address: str) -> str:
    """The MAC address of an instance: ``02:00`` and its IPv4 address in hexadecimal."""
    octets = ipaddress.IPv4Address(address).packed
    return ":".join(f"{octet:02x}" for octet in b"\x02\x00" + octets)
