"""States and events of CloudFormation stacks, also of those that are gone."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from annex_pool.leftovers.listing import is_gone, pages

GONE = "DELETE_COMPLETE"


def stack_status(cloudformation: Any, stack: str) -> str:
    """Status of a stack by its name or its id; `GONE` for one that does not exist."""
    try:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        if is_gone(error):
            return GONE
        raise
    return str(found[0]["StackStatus"]) if found else GONE


def stack_events(cloudformation: Any, stack: str) -> list[dict[str, Any]]:
    """Events of a stack by its id, the oldest first. CloudFormation keeps those of a deleted stack for 90 days."""
    listed = pages(cloudformation, "describe_stack_events", "StackEvents", StackName=stack)
    return sorted((dict(each) for each in listed), key=lambda each: each["Timestamp"])
