"""Calls that need several tries: for many instances in batches, for hooks, and for the time of a scheduled action."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from annex_lease.aws import AnnexAccess
from annex_lease.entries import ScheduledAction

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import PutScheduledUpdateGroupActionTypeTypeDef

CALL_SECONDS = 5.0
"""Minimum seconds left to begin a call: a run that is cut off does not report what it left."""
# One call for each id of the batch would be throttled even more; the next run repeats the batch. A denied call is
# repeated for each id: one instance without our tag denies its whole batch.
_THROTTLED = frozenset({"RequestLimitExceeded", "Throttling", "ThrottlingException"})
_EARLIER_SECONDS = 5
_GONE = ("InvalidInstanceID.NotFound",)
# Part of the error of CompleteLifecycleAction for an instance that went on since it was listed: it waits for one hook
# at a time.
_WENT_ON = ("No active Lifecycle Action",)


class RefusedError(Exception):
    """AWS refused a call for some of the instances of an action; it was done for the others."""


def in_batches(
    annex: AnnexAccess,
    ids: Sequence[str],
    size: int,
    call: Callable[[list[str]], object],
    *,
    harmless: Sequence[str] = _GONE,
) -> None:
    """Call for all ids, batch by batch; where one id blocks its batch, once for each id of that batch.

    Args:
        annex: owner of the instances, with the time that the run may take.
        ids: ids of the instances.
        size: number of ids in one call.
        call: makes the call for some of the ids.
        harmless: parts of an error's code or text that mean that nothing is left to do for its instance.

    Raises:
        RefusedError: every id was tried, and AWS refused some that still exist; or time ran out.
    """
    refused: list[str] = []
    for start in range(0, len(ids), size):
        if annex.seconds_left() < CALL_SECONDS:
            refused.append(f"{len(ids) - start} instances: out of time; the next run continues")
            break
        batch = list(ids[start : start + size])
        try:
            call(batch)
        except ClientError as error:
            if error.response["Error"]["Code"] in _THROTTLED:
                refused.append(f"{len(batch)} instances: {error}")
            else:
                refused.extend(one_by_one(annex, batch, lambda each: call([each]), harmless=harmless))
    raise_refused(refused)


def one_by_one(
    annex: AnnexAccess, ids: Sequence[str], call: Callable[[str], object], *, harmless: Sequence[str]
) -> list[str]:
    """Call once for each id; the arguments are those of `in_batches`.

    Returns:
        what AWS refused, and how many ids are left if time ran out; empty if every call was made.
    """
    refused = []
    for index, instance_id in enumerate(ids):
        if annex.seconds_left() < CALL_SECONDS:
            refused.append(f"{len(ids) - index} instances: out of time; the next run continues")
            break
        try:
            call(instance_id)
        except ClientError as error:
            if not any(text in str(error) for text in harmless):
                refused.append(f"{instance_id}: {error}")
    return refused


def raise_refused(refused: Sequence[str]) -> None:
    """Raise if anything was refused.

    Raises:
        RefusedError: something was refused.
    """
    if refused:
        raise RefusedError(f"AWS refused {len(refused)} of the instances, first {refused[0]}")


def finish_hooks(annex: AnnexAccess, launching: Sequence[str], terminating: Sequence[str]) -> None:
    """Complete the lifecycle hooks that these instances wait for, so that they are terminated.

    A launch is abandoned. A termination continues: abandoning it could retain the instance where the group's lifecycle
    policy says so (API reference, InstanceLifecyclePolicy).

    Raises:
        RefusedError: AWS refused it for single instances, or time ran out.
    """
    waiting = {
        "autoscaling:EC2_INSTANCE_LAUNCHING": ("ABANDON", launching),
        "autoscaling:EC2_INSTANCE_TERMINATING": ("CONTINUE", terminating),
    }
    refused: list[str] = []
    for hook in annex.clients.autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=annex.group)["LifecycleHooks"]:
        result, ids = waiting.get(hook["LifecycleTransition"], ("", ()))
        finish = _finisher(annex, hook["LifecycleHookName"], result)
        refused.extend(one_by_one(annex, ids, finish, harmless=_WENT_ON))
    raise_refused(refused)


def _finisher(annex: AnnexAccess, hook: str, result: str) -> Callable[[str], object]:
    return lambda instance_id: annex.clients.autoscaling.complete_lifecycle_action(
        AutoScalingGroupName=annex.group,
        LifecycleHookName=hook,
        LifecycleActionResult=result,
        InstanceId=instance_id,
    )


def put_scheduled(annex: AnnexAccess, scheduled: ScheduledAction) -> None:
    """Put a scheduled action of the group, at most 5 s earlier if another action of the group has its time.

    AWS refuses two at one time (EC2 Auto Scaling User Guide, "Scheduled scaling"), and a user can have one.

    Raises:
        botocore.exceptions.ClientError: AWS refused the call, or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
    """
    change: PutScheduledUpdateGroupActionTypeTypeDef = {
        "AutoScalingGroupName": annex.group,
        "ScheduledActionName": scheduled.name,
        "MinSize": 0,
        "DesiredCapacity": 0,
    }
    if scheduled.final:
        change["MaxSize"] = 0
    for earlier in range(_EARLIER_SECONDS + 1):
        change["StartTime"] = scheduled.start - timedelta(seconds=earlier)
        try:
            annex.clients.autoscaling.put_scheduled_update_group_action(**change)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExists" or earlier == _EARLIER_SECONDS:
                raise
        else:
            return
