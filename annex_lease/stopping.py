"""The lease is over: stop spending first (nothing new starts, the group goes to zero), tidy later. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from annex_lease.actions import (
    Action,
    AllowDeletion,
    ClearProtection,
    DeleteWarmPool,
    EmptyGroup,
    FinishHooks,
    ResumeTerminate,
    SuspendLaunch,
    TerminateInstances,
)
from annex_lease.bookkeeping import notify, publish, record_use
from annex_lease.lease import LeaseTimes
from annex_lease.observed import DEAD_LIFECYCLE_STATES, Fact, Group, Missing
from annex_lease.outcome import Decision, Phase
from annex_lease.record import LeaseRecord


@dataclass(frozen=True)
class Stop:
    """Why, since when and how an annex is stopped.

    Attributes:
        reason: why.
        end: the effective end of the lease; None if none can be read.
        deadline: until when instances may shut down by themselves; None: they may not.
        notify: whether instances are to be told of the end, if they were told of another one.
        closing: the group itself will be deleted next.
    """

    reason: str
    end: datetime | None
    deadline: datetime | None
    notify: bool = False
    closing: bool = False


def stop(group: Group, record: LeaseRecord, times: LeaseTimes | None, now: datetime, why: Stop) -> Decision:
    """What to do about a group whose lease is over.

    Args:
        group: the group as observed.
        record: what its tags say.
        times: when its lease ends; None if that cannot be read.
        now: the current time, aware.
        why: why and how.
    """
    alive = group.alive()
    grace = why.deadline is not None and now < why.deadline
    actions = _stop_group(group, closing=why.closing)
    if alive and not grace:
        actions.append(TerminateInstances(alive, f"{why.reason}; there is no grace, or it is over"))
    elif alive and why.notify and why.end is not None:
        # An instance that the group cannot remove still has its own timer.
        actions.extend((*publish(record, why.end), *notify(group, record, why.end)))
    # One call for each of them: last, so that it holds up nothing that ends more with less.
    actions.extend(_hooks(group))
    stopping = bool(actions)
    if not why.closing:
        actions.extend(record_use(record, times, now, group.billed()))
    nothing = not group.alive() and not group.warm_pool
    # Within the grace the group's own word is enough as long as it lists somebody; after it, and before anything is
    # called empty, EC2 is asked too: it knows those that the group lost. Each of the two looks that make an end asks.
    asked_lately = group.known_empty and nothing
    unknown = group.instances is None and not asked_lately and (nothing or not grace)
    # That the hours are still to be written down keeps nothing alive.
    empty = nothing and not stopping and not unknown
    # The group goes on listing what EC2 has shut down already.
    billed = len(alive) if group.instances is not None else max(len(alive), group.billed())
    return Decision(
        *_standing(why.reason, why.end, empty=empty, twice=group.empty_before or group.known_empty),
        actions=tuple(actions),
        needs=frozenset({Fact.INSTANCES}) if unknown else frozenset(),
        alive=billed,
        overdue=0 if grace else billed,
        empty=empty,
    )


def clear_away(missing: Missing) -> Decision:
    """What to do about the instances of a group that does not exist: nobody can tell their lease, so they go.

    Args:
        missing: what was seen.
    """
    reason = "the group does not exist"
    alive = missing.alive()
    actions = (TerminateInstances(alive, f"{reason}, so nothing says how long they may stay"),) if alive else ()
    unknown = missing.instances is None and not missing.known_empty
    empty = not alive and not unknown
    return Decision(
        *_standing(reason, None, empty=empty, twice=missing.empty_before or missing.known_empty),
        actions=actions,
        problems=(reason,),
        needs=frozenset({Fact.INSTANCES}) if unknown else frozenset(),
        alive=len(alive),
        overdue=len(alive),
        empty=empty,
    )


def _standing(reason: str, end: datetime | None, *, empty: bool, twice: bool) -> tuple[Phase, str, datetime | None]:
    if empty and twice:
        return Phase.ENDED, reason, end
    return Phase.DRAINING, f"{reason}; nothing is left, as seen once" if empty else reason, end


def _stop_group(group: Group, *, closing: bool) -> list[Action]:
    actions: list[Action] = []
    # One call, for any number of instances: nothing starts any more, and the group takes its instances away.
    if group.min_size or group.desired or group.new_instances_protected:
        actions.append(EmptyGroup(f"minimum is {group.min_size} and desired capacity {group.desired}; both must be 0"))
    if "Launch" not in group.suspended:
        actions.append(SuspendLaunch("nothing may start any more, whoever raises the capacity"))
    if "Terminate" in group.suspended:
        actions.append(ResumeTerminate("the group takes nothing away while this process is suspended"))
    if group.warm_pool:
        actions.append(DeleteWarmPool(f"a warm pool of {group.warm_pool_size} would go on costing money"))
    # Instances that are still starting or already being terminated cannot have their protection changed and are not
    # kept by it.
    protected = tuple(
        instance.id
        for instance in group.members
        if instance.protected
        and instance.state not in DEAD_LIFECYCLE_STATES
        and not instance.state.startswith(("Pending", "Terminating"))
    )
    if protected:
        actions.append(ClearProtection(protected, "scale-in passes these instances by"))
    if closing and group.deletion_protected:
        actions.append(AllowDeletion("the group could not be deleted"))
    return actions


def _hooks(group: Group) -> tuple[Action, ...]:
    alive = set(group.alive())
    waiting = {i.id: i.state for i in group.members if i.id in alive}
    launching = tuple(sorted(key for key, state in waiting.items() if state == "Pending:Wait"))
    terminating = tuple(sorted(key for key, state in waiting.items() if state == "Terminating:Wait"))
    if not launching and not terminating:
        return ()
    reason = "an instance that waits for a hook would cost money until it times out"
    return (FinishHooks(launching, terminating, reason),)
