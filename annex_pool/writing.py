"""The operator's word on the record of a lease: tags of the annex's group, written in one call or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from annex_lease.tags import group_tag
from annex_pool.aws import asking
from annex_pool.finding import Deployed

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import TagTypeDef


def write_record(found: Deployed, values: Mapping[str, str], what: str) -> None:
    """Write these tags on the annex's group.

    One call for all of them: whoever interrupts the command leaves either all or none of them behind.

    Args:
        found: the annex.
        values: tag keys of the contract with their values.
        what: what is written, for the error: completes "AWS was asked to write ...".

    Raises:
        AnnexError: AWS refused or could not be asked.
    """
    tags = [cast("TagTypeDef", group_tag(key, value).to_api(found.group.name)) for key, value in values.items()]
    with asking(f"to write {what} on group {found.group.name}"):
        found.aws.autoscaling.create_or_update_tags(Tags=tags)
