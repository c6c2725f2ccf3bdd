"""Decision for a lease that is over: stop spending first (nothing starts, the group is set to 0), tidy later. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from annex_lease.actions import (
    Action,
    AllowDeletion,
    ClearProtection,
    Close,
    Decision,
    DeleteWarmPool,
    EmptyGroup,
    FinishHooks,
    ResumeTerminate,
    SuspendLaunch,
    TerminateInstances,
)
from annex_lease.bookkeeping import drop_renewal, notify, publish, record_use
from annex_lease.lease import Phase
from annex_lease.observed import BELIEVED, DEAD_LIFECYCLE_STATES, Fact, Group, Instance, Missing
from annex_lease.tags import format_time, parse_time
from annex_lease.terms import GRACE

_FAR = datetime.max.replace(tzinfo=UTC) - timedelta(days=2)


@dataclass(frozen=True)
class Stop:
    """Reason, time and manner of stopping an annex.

    Attributes:
        reason: reason for the stop.
        end: effective end of the lease; None if none can be read.
        notify: True if instances that were notified of another end are to be notified of this one.
        closing: True if the group itself will be deleted next: nothing has a grace.
    """

    reason: str
    end: datetime | None
    notify: bool = False
    closing: bool = False


def stop(group: Group, now: datetime, why: Stop) -> Decision:
    """Decide about a group whose lease is over.

    Args:
        group: the group as observed.
        now: current time, aware.
        why: reason and manner of the stop.
    """
    lease = group.lease
    alive = group.alive()
    grace = not why.closing and why.end is not None and now < why.end + lease.grace
    actions = _stop_group(group, closing=why.closing)
    if lease.policy is None and why.notify and why.end is not None:
        # At once: the record does not say any more when this end came, and the next run measures the grace from it.
        actions = [*publish(lease, why.end), *actions]
    notices: tuple[Action, ...] = ()
    needs: frozenset[Fact] = frozenset()
    if alive and not grace:
        actions.append(TerminateInstances(alive, f"{why.reason}; there is no grace, or it is over"))
    elif alive and why.notify and why.end is not None:
        # An instance that the group cannot remove still has its own timer.
        notices, needs = notify(group, why.end)
    # One call for each instance: last, so that it delays nothing that ends more with fewer calls.
    actions.extend(_hooks(group, grace=grace))
    stopping = bool(actions)
    actions.extend(drop_renewal(lease.record))
    if why.closing and not lease.record.closed:
        actions.append(Close(now, "a check that runs at the same time, or later, must not grant anything"))
    if not why.closing:
        used, more = record_use(group, now)
        actions, needs = [*actions, *used], needs | more
        if why.end is not None and why.notify and alive and lease.policy is not None:
            actions.extend(publish(lease, why.end))
    actions.extend(notices)
    nothing = not alive and not group.warm_pool
    # Within the grace the group's own list is enough while it is not empty. After the grace, and before anything is
    # called empty, EC2 is asked too: it lists the instances that the group lost. Each of the two looks asks.
    unknown = group.instances is None and (not group.known_empty if nothing else not grace)
    # Bookkeeping that is still to be done does not count as something left.
    empty = nothing and not stopping and not unknown
    billed = len(alive) if group.instances is not None else max(len(alive), group.billed())
    return Decision(
        *_standing(why.reason, why.end, empty=empty, before=group.empty_before, known=group.known_empty),
        actions=tuple(actions),
        problems=_phantoms(group),
        needs=needs | {Fact.INSTANCES} if unknown else needs,
        alive=billed,
        overdue=0 if grace else billed,
        empty=empty,
        leaving=sum(each.state == "shutting-down" and not each.member for each in group.instances or ()),
    )


def clear_away(missing: Missing, now: datetime, *, closing: bool = False) -> Decision:
    """Decide about the instances of a group that AWS does not list.

    A listing can lack what exists, so each instance may stay until the end that it was notified of itself, and its
    grace. Once the group has been missing for long, or the annex is being destroyed, nothing may stay: nothing records
    a lease any more.

    Args:
        missing: the observation.
        now: current time, aware.
        closing: True if the annex is being destroyed. Default: False.
    """
    believed = closing or missing.unread_for >= BELIEVED
    minutes = int(BELIEVED.total_seconds()) // 60
    reason = (
        "the group does not exist" if believed else f"the group is not listed, which counts after {minutes} minutes"
    )
    alive = missing.alive()
    ends = {instance.id: _notified_end(instance) for instance in missing.instances or ()}
    # The declared grace stands in the record, which is not there: the longest that can be declared.
    over = tuple(key for key in alive if believed or now >= ends[key] + GRACE.maximum)
    actions: list[Action] = []
    if over and believed and missing.name:
        # A listing that lacks a group for so long may lack it longer, while the group replaces what is terminated.
        actions.append(EmptyGroup("the group may exist, although AWS does not list it"))
    if over:
        actions.append(TerminateInstances(over, f"{reason}; nothing records that they may stay longer"))
    unknown = missing.instances is None and not missing.known_empty
    empty = believed and not alive and not unknown
    return Decision(
        *_standing(reason, None, empty=empty, before=missing.empty_before, known=missing.known_empty),
        actions=tuple(actions),
        problems=(reason,),
        needs=frozenset({Fact.INSTANCES}) if unknown else frozenset(),
        alive=len(alive),
        overdue=len(over),
        empty=empty,
        leaving=sum(each.state == "shutting-down" for each in missing.instances or ()),
    )


def _notified_end(instance: Instance) -> datetime:
    """The end that an instance was notified of; one that cannot be read is far away: only the time can show it."""
    try:
        return min(parse_time(instance.end or ""), _FAR)  # a tag may hold any time, and the grace is added to it
    except ValueError:
        return _FAR


def _standing(
    reason: str, end: datetime | None, *, empty: bool, before: bool, known: datetime | None
) -> tuple[Phase, str, datetime | None]:
    if empty and known is not None:
        return Phase.ENDED, f"{reason}; nothing was left at {format_time(known)}, the last time that EC2 was asked", end
    if empty and before:
        return Phase.ENDED, reason, end
    return Phase.DRAINING, f"{reason}; nothing is left, as seen once" if empty else reason, end


def _phantoms(group: Group) -> tuple[str, ...]:
    members = sorted(member.id for member in group.members if member.id in group.gone)
    if not members:
        return ()
    return (f"the group lists instances that EC2 does not know, and they count as gone: {', '.join(members[:5])}",)


def _stop_group(group: Group, *, closing: bool) -> list[Action]:
    actions: list[Action] = []
    # One call, for any number of instances: nothing starts any more, and the group terminates its instances.
    if group.min_size or group.desired or group.new_instances_protected:
        actions.append(EmptyGroup(f"minimum is {group.min_size} and desired capacity {group.desired}; both must be 0"))
    if "Launch" not in group.suspended:
        actions.append(SuspendLaunch("nothing may start any more, even if the capacity is raised"))
    if "Terminate" in group.suspended:
        actions.append(ResumeTerminate("the group terminates nothing while this process is suspended"))
    if group.warm_pool:
        actions.append(DeleteWarmPool(f"a warm pool of {group.warm_pool_size} would continue to cost money"))
    # The protection of instances that are still starting or already being terminated cannot be changed, and does not
    # keep them.
    protected = tuple(
        member.id
        for member in group.members
        if member.protected
        and member.state not in DEAD_LIFECYCLE_STATES
        and not member.state.startswith(("Pending", "Terminating"))
    )
    if protected:
        actions.append(ClearProtection(protected, "scale-in skips these instances"))
    if closing and group.deletion_protected:
        actions.append(AllowDeletion("the group could not be deleted"))
    return actions


def _hooks(group: Group, *, grace: bool) -> tuple[Action, ...]:
    """Finish the hooks that instances wait for: of a launch at once, of a termination after the grace."""
    alive = set(group.alive())
    waiting = {i.id: i.state for i in group.members if i.id in alive}
    launching = tuple(sorted(key for key, state in waiting.items() if state == "Pending:Wait"))
    terminating = () if grace else tuple(sorted(key for key, state in waiting.items() if state == "Terminating:Wait"))
    if not launching and not terminating:
        return ()
    reason = "an instance that waits for a hook would cost money until it times out"
    return (FinishHooks(launching, terminating, reason),)
