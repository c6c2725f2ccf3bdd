"""Resources of a deployed annex besides its group: the secret and the lease checker's function, found by their tags.

There must be exactly one of each kind that carries the annex's name and id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from annex_lease.ownership import by_key_from_api
from annex_lease.tags import TAG_NAME, TAG_RESPONDER
from annex_pool.command_error import AnnexError
from annex_pool.deployed import Deployed
from annex_pool.region import asking

SECRET = "secretsmanager"  # noqa: S105 - a type of resource
FUNCTION = "lambda:function"
_KINDS = {SECRET: "secret", FUNCTION: "lease checker function"}
# The tagging service lists a new resource a little later than the service that made it. A credential that is pushed
# right after the deployment must still find its secret.
_ATTEMPTS, _PAUSE_SECONDS = 5, 3.0


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
    raise AnnexError(f"there is no {what} in {found.aws.region}: deploy it again with {found.cdk('deploy')}")


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


def _only(found: Sequence[str], what: str) -> str:
    if len(found) != 1:
        listed = ", ".join(sorted(found))
        raise AnnexError(
            f"there are {len(found)} instead of one {what}: {listed}; remove the tag {TAG_NAME} from those that do not "
            "belong to the annex"
        )
    return found[0]
