"""Facts about an annex besides its group and its instances, looked up only when a decision needs them.

A call that fails raises: it never counts as an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from annex_lease.aws import AnnexAccess
from annex_lease.bookkeeping import LATEST_END_ACTION
from annex_lease.observed import Credential

_ACTIVITIES = 100  # the newest activities, as many as one answer holds; each launch and each termination is one


def scheduled_actions(annex: AnnexAccess) -> dict[str, datetime]:
    """Start times of the group's scheduled actions that empty it, by their names.

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    pages = annex.clients.autoscaling.get_paginator("describe_scheduled_actions").paginate(
        AutoScalingGroupName=annex.group
    )
    actions = (action for page in pages for action in page["ScheduledUpdateGroupActions"])
    return {
        action["ScheduledActionName"]: action["StartTime"]
        for action in actions
        # One that was changed by hand into another is not there.
        if "StartTime" in action
        and action.get("MinSize") == action.get("DesiredCapacity") == 0
        and (action["ScheduledActionName"] != LATEST_END_ACTION or action.get("MaxSize") == 0)
    }


def failed_launch(annex: AnnexAccess) -> str:
    """Message of EC2 Auto Scaling about its newest failed launch; empty if none failed since one succeeded.

    A launch counts as newer by its start. One that is still in progress says nothing yet. A launch whose instance died
    before it was in service is "Cancelled".

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    # The newest come first (API reference, DescribeScalingActivities).
    pages = annex.clients.autoscaling.get_paginator("describe_scaling_activities").paginate(
        AutoScalingGroupName=annex.group, PaginationConfig={"MaxItems": _ACTIVITIES, "PageSize": _ACTIVITIES}
    )
    found = (each for page in pages for each in page["Activities"])
    launches = (each for each in found if each.get("Description", "").startswith("Launching"))
    newest = next((each for each in launches if each["StatusCode"] in ("Failed", "Cancelled", "Successful")), None)
    if newest is None or newest["StatusCode"] == "Successful":
        return ""
    return newest.get("StatusMessage") or newest.get("Description", "")


def credential_state(annex: AnnexAccess) -> Credential:
    """State of the credential. Its value is never read: the function may not read it.

    Raises:
        botocore.exceptions.ClientError: AWS refused or kept failing; the secret does not exist.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    if not annex.credential:
        return Credential.PRESENT
    return state_of(annex.clients.secretsmanager.describe_secret(SecretId=annex.credential))


def state_of(secret: Mapping[str, Any]) -> Credential:
    """State of a described secret."""
    if "DeletedDate" in secret:
        return Credential.DELETED
    return Credential.EMPTY if current_version(secret) is None else Credential.PRESENT


def current_version(secret: Mapping[str, Any]) -> str | None:
    """Id of the current version of a described secret; None if it has no value or waits for its deletion."""
    if "DeletedDate" in secret:
        return None
    stages: Mapping[str, list[str]] = secret.get("VersionIdsToStages") or {}
    return next((version for version, names in stages.items() if "AWSCURRENT" in names), None)
