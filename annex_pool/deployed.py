"""An annex that is deployed in AWS: finding it, its instances and its own resources, and writing its lease tags.

An annex is found by its tag. The name is compared exactly, and there must be exactly one resource of each kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar, cast

from annex_lease.aws import AnnexAccess, list_instances, read_group
from annex_lease.decision import decide
from annex_lease.entries import Override
from annex_lease.lease import Lease, Phase
from annex_lease.observed import Group
from annex_lease.ownership import by_key, by_key_from_api, carries_name, stack_name
from annex_lease.tags import TAG_ID, TAG_NAME, TAG_OVERRIDES, TAG_RESPONDER, TAG_UNTIL, format_time, group_tag
from annex_pool.command_error import AnnexError
from annex_pool.region import RegionClients, asking, check_account
from annex_pool.ungrouped import check_none_left
from annex_spec import AnnexSpec

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import TagTypeDef

SECRET = "secretsmanager"  # noqa: S105 - a type of resource
FUNCTION = "lambda:function"
_KINDS = {SECRET: "secret", FUNCTION: "lease checker function"}
# The tagging service lists a new resource a little later than the service that made it. A credential that is pushed
# right after the deployment must still find its secret.
_ATTEMPTS, _PAUSE_SECONDS = 5, 3.0
OVER = frozenset({Phase.DRAINING, Phase.ENDED})
"""Phases of an annex whose lease is over."""

_T = TypeVar("_T")


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


def find_annex(aws: RegionClients, name: str) -> Deployed | None:
    """Find the annex of exactly this name; None if AWS lists no group of it.

    Raises:
        AnnexError: AWS could not be asked, or more than one group carries the name.
    """
    with asking(f"for the Auto Scaling group of annex {name} in {aws.region}"):
        pages = aws.autoscaling.get_paginator("describe_auto_scaling_groups").paginate(
            Filters=[{"Name": f"tag:{TAG_NAME}", "Values": [name]}]
        )
        names = [
            described["AutoScalingGroupName"]
            for page in pages
            for described in page["AutoScalingGroups"]
            # Compared once more, exactly: the service may match filter values loosely.
            if carries_name(by_key_from_api(described.get("Tags", [])), name)
        ]
        group = read_group(AnnexAccess(_only(names, f"Auto Scaling group of annex {name}"), "", aws)) if names else None
    return Deployed(name, aws, group) if group else None


def deployed_annex(aws: RegionClients, spec: AnnexSpec) -> Deployed:
    """Find the annex that the spec declares.

    Raises:
        AnnexError: it is not deployed, with or without instances that its group left behind; AWS could not be asked;
            the credentials belong to another account.
    """
    check_account(aws, spec.account)
    found = find_annex(aws, spec.name)
    if found is None:
        none_left = check_none_left(aws, spec.name)
        raise AnnexError(
            f"annex {spec.name} is not deployed in {spec.region}: run `cdk deploy {stack_name(spec.name)}` first; "
            f"{none_left}"
        )
    return found


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
            f"moved; let `cdk destroy {stack_name(found.name)}` finish, then run `cdk deploy {stack_name(found.name)}` "
            "for a new annex"
        )
    if lease.policy is None:
        raise AnnexError(
            f"the tags of group {found.group.name} declare no valid lease, so annex {found.name} is being stopped: "
            f"{'; '.join(lease.problems)}"
        )
    if now >= lease.latest_end:
        raise AnnexError(
            f"the maximum lifetime of annex {found.name} ended at {format_time(lease.latest_end)}, and no lease can "
            f"exceed it: run `cdk destroy {stack_name(found.name)}`, then `cdk deploy {stack_name(found.name)}` for a "
            "new annex"
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


def find_arn(found: Deployed, kind: str, sleep: Callable[[float], None] | None) -> str:
    """Find the one resource of this kind that carries the annex's name and id, and return its ARN.

    Args:
        found: the annex.
        kind: `SECRET` or `FUNCTION`.
        sleep: waits between attempts, up to 12 seconds in all; None: one attempt only.

    Raises:
        AnnexError: AWS could not be asked, or there is not exactly one.
    """
    what = f"{_KINDS[kind]} of annex {found.name}"
    for attempt in range(_ATTEMPTS if sleep else 1):
        if attempt and sleep:
            sleep(_PAUSE_SECONDS)
        arns = _own_arns(found, kind, what)
        if arns:
            return _only(arns, what)
    raise AnnexError(
        f"there is no {what} in {found.aws.region}: deploy it again with `cdk deploy {stack_name(found.name)}`"
    )


def _own_arns(found: Deployed, kind: str, what: str) -> list[str]:
    with asking(f"for the {what} in {found.aws.region}"):
        pages = found.aws.tagging.get_paginator("get_resources").paginate(
            TagFilters=[{"Key": TAG_NAME, "Values": [found.name]}], ResourceTypeFilters=[kind]
        )
        listed = [
            (item["ResourceARN"], by_key_from_api(item.get("Tags", [])))
            for page in pages
            for item in page["ResourceTagMappingList"]
        ]
    # The checker's responder is a function of the annex too, but it answers CloudFormation only.
    return [arn for arn, tags in listed if found.annex.identity.owns(tags) and TAG_RESPONDER not in tags]


def _only(found: Sequence[_T], what: str) -> _T:
    if len(found) != 1:
        listed = ", ".join(sorted(str(item) for item in found))
        raise AnnexError(
            f"there are {len(found)} instead of one {what}: {listed}; remove the tag {TAG_NAME} from those that do not "
            "belong to the annex"
        )
    return found[0]
