"""What a fleet can be: its size, its instance types."""

from collections.abc import Sequence

from aws_cdk import Token
from aws_cdk import aws_ec2 as ec2

from annex_constructs.errors import check_whole_number, invalid_value

LARGEST_SIZE = 10_000
"""Most instances a fleet can be declared with: a slip in a number must not become a bill."""
_MOST_TYPES = 40  # overrides of a mixed instances policy


def check_capacity(max_size: float, on_demand_base: float, on_demand_percentage: float) -> None:
    """Refuse numbers of instances that make no sense.

    :param max_size: most instances.
    :param on_demand_base: instances that are on-demand before any is spot.
    :param on_demand_percentage: percentage of the others that is on-demand.
    :raises ValueError: a number is not allowed.
    """
    check_whole_number("AnnexFleet max_size", max_size, least=1, most=LARGEST_SIZE, fix="pass max_size=2")
    most = LARGEST_SIZE if Token.is_unresolved(max_size) else int(max_size)
    fix = "pass on_demand_base=0, or a larger max_size"
    check_whole_number("AnnexFleet on_demand_base", on_demand_base, least=0, most=most, fix=fix)
    fix = "pass on_demand_percentage=0 for spot only"
    check_whole_number("AnnexFleet on_demand_percentage", on_demand_percentage, least=0, most=100, fix=fix)


def check_types(instance_types: Sequence[ec2.InstanceType]) -> None:
    """Refuse instance types that cannot share one image and one policy.

    :param instance_types: the types.
    :raises ValueError: none, too many, the same twice, or of two processor architectures.
    """
    names = [each.to_string() for each in instance_types]
    if not 1 <= len(set(names)) == len(names) <= _MOST_TYPES:
        raise invalid_value(
            "AnnexFleet instance_types",
            received=names,
            allowed=f"1 to {_MOST_TYPES} different types",
            fix='pass instance_types=[ec2.InstanceType("c6a.large")]',
        )
    known = [each for each, name in zip(instance_types, names, strict=True) if not Token.is_unresolved(name)]
    if len({each.architecture for each in known}) > 1:
        raise invalid_value(
            "AnnexFleet instance_types",
            received=names,
            allowed="types of one processor architecture, because all boot the same image",
            fix="make a second annex for the other architecture",
        )
