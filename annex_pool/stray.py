"""Instances that carry the name of an annex that has no Auto Scaling group any more: nobody ends them, and they cost.

A group can be deleted by force, or by hand, while its instances live on. Whose they are is told by what everything of
one annex shares: its id, or the name of its group in the tag that only EC2 Auto Scaling can write.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annex_lease.aws import Annex, read_group
from annex_lease.observed import DEAD_INSTANCE_STATES, Instance
from annex_lease.ownership import GROUP_TAG
from annex_lease.tags import TAG_ID, TAG_NAME, shown
from annex_pool.aws import Aws, asking
from annex_pool.error import AnnexError

_IDS_SHOWN = 10


@dataclass(frozen=True)
class Stray:
    """A alive instance with an annex's name. `annex_id` and `group` are empty where it does not carry the tag."""

    id: str
    state: str
    annex_id: str
    group: str


def list_strays(aws: Aws, name: str) -> tuple[Stray, ...]:
    """The alive instances of exactly this annex name, for an annex that has no group.

    Raises:
        AnnexError: AWS refused or could not be asked: what cannot be listed is never taken for nothing.
    """
    with asking(f"for the instances that carry the name of annex {name} in {aws.region}"):
        pages = aws.ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": f"tag:{TAG_NAME}", "Values": [name]}]
        )
        described = [
            (each["InstanceId"], each["State"]["Name"], {tag["Key"]: tag["Value"] for tag in each.get("Tags", [])})
            for page in pages
            for reservation in page["Reservations"]
            for each in reservation["Instances"]
        ]
    # The filter alone is no comparison: its values may hold wildcards.
    return tuple(
        Stray(key, state, tags.get(TAG_ID, ""), tags.get(GROUP_TAG, ""))
        for key, state, tags in sorted(described, key=lambda item: item[0])
        if tags.get(TAG_NAME) == name and state not in DEAD_INSTANCE_STATES
    )


def machines(strays: Sequence[Stray]) -> tuple[Instance, ...]:
    """The strays as the lease's own code takes instances."""
    return tuple(Instance(stray.id, stray.state, bool(stray.group)) for stray in strays)


def states(strays: Sequence[Stray]) -> Mapping[str, str]:
    """Their EC2 states by id."""
    return {stray.id: stray.state for stray in strays}


def one_annex(aws: Aws, name: str, strays: Sequence[Stray]) -> Annex | None:
    """The one annex without a group that all these instances are of; None if it is not certain that there is one.

    Args:
        aws: the clients of the Region.
        name: the annex's name.
        strays: at least one.

    Raises:
        AnnexError: AWS refused or could not be asked.
    """
    ids, groups = {stray.annex_id for stray in strays}, {stray.group for stray in strays}
    one_id = next(iter(ids)) if len(ids) == 1 else ""
    one_group = next(iter(groups)) if len(groups) == 1 else ""
    if not one_id and not one_group:
        return None
    # A group that exists and only lost the tag with the name would replace whatever is terminated here.
    if any(_exists(aws, group) for group in groups if group) or (one_id and _id_has_group(aws, one_id)):
        return None
    return Annex(one_group, "", aws, name=name, id=one_id)


def _exists(aws: Aws, group: str) -> bool:
    with asking(f"for the Auto Scaling group {group} in {aws.region}"):
        return read_group(Annex(group, "", aws)) is not None


def _id_has_group(aws: Aws, annex_id: str) -> bool:
    with asking(f"for an Auto Scaling group of annex id {shown(annex_id)} in {aws.region}"):
        pages = aws.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
            Filters=[{"Name": f"tag:{TAG_ID}", "Values": [annex_id]}]
        )
        return any(page["AutoScalingGroups"] for page in pages)


def explained(aws: Aws, name: str, strays: Sequence[Stray]) -> str:
    """What an operator has to know of these strays, and to do about them.

    Raises:
        AnnexError: AWS refused or could not be asked.
    """
    if one_annex(aws, name, strays) is not None:
        return f"{counted(aws, name, strays)}; terminate them with `annex stop {name}`"
    return f"{counted(aws, name, strays)}; {unclear(name)}"


def unclear(name: str) -> str:
    """Why such instances are not terminated, and where to look."""
    return (
        "they are not certainly of one annex whose group is gone (not all carry one annex:id or the name of one "
        f"missing group), so nothing terminates them: look at `annex leftovers {name}`"
    )


def counted(aws: Aws, name: str, strays: Sequence[Stray]) -> str:
    """How many strays there are, and the first of their ids."""
    number = len(strays)
    listed = ", ".join(stray.id for stray in strays[:_IDS_SHOWN]) + (", ..." if number > _IDS_SHOWN else "")
    what = "1 instance that carries its name is" if number == 1 else f"{number} instances that carry its name are"
    return f"annex {name} has no Auto Scaling group in {aws.region}, but {what} there and billed: {listed}"


def check_none_left(aws: Aws, name: str) -> str:
    """That no instance is billed of an annex that is not deployed, in words: EC2 was asked, and said so.

    Raises:
        AnnexError: there are such instances; AWS refused or could not be asked.
    """
    try:
        strays = list_strays(aws, name)
    except AnnexError as error:
        raise AnnexError(
            f"annex {name} has no Auto Scaling group in {aws.region}, and whether instances of it are still billed is "
            f"not known: {error}"
        ) from error
    if strays:
        raise AnnexError(explained(aws, name, strays))
    return "no instance is billed: EC2 lists none that carries its name"
