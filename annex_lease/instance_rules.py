"""Rules about the Region, the instance types and the keys of an annex, beyond the form of one text.

A rule returns None, or the conflict in words, as those of `annex_lease.rules` do.
"""

from __future__ import annotations

from collections.abc import Sequence

from annex_lease.forms import arn_region
from annex_lease.instance_types import architectures, unusable
from annex_lease.regions import is_misspelt, nearest_region, partition
from annex_lease.rules import Conflict
from annex_lease.terms import INSTANCE_TYPES, PERMISSIONS_BOUNDARY, PROTECT_BUSY, REGION, RENEW_WHILE_BUSY


def region_conflict(region: str) -> Conflict | None:
    """A Region's code that is misspelt is refused; one that this release does not know is not."""
    close = nearest_region(region)
    if REGION.form.matches(region) and not is_misspelt(region):
        return None
    return Conflict(REGION.name, REGION.allowed, advice=f'did you mean "{close}"?') if close else None


def types_conflict(instance_types: Sequence[str]) -> Conflict | None:
    """All types boot one image, see the tags of their instance, and run Linux."""
    for each in instance_types:
        reason = unusable(each)
        if reason:
            allowed = f"types that an annex works on, and not {each}: {reason}"
            return Conflict(INSTANCE_TYPES.name, allowed, advice=f"remove {each}")
    if len(architectures(instance_types)) > 1:
        allowed = "types of one processor architecture, because all boot the same image"
        return Conflict(INSTANCE_TYPES.name, allowed, advice="make a second annex for the other architecture")
    return None


def default_protection(renew_while_busy: object | None) -> bool:
    """The protection of busy instances where none is declared: on exactly if they renew the lease."""
    return renew_while_busy is not None


def protection_conflict(renew_while_busy: object | None, protect_busy: bool) -> Conflict | None:
    """A lease that is renewed while busy needs the protection: the lease checker sees a job by it alone."""
    if renew_while_busy is None or protect_busy:
        return None
    renew = RENEW_WHILE_BUSY.name
    allowed = f"true with {renew}: the lease checker sees by the protection that an instance is busy"
    return Conflict(PROTECT_BUSY.name, allowed, advice=f"remove {PROTECT_BUSY.name}, or {renew}", received="false")


def partition_conflict(name: str, arn: str | None, region: str) -> Conflict | None:
    """A resource of another partition of AWS, such as GovCloud, does not exist for an annex's account.

    Args:
        name: name of the declared value.
        arn: ARN that is declared; None: none is.
        region: the annex's Region.
    """
    wanted = partition(region)
    if arn is None or arn.split(":")[1] == wanted:
        return None
    allowed = f"an ARN that begins with arn:{wanted}: as all of {region} do"
    return Conflict(name, allowed, advice=f"name one that exists in {region}")


def boundary_conflict(boundary: str | None, account: str | None) -> Conflict | None:
    """The boundary of a role is a policy of the role's own account, or one of AWS.

    So the IAM User Guide, "Permissions boundaries for IAM entities".

    Args:
        boundary: ARN of the policy; None: none is declared.
        account: the annex's account; None: none is declared.
    """
    owner = "aws" if boundary is None else boundary.split(":")[4]
    if account is None or owner in ("aws", account):
        return None
    return Conflict(PERMISSIONS_BOUNDARY.name, f"a policy of the annex's account, {account}", advice="use one of it")


def key_conflict(name: str, key: str | None, region: str) -> Conflict | None:
    """A KMS key encrypts in its own Region only.

    Args:
        name: name of the declared value.
        key: ARN of the key; None: none is declared.
        region: the annex's Region.
    """
    if key is None or arn_region(key) == region:
        return None
    return Conflict(name, f"a key in the annex's Region, {region}", advice=f"use a key of {region}")
