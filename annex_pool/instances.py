"""The instances of an annex that still cost money, from a fresh listing of its group and of EC2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from annex_lease.aws import list_instances, read_group
from annex_lease.observed import Group
from annex_pool.aws import asking
from annex_pool.finding import Deployed


def observe(found: Deployed) -> Group | None:
    """The annex's group now, with the machines that EC2 lists for it; None if the group is gone with all of them.

    Raises:
        AnnexError: AWS refused or could not be asked: what cannot be listed is never taken for nothing.
    """
    with asking(f"for the instances of group {found.group.name} in {found.aws.region}"):
        group = read_group(found.annex)
        machines = list_instances(found.annex)
    if group is not None:
        return replace(group, instances=machines)
    # A group can be deleted by force while its instances live on.
    return replace(found.group, members=(), instances=machines) if machines else None


def states(group: Group) -> Mapping[str, str]:
    """The alive instances by id, with the group's lifecycle state, or EC2's where the group does not list them."""
    known = {machine.id: machine.state for machine in group.instances or ()}
    known |= {instance.id: instance.state for instance in group.members}
    return {key: known[key] for key in group.alive()}


def alive(found: Deployed) -> Mapping[str, str]:
    """The alive instances of the annex by id, with their states, as of now.

    Raises:
        AnnexError: AWS refused or could not be asked.
    """
    group = observe(found)
    return states(group) if group else {}
