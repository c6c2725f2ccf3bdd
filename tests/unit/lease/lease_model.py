"""A group to decide about, and the smallest model of what AWS does with each action."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from annex_lease import tags as lease_tags
from annex_lease.actions import (
    Action,
    AllowDeletion,
    ClearProtection,
    Close,
    Decision,
    DeleteWarmPool,
    EmptyGroup,
    FinishHooks,
    Grant,
    NotifyInstances,
    PublishEnd,
    RecordGrant,
    RecordOverride,
    RecordUse,
    RenewLease,
    Reopen,
    Report,
    ResumeLaunch,
    ResumeTerminate,
    ScheduleEnds,
    SuspendLaunch,
    SuspendProcesses,
    TerminateInstances,
    Warn,
)
from annex_lease.decision import decide
from annex_lease.entries import GRANT_MARK, Schedule
from annex_lease.observed import BELIEVED, Compared, Credential, Deployment, Group, GroupMember, Instance
from annex_lease.policy import LeasePolicy, policy_tags
from annex_lease.tags import Tag, group_tag

CREATED = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
POLICY = LeasePolicy("muon", size=2, max_lifetime_seconds=7200, grace_seconds=900, duration_seconds=3600)
END = CREATED + HOUR
CAP = CREATED + 2 * HOUR
GRACE = timedelta(seconds=900)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
MIDDLE = CREATED + HOUR / 2
LAUNCH = frozenset({"Launch", "AZRebalance"})
RUNNING = (GroupMember("i-1", "InService"), GroupMember("i-2", "InService"))


def a_group(
    policy: LeasePolicy | None = POLICY,
    *,
    written: dict[str, str] | None = None,
    members: tuple[GroupMember, ...] = (),
    instances: tuple[Instance, ...] | None = (),
    desired: int = 0,
    min_size: int = 0,
    max_size: int = 10,
    suspended: frozenset[str] = frozenset({"AZRebalance"}),  # as any check leaves it
    new_instances_protected: bool = False,
    credential: Credential | None = Credential.PRESENT,
    unread_for: timedelta = BELIEVED,
    empty_before: bool = True,
    compared: Compared | None = None,
) -> Group:
    """A group of the policy; `written` are tags written at run time, in place of declared ones of the same key."""
    tags = {tag.key: tag for tag in (policy_tags(policy) if policy else ())}
    marked = lease_tags.TAG_GRANTED in (written or {})  # as a grant leaves it
    tags |= {key: group_tag(key, value) for key, value in (written or {}).items()}
    return Group(
        name="Annex-muon-Fleet",
        created=CREATED,
        min_size=min_size,
        max_size=max_size,
        desired=desired,
        tags=tuple(tags.values()),
        members=members,
        suspended=suspended | {GRANT_MARK} if marked else suspended,
        new_instances_protected=new_instances_protected,
        credential=credential,
        instances=instances,
        unread_for=unread_for,
        empty_before=empty_before,
        compared=compared,
    )


def settled(end: datetime = END, *, size: int = 2) -> dict[str, str]:
    """The tags of an annex that was granted, whose instances know their end, and whose ends are scheduled."""
    text = lease_tags.format_time(end)
    return {
        lease_tags.TAG_END: text,
        lease_tags.TAG_NOTIFIED: text,
        lease_tags.TAG_GRANTED: str(size),
        lease_tags.TAG_SCHEDULED: Schedule(end, CAP).text(),
    }


def compared(group: Group, end: datetime = END) -> Group:
    """The group after a recent listing in which all its members knew this end."""
    ids = frozenset(member.id for member in group.members)
    return replace(group, compared=Compared(lease_tags.format_time(end), ids))


def unasked(*members: GroupMember, desired: int = 2) -> Group:
    """A settled annex with these members, of whose instances EC2 was not asked."""
    return compared(a_group(written=settled(), desired=desired, members=members, instances=None))


def listed(group: Group, end: datetime | None = END) -> Group:
    """The group with its members as EC2 lists them: running, and notified of this end."""
    text = None if end is None else lease_tags.format_time(end)
    return replace(group, instances=tuple(Instance(each.id, "running", end=text) for each in group.members))


def without(group: Group, key: str) -> Group:
    return replace(group, tags=tuple(tag for tag in group.tags if tag.key != key))


def kinds(decision: Decision) -> list[str]:
    return [type(action).__name__ for action in decision.actions]


def _tagged(group: Group, *tags: Tag) -> Group:
    keys = {tag.key for tag in tags}
    return replace(group, tags=(*(tag for tag in group.tags if tag.key not in keys), *tags))


def _kill(group: Group, ids: set[str]) -> Group:
    instances = {instance.id: instance for instance in group.instances or ()}
    instances |= {key: Instance(key, "terminated") for key in ids}
    return replace(
        group,
        members=tuple(i for i in group.members if i.id not in ids),
        instances=tuple(instances.values()) if group.instances is not None else None,
    )


def _scale_in(group: Group) -> Group:
    """Terminate above the desired capacity, as Auto Scaling does by itself: protected and waiting instances stay."""
    if "Terminate" in group.suspended:
        return group
    spare = len(group.members) - group.desired
    going = [i.id for i in group.members if not i.protected and not i.state.endswith((":Wait", ":Retained"))]
    return _kill(group, set(going[: max(0, spare)]))


def apply(group: Group, action: Action) -> Group:
    after = _written(group, action) if action.bookkeeping else _changed(group, action)
    assert after is not None, f"the model has no {action}"
    return after


def _written(group: Group, action: Action) -> Group | None:
    """The group after an action that only writes; None if there is no such action."""
    match action:
        case PublishEnd(end=end):
            return _tagged(group, group_tag(lease_tags.TAG_END, lease_tags.format_time(end)))
        case NotifyInstances(end=end, instance_ids=ids):
            text = lease_tags.format_time(end)
            instances = {instance.id: instance for instance in group.instances or ()}
            instances |= {key: replace(instances.get(key) or Instance(key, "running"), end=text) for key in ids}
            return _tagged(
                replace(group, instances=tuple(instances.values())), group_tag(lease_tags.TAG_NOTIFIED, text)
            )
        case RecordGrant(granted=granted):
            return _tagged(group, group_tag(lease_tags.TAG_GRANTED, granted.text()))
        case RecordOverride(override=override):
            return _tagged(group, group_tag(lease_tags.TAG_OVERRIDES, override.text()))
        case ScheduleEnds(schedule=schedule, actions=actions):
            known = dict(group.scheduled or {}) | {each.name: each.start for each in actions}
            scheduled = group.scheduled if group.scheduled is None else known
            return _tagged(replace(group, scheduled=scheduled), group_tag(lease_tags.TAG_SCHEDULED, schedule.text()))
        case Close(at=at):
            return _tagged(group, group_tag(lease_tags.TAG_CLOSED, lease_tags.format_time(at)))
        case Reopen():
            return _tagged(group, group_tag(lease_tags.TAG_CLOSED, lease_tags.NOT_CLOSED))
        case RenewLease(renewed=renewed):
            return _tagged(group, group_tag(lease_tags.TAG_BUSY, renewed.text()))
        case RecordUse(ledger=ledger):
            return _tagged(group, group_tag(lease_tags.TAG_USED, ledger.text()))
        case Report(kinds=reported):
            return _tagged(group, group_tag(lease_tags.TAG_REPORTED, reported))
        case Warn(end=end):
            return _tagged(group, group_tag(lease_tags.TAG_WARNED, lease_tags.format_time(end)))
    return None


def _changed(group: Group, action: Action) -> Group | None:
    """The group after an action that starts or ends something; None if there is no such action."""
    match action:
        case ResumeLaunch():
            return replace(group, suspended=group.suspended - {"Launch"})
        case ResumeTerminate():
            return _scale_in(replace(group, suspended=group.suspended - {"Terminate"}))
        case DeleteWarmPool():
            return replace(group, warm_pool=False, warm_pool_size=0)
        case AllowDeletion():
            return replace(group, deletion_protected=False)
        case Grant(granted=granted, ledger=ledger, capacity=size, max_size=max_size):
            group = replace(group, desired=size, max_size=group.max_size if max_size is None else max_size)
            group = replace(group, suspended=group.suspended | {GRANT_MARK})
            assert size <= group.max_size
            if ledger is not None:
                group = _tagged(group, group_tag(lease_tags.TAG_USED, ledger.text()))
            missing = range(len(group.members), size) if "Launch" not in group.suspended else ()
            started = tuple(GroupMember(f"i-new{number}", "InService") for number in missing)
            group = replace(group, members=group.members + started)
            return _scale_in(_tagged(group, group_tag(lease_tags.TAG_GRANTED, granted.text())))
        case SuspendProcesses(processes=processes):
            return replace(group, suspended=group.suspended | {*processes})
        case SuspendLaunch():
            return replace(group, suspended=group.suspended | {"Launch"})
        case ClearProtection(instance_ids=ids):
            freed = tuple(replace(i, protected=i.protected and i.id not in ids) for i in group.members)
            return _scale_in(replace(group, members=freed))
        case EmptyGroup():
            return _scale_in(replace(group, min_size=0, desired=0, new_instances_protected=False))
        case FinishHooks(launching=launching, terminating=terminating):
            return _kill(group, {*launching, *terminating})
        case TerminateInstances(instance_ids=ids):
            return _kill(group, set(ids))
    return None


def carry_out(group: Group, now: datetime, *, closing: bool = False, deployment: Deployment | None = None) -> Group:
    for action in decide(group, now, closing=closing, deployment=deployment).actions:
        group = apply(group, action)
    return group
