"""Processor architecture of EC2 instance types by their names, and the types on which no annex works.

A name is a family, a dot and a size; a family is letters, a generation, letters of options, and sometimes a suffix
after a hyphen. Among the options "g" stands for AWS Graviton, an Arm processor (Amazon EC2 Instance Types guide,
"Amazon EC2 instance type naming conventions"). A rule, and no list of families, because AWS adds some every month.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from annex_lease.stock_images import ARM64, X86_64

_FAMILY = re.compile(r"([a-z]+?)(\d+)([a-z]*)(?:-(.*))?")
# The first Graviton family has no option letter. GB200 and the like join an Nvidia GPU with its own Arm processor.
_FIRST_GRAVITON = "a1"
_ARM_SUFFIX = re.compile(r"g[bh]\d+")
# Families of the Xen hypervisor (Amazon EC2 Instance Types guide, "Amazon EC2 instance type specifications", column
# "Hypervisor"; previous generations: "Previous generation instances"). All later ones are built on the Nitro System.
# fmt: off
_XEN = frozenset({
    "t1", "t2", "m1", "m2", "m3", "m4", "c1", "c3", "c4", "cc1", "cc2", "cr1", "r3", "r4", "x1", "x1e", "d2", "h1",
    "hi1", "hs1", "i2", "i3", "f1", "g2", "g3", "g3s", "cg1", "p2", "p3",
})
# fmt: on
_METAL = "metal"  # bare metal: no hypervisor, built on the Nitro System, i3.metal too
_MAC = re.compile(r"mac[0-9-]")

NO_MAC = "it is an Apple computer: it runs macOS only, on a Dedicated Host (EC2 User Guide, 'Amazon EC2 Mac instances')"
NO_XEN = (
    "it is not built on the Nitro System, so a running instance does not see a changed end of its lease (EC2 User "
    "Guide, 'View tags for your EC2 instances using instance metadata')"
)


def architecture(name: str) -> str:
    """Processor architecture of an instance type: `ARM64` or `X86_64`.

    Args:
        name: the type, such as `c6a.large`.
    """
    family = _family(name)
    match = _FAMILY.fullmatch(family)
    if family == _FIRST_GRAVITON:
        return ARM64
    if match is None:
        return X86_64
    options, suffix = match[3], match[4] or ""
    return ARM64 if "g" in options or _ARM_SUFFIX.match(suffix) else X86_64


def architectures(names: Iterable[str]) -> tuple[str, ...]:
    """The architectures of these types, sorted; more than one cannot share an image."""
    return tuple(sorted({architecture(each) for each in names}))


def unusable(name: str) -> str:
    """The reason why no annex works on this type, in words; empty if one does.

    Args:
        name: the type.
    """
    family, _, size = name.partition(".")
    if _MAC.match(family):
        return NO_MAC
    return NO_XEN if family in _XEN and not size.startswith(_METAL) else ""


def _family(name: str) -> str:
    return name.partition(".")[0]
