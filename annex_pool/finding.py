"""Finding what belongs to an annex in AWS: by its tag, with an exact comparison, and exactly one of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from annex_lease.contract import TAG_NAME
from annex_lease.gateway import Annex, read_group
from annex_lease.observed import Group
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
        return Annex(self.group.name, "", self.aws)


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


def find_arn(aws: Aws, name: str, kind: str, sleep: Callable[[float], None] | None) -> str:
    """The ARN of the one resource of this kind that carries the annex's name.

    Args:
        aws: the clients of the annex's Region.
        name: the annex's name.
        kind: `SECRET` or `FUNCTION`.
        sleep: waits between looks, up to 12 seconds in all; None: look only once.

    Raises:
        AnnexError: AWS could not be asked, or there is not exactly one.
    """
    what = f"{_KINDS[kind]} of annex {name}"
    for attempt in range(_ATTEMPTS if sleep else 1):
        if attempt and sleep:
            sleep(_PAUSE_SECONDS)
        with asking(f"for the {what} in {aws.region}"):
            pages = aws.tagging.get_paginator("get_resources").paginate(
                TagFilters=[{"Key": TAG_NAME, "Values": [name]}], ResourceTypeFilters=[kind]
            )
            arns = [
                found["ResourceARN"]
                for page in pages
                for found in page["ResourceTagMappingList"]
                if _carries(found.get("Tags", []), name)
            ]
        if arns:
            return _only(arns, what)
    raise AnnexError(f"there is no {what} in {aws.region}: deploy it again with `cdk deploy Annex-{name}`")


def _carries(tags: Sequence[Mapping[str, object]], name: str) -> bool:
    # Filter values may be matched loosely by the service; acting on another annex must be impossible.
    return any(tag.get("Key") == TAG_NAME and tag.get("Value") == name for tag in tags)


def _only(found: Sequence[_T], what: str) -> _T:
    if len(found) != 1:
        listed = ", ".join(sorted(str(item) for item in found))
        raise AnnexError(
            f"there are {len(found)} instead of one {what}: {listed}; remove the tag {TAG_NAME} from those that are "
            "not the annex's own"
        )
    return found[0]
