"""An annex that is deployed in AWS: finding it and its instances, and writing its lease tags.

An annex is found by its tag, and the name is compared exactly. Two stacks can hold annexes of one name: their ids
differ, and none is taken for the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

from annex_lease.aws import AnnexAccess, group_from_api, list_instances, read_group
from annex_lease.decision import decide
from annex_lease.entries import Override
from annex_lease.forms import ANNEX_NAME
from annex_lease.lease import Lease, Phase
from annex_lease.observed import Group
from annex_lease.ownership import STACK_NAME_TAG, by_key, by_key_from_api, carries_name, stack_name
from annex_lease.tags import TAG_ID, TAG_NAME, TAG_OVERRIDES, TAG_UNTIL, format_time, group_tag
from annex_pool.command_error import AnnexError, InputError
from annex_pool.region import RegionClients, asking

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import FilterTypeDef, TagTypeDef

OVER = frozenset({Phase.DRAINING, Phase.ENDED})
"""Phases of an annex whose lease is over."""


@dataclass(frozen=True)
class Deployed:
    """An annex that exists in AWS.

    Attributes:
        name: the annex's name.
        aws: the clients of its Region.
        group: its Auto Scaling group, as just described.
    """

    name: str
    aws: RegionClients
    group: Group

    @property
    def annex(self) -> AnnexAccess:
        """The annex as annex_lease takes it."""
        return AnnexAccess(self.group.name, "", self.aws, name=self.name, id=self.id)

    @property
    def id(self) -> str:
        """Unique id of this annex, on all its resources; empty if the group declares none."""
        return by_key(self.group.tags).get(TAG_ID, "")

    @property
    def stack(self) -> str:
        """Name of its stack, as CloudFormation tagged the group; that of this project's app if there is no such tag.

        Another app, or a stage of an app, gives the stack another name, such as `Prod-Annex-demo`.
        """
        return by_key(self.group.tags).get(STACK_NAME_TAG) or stack_name(self.name)

    def cdk(self, verb: str) -> str:
        """The command of the CDK for this annex's stack, such as "`cdk deploy Annex-demo`".

        The CDK CLI selects a stack by its path in the app, which can differ from its name and is recorded nowhere in
        AWS. `cdk list` prints both (AWS CDK Developer Guide, "cdk list").
        """
        if self.stack == stack_name(self.name):
            return f"`cdk {verb} {self.stack}`"
        return f"`cdk {verb}` for stack {self.stack} (`cdk list` shows its path in the app)"

    def described(self) -> str:
        """The annex in one line, with everything that differs from another of its name."""
        return f"stack {self.stack} in {self.aws.region}, id {self.id or 'unknown'}, group {self.group.name}"


def list_annexes(aws: RegionClients, name: str | None = None) -> tuple[Deployed, ...]:
    """List the annexes of a Region that have a group, by name, stack and group.

    Args:
        aws: the clients of the Region.
        name: exact name. Default: None - annexes of any name.

    Raises:
        AnnexError: AWS could not be asked.
    """
    whose = "of all annexes" if name is None else f"of annex {name}"
    wanted: FilterTypeDef = {"Name": "tag-key", "Values": [TAG_NAME]}
    if name is not None:
        wanted = {"Name": f"tag:{TAG_NAME}", "Values": [name]}
    with asking(f"for the Auto Scaling groups {whose} in {aws.region}"):
        pages = aws.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(Filters=[wanted])
        listed = [
            (by_key_from_api(described.get("Tags", [])), group_from_api(described))
            for page in pages
            for described in page["AutoScalingGroups"]
        ]
    # Compared once more, exactly: the service may match filter values loosely. Another tool can write any text as a
    # tag; no annex has a name of another form.
    found = [
        Deployed(tags[TAG_NAME], aws, group)
        for tags, group in listed
        if ANNEX_NAME.matches(tags.get(TAG_NAME, "")) and (name is None or carries_name(tags, name))
    ]
    return tuple(sorted(found, key=lambda each: (each.name, each.stack, each.group.name)))


def find_annex(aws: RegionClients, name: str, *, group: str = "", annex_id: str = "") -> Deployed | None:
    """Find the annex of exactly this name; None if AWS lists no group of it.

    Args:
        aws: the clients of the Region.
        name: the annex's name.
        group: name of its group, as found before. Default: "" - any group that carries the name.
        annex_id: its id. Default: "" - any id.

    Raises:
        InputError: more than one annex fits.
        AnnexError: AWS could not be asked.
    """
    if group:
        with asking(f"for the Auto Scaling group {group} of annex {name} in {aws.region}"):
            known = read_group(AnnexAccess(group, "", aws))
        return Deployed(name, aws, known) if known else None
    found = [each for each in list_annexes(aws, name) if annex_id in ("", each.id)]
    if len(found) > 1:
        raise several(name, found)
    return found[0] if found else None


def several(name: str, found: Sequence[Deployed]) -> InputError:
    """The error about a name that more than one annex has: a command acts on none of them.

    Args:
        name: the name.
        found: the annexes.
    """
    return InputError(
        f"there are {len(found)} annexes called {name}, and nothing was done: "
        f"{'; '.join(each.described() for each in found)}. Name one of them with --stack, --id or --region; remove the "
        f"tag {TAG_NAME} from a group that is no annex"
    )


def observe(found: Deployed) -> Group | None:
    """Describe the annex's group and list its instances in EC2; None if neither exists any more.

    Raises:
        AnnexError: AWS refused or could not be asked. A failed listing is never an empty one.
    """
    with asking(f"for the instances of group {found.group.name} in {found.aws.region}"):
        group = read_group(found.annex)
        instances = list_instances(found.annex)
    if group is not None:
        return replace(group, instances=instances)
    # A group can be deleted by force while its instances still run.
    return replace(found.group, members=(), instances=instances) if instances else None


def states(group: Group) -> Mapping[str, str]:
    """States of the alive instances by id: the group's lifecycle state, or EC2's if the group does not list one."""
    known = {instance.id: instance.state for instance in group.instances or ()}
    known |= {member.id: member.state for member in group.members}
    return {key: known[key] for key in group.alive()}


def running_lease(found: Deployed, now: datetime) -> Lease:
    """The lease of an annex that runs, by the lease checker's own decision.

    Raises:
        AnnexError: the lease has ended, or the annex was stopped; or the group's tags declare no lease.
    """
    lease = renewable_lease(found, now)
    decision = decide(found.group, now)
    if decision.phase in OVER:
        raise AnnexError(
            f"annex {found.name} has ended: {decision.reason}; an ended annex stays ended, and a later end does not "
            f"change that. To start its instances again run `annex renew {found.name}`; its maximum lifetime ends at "
            f"{format_time(lease.latest_end)}"
        )
    return lease


def renewable_lease(found: Deployed, now: datetime) -> Lease:
    """The lease of an annex that runs or can be renewed.

    Raises:
        AnnexError: a destroy of the annex began; its maximum lifetime is over; or the group's tags declare no lease.
    """
    lease = found.group.lease
    if lease.record.closed:
        raise AnnexError(
            f"annex {found.name} is being destroyed: a destroy began, after which nothing is granted and no end is "
            f"moved; let {found.cdk('destroy')} finish, then run {found.cdk('deploy')} for a "
            "new annex"
        )
    if lease.policy is None:
        raise AnnexError(
            f"the tags of group {found.group.name} declare no valid lease, so annex {found.name} is being stopped: "
            f"{'; '.join(lease.problems)}"
        )
    if now >= lease.latest_end:
        raise AnnexError(
            f"the maximum lifetime of annex {found.name} ended at {format_time(lease.latest_end)}, and no lease can "
            f"exceed it: run {found.cdk('destroy')}, then {found.cdk('deploy')} for a new annex"
        )
    return lease


def read_lease(found: Deployed) -> Lease | None:
    """The lease of the annex as its group records it now; None if the group does not exist any more.

    Raises:
        AnnexError: AWS refused or could not be asked.
    """
    with asking(f"for group {found.group.name}"):
        group = read_group(found.annex)
    return group.lease if group else None


def override_tags(lease: Lease, end: datetime) -> dict[str, str]:
    """The tags that write an operator's end: the end, and the declared end that it is written against.

    A later deployment that changes the declared end is the newer decision.
    """
    return {TAG_UNTIL: format_time(end), TAG_OVERRIDES: Override(end, lease.declared_end).text()}


def write_tags(found: Deployed, values: Mapping[str, str], what: str) -> None:
    """Write lease tags on the annex's group in one call: an interrupted command writes all of them or none.

    Args:
        found: the annex.
        values: keys of annex_lease.tags with their values.
        what: what is written; completes "AWS was asked to write ..." in an error.

    Raises:
        AnnexError: AWS refused or could not be asked.
    """
    tags = [cast("TagTypeDef", group_tag(key, value).to_api(found.group.name)) for key, value in values.items()]
    with asking(f"to write {what} on group {found.group.name}"):
        found.aws.autoscaling.create_or_update_tags(Tags=tags)
