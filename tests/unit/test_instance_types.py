"""Architecture and usability of every instance type, by its name, against what EC2 says of each."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import moto.ec2
import pytest

from annex_lease.forms import INSTANCE_TYPE
from annex_lease.instance_types import NO_MAC, NO_XEN, architecture, architectures, unusable
from annex_lease.stock_images import ARM64, X86_64
from tests.unit.aws_names import instance_type_names

NAMES = instance_type_names()
# The answers of DescribeInstanceTypes, as the emulator has collected them from EC2.
DESCRIBED: dict[str, Any] = json.loads(
    gzip.decompress((Path(moto.ec2.__file__).parent / "resources/instance_types.json.gz").read_bytes())
)


def test_there_are_types_to_compare() -> None:
    assert len(NAMES) >= 1400
    assert len(DESCRIBED) >= 1300


def test_every_type_has_the_form() -> None:
    assert [name for name in NAMES if not INSTANCE_TYPE.matches(name)] == []


def test_the_architecture_is_that_of_ec2() -> None:
    wrong = {}
    for name, described in DESCRIBED.items():
        processor = described["ProcessorInfo"]["SupportedArchitectures"]
        if "mac" not in processor[0] and architecture(name) not in processor:
            wrong[name] = processor
    assert wrong == {}


def test_types_of_xen_and_apple_are_unusable_and_no_others() -> None:
    wrong = {}
    for name, described in DESCRIBED.items():
        reason = NO_XEN if described.get("Hypervisor") == "xen" else ""
        if "mac" in described["ProcessorInfo"]["SupportedArchitectures"][0]:
            reason = NO_MAC
        if unusable(name) != reason:
            wrong[name] = unusable(name)
    assert wrong == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a1.large", ARM64),
        ("g5g.xlarge", ARM64),
        ("p6e-gb200.36xlarge", ARM64),
        ("x8g.large", ARM64),
        ("c9gd.large", ARM64),
        ("hpc7g.4xlarge", ARM64),
        ("g4dn.xlarge", X86_64),
        ("gr6f.4xlarge", X86_64),
        ("p6-b200.48xlarge", X86_64),
        ("u-6tb1.metal", X86_64),
        ("u7inh-32tb.480xlarge", X86_64),
        ("m8i-flex.large", X86_64),
    ],
)
def test_the_architecture_of_a_name(name: str, expected: str) -> None:
    assert architecture(name) == expected


def test_a_list_has_the_architectures_of_its_types() -> None:
    assert architectures(["c6a.large", "c6i.large"]) == (X86_64,)
    assert architectures(["c6a.large", "c6g.large"]) == (ARM64, X86_64)


# Retired before the emulator's list was made, and the one bare metal type of a family of Xen.
@pytest.mark.parametrize(
    ("name", "reason"),
    [("p3.2xlarge", NO_XEN), ("p3dn.24xlarge", ""), ("g3s.xlarge", NO_XEN), ("f1.2xlarge", NO_XEN), ("i3.metal", "")],
)
def test_types_that_no_list_has(name: str, reason: str) -> None:
    assert unusable(name) == reason
