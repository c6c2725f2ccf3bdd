"""Warnings about an annex that its spec file may declare, and that few people want."""

from collections.abc import Collection, Iterable
from datetime import datetime

from annex_lease.forms import SHARED_NETWORK
from annex_lease.tags import format_time
from annex_lease.terms import LEASE_ENDS_AT
from annex_spec.model import AnnexSpec

_QUOTA = 5  # "VPCs per Region", and as many Internet gateways (Amazon VPC User Guide, "Amazon VPC quotas")
_UNNOTICED = _QUOTA - 2  # the default VPC is one of them, and with the next one there is no room for another


def annex_warnings(annex: AnnexSpec, annexes: Collection[AnnexSpec], now: datetime) -> dict[str, str]:
    """The warnings about an annex, by the names of what they are about: `vpcQuota`, `pastEnd`.

    Args:
        annex: the annex.
        annexes: all annexes of its file.
        now: the current time, aware.
    """
    found = {
        "vpcQuota": vpc_warning(annexes, annex.region) if annex.vpc is None else None,
        "pastEnd": past_end_warning(annex, now),
    }
    return {name: text for name, text in found.items() if text is not None}


def past_end_warning(annex: AnnexSpec, now: datetime) -> str | None:
    """A warning if the declared end of the lease has passed; None if it has not, or if the lease has a length.

    It is no error: an annex whose end has passed must still be destroyable with the file that deployed it.

    Args:
        annex: the annex.
        now: the current time, aware.
    """
    end = annex.lease_ends_at
    if end is None or now < end:
        return None
    return (
        f"annex {annex.name}: {LEASE_ENDS_AT.name} is {format_time(end)}, which has passed: a new annex starts no "
        "instance; fix: write a later time, or destroy the annex"
    )


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
