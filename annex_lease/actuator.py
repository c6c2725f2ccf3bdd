"""Calls of AWS that carry out actions, within the limits of its API. Every call may be repeated without harm."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import singledispatch
from typing import TYPE_CHECKING, cast

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease import actions, tags
from annex_lease.aws import AnnexAccess
from annex_lease.batches import CALL_SECONDS, RefusedError, finish_hooks, in_batches, put_scheduled
from annex_lease.entries import GRANT_MARK
from annex_lease.messages import report, warn
from annex_lease.outcome import Outcome, joined

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import TagTypeDef, UpdateAutoScalingGroupTypeTypeDef

_BEGUN = "?"  # a message is being published
# Parts of the error of SetInstanceProtection for an instance that began to leave, or left, since it was listed.
_LEAVING = ("is not in InService", "is not part of Auto Scaling group")
# Part of the error of a call for a group that does not exist.
_NO_GROUP = "AutoScalingGroup name not found"
_PROTECTION_BATCH = 50  # SetInstanceProtection, API reference: at most 50 instances
_INSTANCE_BATCH = 100  # TerminateInstances takes 1,000 and CreateTags 1,000; AWS advises smaller batches


def carry_out(wanted: Iterable[actions.Action], annex: AnnexAccess) -> Outcome:
    """Carry out actions on the annex's own group, in their order. An action that fails is reported, never raised.

    Each is worth trying even if those before it failed; only a guarded one is not carried out then.

    Args:
        wanted: the actions.
        annex: the annex, with the time that the run may take. No action is begun without `CALL_SECONDS` left.
    """
    tried, failures, notes = [], [], []
    for action in wanted:
        name = type(action).__name__
        if annex.seconds_left() < CALL_SECONDS:
            failures.append(f"{name}: out of time; the next run continues")
            break
        if action.guarded and failures:
            continue
        tried.append(action)
        try:
            perform(action, annex)
        except (BotoCoreError, ClientError, RefusedError) as error:
            if action.note:
                # The lease is enforced all the same: an alarm that reports the opposite would be wrong.
                notes.append(f"{action.note}: {error}")
                continue
            failures.append(f"{name}: {error}")
    return Outcome(tuple(tried), tuple(failures), tuple(notes))


def carry_out_destroy(wanted: Iterable[actions.Action], annex: AnnexAccess) -> Outcome:
    """Carry out actions of a destroy: bookkeeping last, and a failure of it is only a note.

    The record is deleted with the group, so no refused write of it may keep the stack. Arguments as for `carry_out`.
    """
    wanted = tuple(wanted)
    ending = carry_out((each for each in wanted if not each.bookkeeping), annex)
    records = carry_out((each for each in wanted if each.bookkeeping), annex)
    return joined((ending, replace(records, failures=(), notes=(*records.failures, *records.notes))))


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
    # Before anything starts: what cannot be counted or recorded must not run. A grant that stays begun is repeated.
    before = [] if action.ledger is None else [(tags.TAG_USED, action.ledger.text())]
    if action.starts:
        before.append((tags.TAG_GRANTED, replace(action.granted, begun=True).text()))
    if before:
        _write_tags(annex, *before)
    _suspend(annex, GRANT_MARK)
    new: UpdateAutoScalingGroupTypeTypeDef = {"AutoScalingGroupName": annex.group, "DesiredCapacity": action.capacity}
    if action.max_size is not None:
        new["MaxSize"] = action.max_size
    annex.clients.autoscaling.update_auto_scaling_group(**new)
    _write_tags(annex, (tags.TAG_GRANTED, action.granted.text()))


@perform.register
def _(action: actions.NotifyInstances, annex: AnnexAccess) -> None:
    end = tags.format_time(action.end)
    in_batches(
        annex,
        action.instance_ids,
        _INSTANCE_BATCH,
        lambda batch: annex.clients.ec2.create_tags(Resources=batch, Tags=[{"Key": tags.TAG_END, "Value": end}]),
        harmless=(),  # an instance that cannot be found was not notified
    )
    _write_tags(annex, (tags.TAG_NOTIFIED, end))


@perform.register
def _(action: actions.RecordGrant, annex: AnnexAccess) -> None:
    _write_tags(annex, (tags.TAG_GRANTED, action.granted.text()))


@perform.register
def _(action: actions.RecordOverride, annex: AnnexAccess) -> None:
    _write_tags(annex, (tags.TAG_OVERRIDES, action.override.text()))


@perform.register
def _(action: actions.ScheduleEnds, annex: AnnexAccess) -> None:
    for each in action.actions:
        put_scheduled(annex, each)
    _write_tags(annex, (tags.TAG_SCHEDULED, action.schedule.text()))


@perform.register
def _(action: actions.Close, annex: AnnexAccess) -> None:
    _write_tags(annex, (tags.TAG_CLOSED, tags.format_time(action.at)))


@perform.register
def _(action: actions.Reopen, annex: AnnexAccess) -> None:
    _write_tags(annex, (tags.TAG_CLOSED, tags.NOT_CLOSED))


@perform.register
def _(action: actions.RecordUse, annex: AnnexAccess) -> None:
    _write_tags(annex, (tags.TAG_USED, action.ledger.text()))


@perform.register
def _(action: actions.Warn, annex: AnnexAccess) -> None:
    # Before: what cannot be recorded would be published at each check. Afterwards: a run that dies between the two
    # publishes twice, which is better than never.
    _write_tags(annex, (tags.TAG_WARNED, _BEGUN))
    warn(annex, action.end, action.alive)
    _write_tags(annex, (tags.TAG_WARNED, tags.format_time(action.end)))


@perform.register
def _(action: actions.Report, annex: AnnexAccess) -> None:
    if action.problems:
        _write_tags(annex, (tags.TAG_REPORTED, _BEGUN))  # as for a warning
        report(annex, action.problems)
    _write_tags(annex, (tags.TAG_REPORTED, action.kinds))


@perform.register
def _(action: actions.SuspendLaunch, annex: AnnexAccess) -> None:
    _suspend(annex, "Launch")


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
def _(action: actions.SuspendProcesses, annex: AnnexAccess) -> None:
    _suspend(annex, *action.processes)


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
    try:
        annex.clients.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=annex.group, MinSize=0, DesiredCapacity=0, NewInstancesProtectedFromScaleIn=False
        )
    except ClientError as error:
        if _NO_GROUP not in str(error):  # a group that does not exist holds nothing
            raise


@perform.register
def _(action: actions.FinishHooks, annex: AnnexAccess) -> None:
    finish_hooks(annex, action.launching, action.terminating)


@perform.register
def _(action: actions.TerminateInstances, annex: AnnexAccess) -> None:
    in_batches(
        annex,
        action.instance_ids,
        _INSTANCE_BATCH,
        lambda batch: annex.clients.ec2.terminate_instances(InstanceIds=batch),
    )


def _suspend(annex: AnnexAccess, *processes: str) -> None:
    annex.clients.autoscaling.suspend_processes(AutoScalingGroupName=annex.group, ScalingProcesses=[*processes])


def _write_tags(annex: AnnexAccess, *values: tuple[str, str]) -> None:
    written = [cast("TagTypeDef", tags.group_tag(key, value).to_api(annex.group)) for key, value in values]
    annex.clients.autoscaling.create_or_update_tags(Tags=written)
