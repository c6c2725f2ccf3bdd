"""Warnings about an annex that its spec file may declare, and that few people want."""

from collections.abc import Collection, Iterable
from datetime import datetime

from annex_lease.forms import SHARED_NETWORK
from annex_lease.image_rules import other_root
from annex_lease.installation_rules import bare_image
from annex_lease.past_end import past_end
from annex_spec.model import AnnexSpec

_QUOTA = 5  # "VPCs per Region", and as many Internet gateways (Amazon VPC User Guide, "Amazon VPC quotas")
_UNNOTICED = _QUOTA - 2  # the default VPC is one of them, and with the next one there is no room for another


def annex_warnings(annex: AnnexSpec, annexes: Collection[AnnexSpec], now: datetime) -> tuple[str, ...]:
    """The warnings about an annex, in words.

    Args:
        annex: the annex.
        annexes: all annexes of its file.
        now: the current time, aware.
    """
    found = (
        network_warning(annex, annexes),
        image_warning(annex),
        root_warning(annex),
        past_end(annex.name, annex.lease_ends_at, now),
    )
    return tuple(text for text in found if text is not None)


def image_warning(annex: AnnexSpec) -> str | None:
    """A warning if no instance of the annex will have HTCondor; None if it may."""
    return bare_image(annex.name, annex.image, annex.htcondor, annex.script)


def root_warning(annex: AnnexSpec) -> str | None:
    """A warning if the stock image of the annex has another root volume than declared; None if not."""
    return other_root(annex.name, annex.image, annex.root_device)


def network_warning(annex: AnnexSpec, annexes: Iterable[AnnexSpec]) -> str | None:
    """`vpc_warning` for an annex that makes a VPC of its own; None for another one.

    Args:
        annex: the annex.
        annexes: all annexes of its file.
    """
    return vpc_warning(annexes, annex.region) if annex.vpc is None else None


def vpc_warning(annexes: Iterable[AnnexSpec], region: str) -> str | None:
    """A warning if the annexes of a file make more than three VPCs in one account and Region; None if they do not.

    An annex that states no account may be in any of those that others state. A shared network is one VPC.

    Args:
        annexes: the annexes of the file.
        region: the Region.
    """
    makers = [annex for annex in annexes if annex.region == region and annex.vpc in (None, SHARED_NETWORK)]
    accounts = {annex.account for annex in makers} - {None} or {None}
    count = max(
        len({annex.name if annex.vpc is None else None for annex in makers if annex.account in (account, None)})
        for account in accounts
    )
    if count <= _UNNOTICED:
        return None
    return (
        f"the annexes of this file make {count} VPCs in {region}; by default an account may have {_QUOTA} there, its "
        f'default VPC included; fix: write vpc = "{SHARED_NETWORK}" for several annexes, name a VPC of yours, or ask '
        "AWS for a higher quota"
    )
