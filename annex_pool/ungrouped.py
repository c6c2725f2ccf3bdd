"""Instances that carry the name of an annex whose Auto Scaling group is gone: nothing ends them, and they are billed.

A group can be deleted by force, or by hand, while its instances still run. The instances certainly belong to one annex
if all carry one id, or if all carry the name of one group. Only EC2 Auto Scaling can write the tag with that name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from annex_lease.aws import PAGE_SIZE, AnnexAccess, read_group
from annex_lease.observed import DEAD_INSTANCE_STATES, Instance
from annex_lease.ownership import Identity, by_key_from_api, carries_name
from annex_lease.tags import TAG_ID, TAG_NAME, shown
from annex_pool.command_error import AnnexError
from annex_pool.region import RegionClients, asking

_IDS_SHOWN = 10


@dataclass(frozen=True)
class UngroupedInstance:
    """Alive instance with an annex's name, and the identity that its tags claim."""

    id: str
    state: str
    claimed: Identity


def list_ungrouped(aws: RegionClients, name: str, annex_id: str = "") -> tuple[UngroupedInstance, ...]:
    """List the alive instances of exactly this annex name, for an annex without a group.

    Args:
        aws: the clients of the Region.
        name: the annex's name.
        annex_id: id of the annex. Default: "" - instances of any id.

    Raises:
        AnnexError: AWS refused or could not be asked. A failed listing is never an empty one.
    """
    with asking(f"for the instances that carry the name of annex {name} in {aws.region}"):
        pages = aws.ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": f"tag:{TAG_NAME}", "Values": [name]}], PaginationConfig={"PageSize": PAGE_SIZE}
        )
        described = [
            (each["InstanceId"], each["State"]["Name"], by_key_from_api(each.get("Tags", [])))
            for page in pages
            for reservation in page["Reservations"]
            for each in reservation["Instances"]
        ]
    # Compared once more: filter values may hold wildcards.
    return tuple(
        UngroupedInstance(key, state, Identity.claimed_by(tags))
        for key, state, tags in sorted(described, key=lambda item: item[0])
        if carries_name(tags, name)
        and state not in DEAD_INSTANCE_STATES
        and (not annex_id or Identity.claimed_by(tags).id == annex_id)
    )


def as_instances(ungrouped: Sequence[UngroupedInstance]) -> tuple[Instance, ...]:
    """Convert to the instances of annex_lease."""
    return tuple(Instance(each.id, each.state, bool(each.claimed.group)) for each in ungrouped)


def ec2_states(ungrouped: Sequence[UngroupedInstance]) -> Mapping[str, str]:
    """Their EC2 states by id."""
    return {each.id: each.state for each in ungrouped}


def one_annex(aws: RegionClients, name: str, ungrouped: Sequence[UngroupedInstance]) -> AnnexAccess | None:
    """The one annex without a group that all these instances belong to; None if that is not certain.

    Args:
        aws: the clients of the Region.
        name: the annex's name.
        ungrouped: at least one instance.

    Raises:
        AnnexError: AWS refused or could not be asked.
    """
    ids, groups = {each.claimed.id for each in ungrouped}, {each.claimed.group for each in ungrouped}
    one_id = next(iter(ids)) if len(ids) == 1 else ""
    one_group = next(iter(groups)) if len(groups) == 1 else ""
    if not one_id and not one_group:
        return None
    # A group that exists and only lost the tag with the name would replace the instances that are terminated here.
    if any(_exists(aws, group) for group in groups if group) or (one_id and _id_has_group(aws, one_id)):
        return None
    return AnnexAccess(one_group, "", aws, name=name, id=one_id)


def _exists(aws: RegionClients, group: str) -> bool:
    with asking(f"for the Auto Scaling group {group} in {aws.region}"):
        return read_group(AnnexAccess(group, "", aws)) is not None


def _id_has_group(aws: RegionClients, annex_id: str) -> bool:
    with asking(f"for an Auto Scaling group of annex id {shown(annex_id)} in {aws.region}"):
        pages = aws.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
            Filters=[{"Name": f"tag:{TAG_ID}", "Values": [annex_id]}]
        )
        return any(page["AutoScalingGroups"] for page in pages)


def explained(aws: RegionClients, name: str, ungrouped: Sequence[UngroupedInstance]) -> str:
    """Describe the instances for the operator, with the remedy.

    Raises:
        AnnexError: AWS refused or could not be asked.
    """
    if one_annex(aws, name, ungrouped) is not None:
        return f"{counted(aws, name, ungrouped)}; terminate them with `annex stop {name}`"
    return f"{counted(aws, name, ungrouped)}; {unclear(name)}"


def unclear(name: str) -> str:
    """Reason why such instances are not terminated, and the place to look."""
    return (
        "they do not certainly belong to one annex whose group is gone (not all carry one annex:id or the name of one "
        f"missing group), so nothing terminates them: look at `annex leftovers {name}`"
    )


def counted(aws: RegionClients, name: str, ungrouped: Sequence[UngroupedInstance]) -> str:
    """Number of the instances, with the first of their ids."""
    number = len(ungrouped)
    listed = ", ".join(each.id for each in ungrouped[:_IDS_SHOWN]) + (", ..." if number > _IDS_SHOWN else "")
    what = "1 instance that carries its name is" if number == 1 else f"{number} instances that carry its name are"
    return f"annex {name} has no Auto Scaling group in {aws.region}, but {what} there and billed: {listed}"


def check_none_left(aws: RegionClients, name: str) -> str:
    """Check that EC2 lists no instance of an annex that is not deployed, and return that statement.

    Raises:
        AnnexError: there are such instances; AWS refused or could not be asked.
    """
    try:
        ungrouped = list_ungrouped(aws, name)
    except AnnexError as error:
        raise AnnexError(
            f"annex {name} has no Auto Scaling group in {aws.region}, and it is not known whether its instances are "
            f"still billed: {error}"
        ) from error
    if ungrouped:
        raise AnnexError(explained(aws, name, ungrouped))
    return "no instance is billed: EC2 lists none that carries its name"
