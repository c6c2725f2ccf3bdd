"""Carrying out actions with the AWS API, within its limits. Every call here may be repeated without harm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import singledispatch
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from annex_lease import contract
from annex_lease.actions import (
    Action,
    ClearProtection,
    EmptyGroup,
    FinishHooks,
    Grant,
    PublishEnd,
    SuspendLaunch,
    SuspendRebalance,
    TellInstances,
    TerminateInstances,
)
from annex_lease.gateway import Annex, list_machines
from annex_lease.observed import DEAD_MACHINE_STATES

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import TagTypeDef

_PROTECTION_BATCH = 50  # SetInstanceProtection, API reference: at most 50 instances
_INSTANCE_BATCH = 100  # TerminateInstances takes 1,000 and CreateTags 1,000; AWS advises smaller batches
# Asking once for each id of the batch would be throttled the more; the next run asks again. Whereas a denied call is
# asked again for each id: one instance without our tag denies its whole batch.
_THROTTLED = frozenset({"RequestLimitExceeded", "Throttling", "ThrottlingException"})
_GONE = frozenset({"InvalidInstanceID.NotFound"})


class RefusedError(Exception):
    """AWS refused a call for some of the instances of an action; the others were served."""


@singledispatch
def perform(action: Action, annex: Annex) -> None:
    """Carry out one action on the annex's own group.

    Raises:
        RefusedError: a call was refused for single instances.
        botocore.exceptions.ClientError: AWS refused the call or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
        TypeError: this action is not known here.
    """
    raise TypeError(f"no way to perform {type(action).__name__}")


@perform.register
def _(action: PublishEnd, annex: Annex) -> None:
    _write_tag(annex, contract.TAG_END, contract.format_time(action.end))


@perform.register
def _(action: Grant, annex: Annex) -> None:
    annex.clients.autoscaling.update_auto_scaling_group(AutoScalingGroupName=annex.group, DesiredCapacity=action.size)
    # Afterwards, never before: a run that dies between the two grants again, and nothing changes by that.
    _write_tag(annex, contract.TAG_GRANTED, str(action.size))


@perform.register
def _(action: TellInstances, annex: Annex) -> None:
    # Listed now, after the end was published: what starts later gets the end from the group.
    ids = [machine.id for machine in list_machines(annex) if machine.state not in DEAD_MACHINE_STATES]
    end = contract.format_time(action.end)
    _in_batches(
        ids,
        _INSTANCE_BATCH,
        lambda batch: annex.clients.ec2.create_tags(Resources=batch, Tags=[{"Key": contract.TAG_END, "Value": end}]),
    )
    _write_tag(annex, contract.TAG_TOLD, end)


@perform.register
def _(action: SuspendLaunch, annex: Annex) -> None:
    annex.clients.autoscaling.suspend_processes(AutoScalingGroupName=annex.group, ScalingProcesses=["Launch"])


@perform.register
def _(action: SuspendRebalance, annex: Annex) -> None:
    annex.clients.autoscaling.suspend_processes(AutoScalingGroupName=annex.group, ScalingProcesses=["AZRebalance"])


@perform.register
def _(action: ClearProtection, annex: Annex) -> None:
    _in_batches(
        action.instance_ids,
        _PROTECTION_BATCH,
        lambda batch: annex.clients.autoscaling.set_instance_protection(
            AutoScalingGroupName=annex.group, InstanceIds=batch, ProtectedFromScaleIn=False
        ),
    )


@perform.register
def _(action: EmptyGroup, annex: Annex) -> None:
    annex.clients.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=annex.group, MinSize=0, DesiredCapacity=0, NewInstancesProtectedFromScaleIn=False
    )


@perform.register
def _(action: FinishHooks, annex: Annex) -> None:
    # A launch is abandoned, so that the instance goes. A termination continues: abandoning it could retain the
    # instance where the group's lifecycle policy says so (API reference, InstanceLifecyclePolicy).
    waiting = {
        "autoscaling:EC2_INSTANCE_LAUNCHING": ("ABANDON", action.launching),
        "autoscaling:EC2_INSTANCE_TERMINATING": ("CONTINUE", action.terminating),
    }
    refused: list[str] = []
    for hook in annex.clients.autoscaling.describe_lifecycle_hooks(AutoScalingGroupName=annex.group)["LifecycleHooks"]:
        result, ids = waiting.get(hook["LifecycleTransition"], ("", ()))
        for instance_id in ids:
            try:
                annex.clients.autoscaling.complete_lifecycle_action(
                    AutoScalingGroupName=annex.group,
                    LifecycleHookName=hook["LifecycleHookName"],
                    LifecycleActionResult=result,
                    InstanceId=instance_id,
                )
            except ClientError as error:
                # An instance waits for one hook at a time, and it may have gone on since it was listed.
                if "No active Lifecycle Action" not in str(error):
                    refused.append(f"{instance_id}: {error}")
    _raise_refused(refused)


@perform.register
def _(action: TerminateInstances, annex: Annex) -> None:
    _in_batches(
        action.instance_ids, _INSTANCE_BATCH, lambda batch: annex.clients.ec2.terminate_instances(InstanceIds=batch)
    )


def _write_tag(annex: Annex, key: str, value: str) -> None:
    tag = contract.group_tag(key, value).to_api(annex.group)
    annex.clients.autoscaling.create_or_update_tags(Tags=[cast("TagTypeDef", tag)])


def _in_batches(ids: Sequence[str], size: int, call: Callable[[list[str]], object]) -> None:
    """Call for all ids, batch by batch; where one id blocks its batch, once for each id of that batch.

    Raises:
        RefusedError: after every id was tried, if AWS refused any of them that still exists.
    """
    refused: list[str] = []
    for start in range(0, len(ids), size):
        batch = list(ids[start : start + size])
        try:
            call(batch)
        except ClientError as error:
            if error.response["Error"]["Code"] in _THROTTLED:
                refused.append(f"{len(batch)} instances: {error}")
            else:
                refused.extend(_one_by_one(batch, call))
    _raise_refused(refused)


def _one_by_one(batch: Sequence[str], call: Callable[[list[str]], object]) -> list[str]:
    refused = []
    for instance_id in batch:
        try:
            call([instance_id])
        except ClientError as error:
            if error.response["Error"]["Code"] not in _GONE:
                refused.append(f"{instance_id}: {error}")
    return refused


def _raise_refused(refused: Sequence[str]) -> None:
    if refused:
        raise RefusedError(f"AWS refused {len(refused)} of the instances, first {refused[0]}")
