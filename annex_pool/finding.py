"""Finding what belongs to an annex in AWS: by its tag, with an exact comparison, and exactly one of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from annex_lease.aws import Annex, read_group
from annex_lease.observed import Group
from annex_lease.tags import TAG_ID, TAG_NAME, TAG_RESPONDER
from annex_pool.aws import Aws, asking
from annex_pool.error import AnnexError

SECRET = "secretsmanager"  # noqa: S105 - a type of resource
FUNCTION = "lambda:function"
_KINDS = {SECRET: "secret", FUNCTION: "lease checker function"}
# The tagging API learns of a new resource a little later than the service that made it: an operator who pushes the
# credential right after the deploy should not be told that there is no secret.
_ATTEMPTS, _PAUSE_SECONDS = 5, 3.0

_T = TypeVar("_T")


@dataclass(frozen=True)
class Deployed:
    """An annex that exists in AWS.

    Attributes:
        name: the annex's name.
        aws: the clients of its Region.
        group: its Auto Scaling group, as described a moment ago.
    """

    name: str
    aws: Aws
    group: Group

    @property
    def annex(self) -> Annex:
        """The annex as the lease's own code takes it."""
        return Annex(self.group.name, "", self.aws, name=self.name, id=self.id)

    @property
    def id(self) -> str:
        """The id of this very annex, which everything of it carries; empty if the group declares none."""
        return next((tag.value for tag in self.group.tags if tag.key == TAG_ID), "")


def find(aws: Aws, name: str) -> Deployed | None:
    """The annex of exactly this name, or None if AWS says that it has none.

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
            if _carries(described.get("Tags", []), name)
        ]
        group = read_group(Annex(_only(names, f"Auto Scaling group of annex {name}"), "", aws)) if names else None
    return Deployed(name, aws, group) if group else None


def find_arn(found: Deployed, kind: str, sleep: Callable[[float], None] | None) -> str:
    """The ARN of the one resource of this kind that is the annex's own: it carries the annex's name and its id.

    Args:
        found: the annex.
        kind: `SECRET` or `FUNCTION`.
        sleep: waits between looks, up to 12 seconds in all; None: look only once.

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
    raise AnnexError(f"there is no {what} in {found.aws.region}: deploy it again with `cdk deploy Annex-{found.name}`")


def _own_arns(found: Deployed, kind: str, what: str) -> list[str]:
    with asking(f"for the {what} in {found.aws.region}"):
        pages = found.aws.tagging.get_paginator("get_resources").paginate(
            TagFilters=[{"Key": TAG_NAME, "Values": [found.name]}], ResourceTypeFilters=[kind]
        )
        listed = [
            (item["ResourceARN"], item.get("Tags", [])) for page in pages for item in page["ResourceTagMappingList"]
        ]
    named = [(arn, tags) for arn, tags in listed if _carries(tags, found.name) and not _stands_in(tags)]
    # Whatever carries the name of this annex only is another one's, or somebody's copy: it must never get the token.
    return [arn for arn, tags in named if not found.id or _value(tags, TAG_ID) == found.id]


def _carries(tags: Sequence[Mapping[str, object]], name: str) -> bool:
    # Filter values may be matched loosely by the service; acting on another annex must be impossible.
    return _value(tags, TAG_NAME) == name


def _value(tags: Sequence[Mapping[str, object]], key: str) -> object:
    return next((tag.get("Value") for tag in tags if tag.get("Key") == key), None)


def _stands_in(tags: Sequence[Mapping[str, object]]) -> bool:
    # The checker's stand-in is a function of the annex too, but it answers CloudFormation only.
    return any(tag.get("Key") == TAG_RESPONDER for tag in tags)


def _only(found: Sequence[_T], what: str) -> _T:
    if len(found) != 1:
        listed = ", ".join(sorted(str(item) for item in found))
        raise AnnexError(
            f"there are {len(found)} instead of one {what}: {listed}; remove the tag {TAG_NAME} from those that are "
            "not the annex's own"
        )
    return found[0]
