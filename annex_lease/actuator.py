"""Calls of AWS that carry out actions, within the limits of its API. Every call may be repeated without harm."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease import actions, tags
from annex_lease.aws import AnnexAccess, list_instances
from annex_lease.batches import CALL_SECONDS, RefusedError, in_batches, one_by_one, raise_refused
from annex_lease.observed import DEAD_INSTANCE_STATES

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import TagTypeDef

# Parts of the error of SetInstanceProtection for an instance that began to leave, or left, since it was listed.
_LEAVING = ("is not in InService", "is not part of Auto Scaling group")
# Part of the error of CompleteLifecycleAction for an instance that went on since it was listed: it waits for one hook
# at a time.
_WENT_ON = ("No active Lifecycle Action",)
_PROTECTION_BATCH = 50  # SetInstanceProtection, API reference: at most 50 instances
_INSTANCE_BATCH = 100  # TerminateInstances takes 1,000 and CreateTags 1,000; AWS advises smaller batches


@dataclass(frozen=True)
class Outcome:
    """Outcome of carrying out actions.

    Attributes:
        tried: the actions that were tried, failed or not.
        failures: what failed, one text for each action.
        notes: failures of actions that no lease depends on.
    """

    tried: tuple[actions.Action, ...] = ()
    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def carry_out(wanted: Iterable[actions.Action], annex: AnnexAccess, *, independent: bool = True) -> Outcome:
    """Carry out actions on the annex's own group, in their order. An action that fails is reported, never raised.

    Args:
        wanted: the actions.
        annex: the annex, with the time that the run may take. No action is begun without `CALL_SECONDS` left.
        independent: True if each action is worth trying even if those before it failed; False: the first failure
            stops the rest. Default: True.
    """
    tried, failures, notes = [], [], []
    for action in wanted:
        name = type(action).__name__
        if annex.seconds_left() < CALL_SECONDS:
            failures.append(f"{name}: out of time; the next run continues")
            break
        tried.append(action)
        try:
            perform(action, annex)
        except (BotoCoreError, ClientError, RefusedError) as error:
            if action.note:
                # The lease is enforced all the same: an alarm that reports the opposite would be wrong.
                notes.append(f"{action.note}: {error}")
                continue
            failures.append(f"{name}: {error}")
            if not independent:
                break
    return Outcome(tuple(tried), tuple(failures), tuple(notes))


@singledispatch
def perform(action: actions.Action, annex: AnnexAccess) -> None:
    """Carry out one action on the annex's own group.

    Raises:
        RefusedError: a call was refused for single instances.
        botocore.exceptions.ClientError: AWS refused the call or kept failing.
        botocore.exceptions.BotoCoreError: AWS could not be reached.
        TypeError: there is no implementation for this action.
    """
    raise TypeError(f"no way to perform {type(action).__name__}")


@perform.register
def _(action: actions.PublishEnd, annex: AnnexAccess) -> None:
    _write_tags(annex, (tags.TAG_END, tags.format_time(action.end)))


@perform.register
def _(action: actions.RenewLease, annex: AnnexAccess) -> None:
    _write_tags(annex, (tags.TAG_BUSY, action.renewed.text()))


@perform.register
def _(action: actions.Grant, annex: AnnexAccess) -> None:
    size = action.granted.size
    if action.ledger is not None:
        # Before anything starts: an instance that cannot be counted must not run.
        _write_tags(annex, (tags.TAG_USED, action.ledger.text()))
    annex.clients.autoscaling.update_auto_scaling_group(AutoScalingGroupName=annex.group, DesiredCapacity=size)
    # Afterwards, never before: a run that dies between the two grants again.
    _write_tags(annex, (tags.TAG_GRANTED, action.granted.text()))


@perform.register
def _(action: actions.NotifyInstances, annex: AnnexAccess) -> None:
    # Listed now, after the end was published: what starts later gets the end from the group.
    found = {instance.id: instance for instance in list_instances(annex) if instance.member}
    alive = {key for key, instance in found.items() if instance.state not in DEAD_INSTANCE_STATES}
    # An instance that the group lists and EC2 does not list yet is notified too.
    ids = sorted(alive | {key for key in action.instance_ids if key not in found})
    end = tags.format_time(action.end)
    in_batches(
        annex,
        ids,
        _INSTANCE_BATCH,
        lambda batch: annex.clients.ec2.create_tags(Resources=batch, Tags=[{"Key": tags.TAG_END, "Value": end}]),
        harmless=(),  # an instance that cannot be found was not notified
    )
    _write_tags(annex, (tags.TAG_NOTIFIED, end))


@perform.register
def _(action: actions.RecordUse, annex: AnnexAccess) -> None:
    _write_tags(annex, (tags.TAG_USED, action.ledger.text()))


@perform.register
def _(action: actions.Warn, annex: AnnexAccess) -> None:
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
def _(action: actions.SuspendLaunch, annex: AnnexAccess) -> None:
    annex.clients.autoscaling.suspend_processes(AutoScalingGroupName=annex.group, ScalingProcesses=["Launch"])


@perform.register
def _(action: actions.ResumeLaunch, annex: AnnexAccess) -> None:
    annex.clients.autoscaling.resume_processes(AutoScalingGroupName=annex.group, ScalingProcesses=["Launch"])


@perform.register
def _(action: actions.ResumeTerminate, annex: AnnexAccess) -> None:
    annex.clients.autoscaling.resume_processes(AutoScalingGroupName=annex.group, ScalingProcesses=["Terminate"])


@perform.register
def _(action: actions.DeleteWarmPool, annex: AnnexAccess) -> None:
    annex.clients.autoscaling.delete_warm_pool(AutoScalingGroupName=annex.group, ForceDelete=True)


@perform.register
def _(action: actions.AllowDeletion, annex: AnnexAccess) -> None:
    annex.clients.autoscaling.update_auto_scaling_group(AutoScalingGroupName=annex.group, DeletionProtection="none")


@perform.register
def _(action: actions.SuspendRebalance, annex: AnnexAccess) -> None:
    annex.clients.autoscaling.suspend_processes(AutoScalingGroupName=annex.group, ScalingProcesses=["AZRebalance"])


@perform.register
def _(action: actions.ClearProtection, annex: AnnexAccess) -> None:
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
def _(action: actions.EmptyGroup, annex: AnnexAccess) -> None:
    annex.clients.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=annex.group, MinSize=0, DesiredCapacity=0, NewInstancesProtectedFromScaleIn=False
    )


@perform.register
def _(action: actions.FinishHooks, annex: AnnexAccess) -> None:
    # A launch is abandoned, so that the instance is terminated. A termination continues: abandoning it could retain the
    # instance where the group's lifecycle policy says so (API reference, InstanceLifecyclePolicy).
    waiting = {
        "autoscaling:EC2_INSTANCE_LAUNCHING": ("ABANDON", action.launching),
        "autoscaling:EC2_INSTANCE_TERMINATING": ("CONTINUE", action.terminating),
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


@perform.register
def _(action: actions.TerminateInstances, annex: AnnexAccess) -> None:
    in_batches(
        annex,
        action.instance_ids,
        _INSTANCE_BATCH,
        lambda batch: annex.clients.ec2.terminate_instances(InstanceIds=batch),
    )


def _write_tags(annex: AnnexAccess, *values: tuple[str, str]) -> None:
    written = [cast("TagTypeDef", tags.group_tag(key, value).to_api(annex.group)) for key, value in values]
    annex.clients.autoscaling.create_or_update_tags(Tags=written)
