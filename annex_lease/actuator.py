"""Carrying out actions with the AWS API, within its limits. Every call here may be repeated without harm."""

from __future__ import annotations

import json
from functools import singledispatch
from typing import TYPE_CHECKING, cast

from botocore.exceptions import ClientError

from annex_lease import tags
from annex_lease.actions import (
    Action,
    AllowDeletion,
    ClearProtection,
    DeleteWarmPool,
    EmptyGroup,
    FinishHooks,
    Grant,
    NotifyInstances,
    PublishEnd,
    RecordUse,
    RenewLease,
    ResumeLaunch,
    ResumeTerminate,
    SuspendLaunch,
    SuspendRebalance,
    TerminateInstances,
    Warn,
)
from annex_lease.aws import Annex, list_instances
from annex_lease.batches import CALL_SECONDS, RefusedError, in_batches, raise_refused
from annex_lease.observed import DEAD_INSTANCE_STATES

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import TagTypeDef

__all__ = ["RefusedError", "perform"]

# What SetInstanceProtection says of an instance that began to leave, or left, since it was listed.
_LEAVING = ("is not in InService", "is not part of Auto Scaling group")
_PROTECTION_BATCH = 50  # SetInstanceProtection, API reference: at most 50 instances
_INSTANCE_BATCH = 100  # TerminateInstances takes 1,000 and CreateTags 1,000; AWS advises smaller batches


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
    _write_tags(annex, (tags.TAG_END, tags.format_time(action.end)))


@perform.register
def _(action: RenewLease, annex: Annex) -> None:
    _write_tags(annex, (tags.TAG_BUSY, action.renewed.text()))


@perform.register
def _(action: Grant, annex: Annex) -> None:
    size = action.granted.size
    if action.ledger is not None:
        # Before anything starts: what cannot be counted must not run.
        _write_tags(annex, (tags.TAG_USED, action.ledger.text()))
    annex.clients.autoscaling.update_auto_scaling_group(AutoScalingGroupName=annex.group, DesiredCapacity=size)
    # Afterwards, never before: a run that dies between the two grants again.
    _write_tags(annex, (tags.TAG_GRANTED, action.granted.text()))


@perform.register
def _(action: NotifyInstances, annex: Annex) -> None:
    # Listed now, after the end was published: what starts later gets the end from the group.
    machines = {machine.id: machine for machine in list_instances(annex) if machine.member}
    listed = {key for key, machine in machines.items() if machine.state not in DEAD_INSTANCE_STATES}
    # Whom the group lists and EC2 does not, because its listing lags, is told as well.
    ids = sorted(listed | {key for key in action.instance_ids if key not in machines})
    end = tags.format_time(action.end)
    in_batches(
        annex,
        ids,
        _INSTANCE_BATCH,
        lambda batch: annex.clients.ec2.create_tags(Resources=batch, Tags=[{"Key": tags.TAG_END, "Value": end}]),
        harmless=(),  # one that cannot be found was not told
    )
    _write_tags(annex, (tags.TAG_NOTIFIED, end))


@perform.register
def _(action: RecordUse, annex: Annex) -> None:
    _write_tags(annex, (tags.TAG_USED, action.ledger.text()))


@perform.register
def _(action: Warn, annex: Annex) -> None:
    if annex.topic:
        end = tags.format_time(action.end)
        text = f"The lease of annex {annex.name} ends at {end}; {action.alive} instances are running."
        message = {
            "annex": annex.name,
            "event": "lease-ends-soon",
            "end": end,
            "instances": action.alive,
            "text": text,
        }
        subject = f"HTCondor annex {annex.name}: lease ends at {end}"
        annex.clients.sns.publish(TopicArn=annex.topic, Subject=subject, Message=json.dumps(message))
    # Afterwards: a run that dies between the two warns twice, which is better than never.
    _write_tags(annex, (tags.TAG_WARNED, tags.format_time(action.end)))


@perform.register
def _(action: SuspendLaunch, annex: Annex) -> None:
    annex.clients.autoscaling.suspend_processes(AutoScalingGroupName=annex.group, ScalingProcesses=["Launch"])


@perform.register
def _(action: ResumeLaunch, annex: Annex) -> None:
    annex.clients.autoscaling.resume_processes(AutoScalingGroupName=annex.group, ScalingProcesses=["Launch"])


@perform.register
def _(action: ResumeTerminate, annex: Annex) -> None:
    annex.clients.autoscaling.resume_processes(AutoScalingGroupName=annex.group, ScalingProcesses=["Terminate"])


@perform.register
def _(action: DeleteWarmPool, annex: Annex) -> None:
    annex.clients.autoscaling.delete_warm_pool(AutoScalingGroupName=annex.group, ForceDelete=True)


@perform.register
def _(action: AllowDeletion, annex: Annex) -> None:
    annex.clients.autoscaling.update_auto_scaling_group(AutoScalingGroupName=annex.group, DeletionProtection="none")


@perform.register
def _(action: SuspendRebalance, annex: Annex) -> None:
    annex.clients.autoscaling.suspend_processes(AutoScalingGroupName=annex.group, ScalingProcesses=["AZRebalance"])


@perform.register
def _(action: ClearProtection, annex: Annex) -> None:
    in_batches(
        annex,
        action.instance_ids,
        _PROTECTION_BATCH,
        lambda batch: annex.clients.autoscaling.set_instance_protection(
            AutoScalingGroupName=annex.group, InstanceIds=batch, ProtectedFromScaleIn=False
        ),
        harmless=_LEAVING,
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
        for index, instance_id in enumerate(ids):
            if annex.seconds_left() < CALL_SECONDS:
                refused.append(f"{len(ids) - index} instances: out of time; the next run goes on")
                break
            refused.extend(_finish(annex, hook["LifecycleHookName"], result, instance_id))
    raise_refused(refused)


def _finish(annex: Annex, hook: str, result: str, instance_id: str) -> list[str]:
    try:
        annex.clients.autoscaling.complete_lifecycle_action(
            AutoScalingGroupName=annex.group,
            LifecycleHookName=hook,
            LifecycleActionResult=result,
            InstanceId=instance_id,
        )
    except ClientError as error:
        # An instance waits for one hook at a time, and it may have gone on since it was listed.
        if "No active Lifecycle Action" not in str(error):
            return [f"{instance_id}: {error}"]
    return []


@perform.register
def _(action: TerminateInstances, annex: Annex) -> None:
    in_batches(
        annex,
        action.instance_ids,
        _INSTANCE_BATCH,
        lambda batch: annex.clients.ec2.terminate_instances(InstanceIds=batch),
    )


def _write_tags(annex: Annex, *values: tuple[str, str]) -> None:
    written = [cast("TagTypeDef", tags.group_tag(key, value).to_api(annex.group)) for key, value in values]
    annex.clients.autoscaling.create_or_update_tags(Tags=written)
