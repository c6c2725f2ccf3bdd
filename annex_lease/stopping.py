"""Decision for a lease that is over: stop spending first (nothing starts, the group is set to 0), tidy later. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from annex_lease.actions import (
    Action,
    AllowDeletion,
    ClearProtection,
    Decision,
    DeleteWarmPool,
    EmptyGroup,
    FinishHooks,
    Phase,
    ResumeTerminate,
    SuspendLaunch,
    TerminateInstances,
)
from annex_lease.bookkeeping import notify, publish, record_use
from annex_lease.observed import DEAD_LIFECYCLE_STATES, Fact, Group, Missing


@dataclass(frozen=True)
class Stop:
    """Reason, time and manner of stopping an annex.

    Attributes:
        reason: reason for the stop.
        end: effective end of the lease; None if none can be read.
        deadline: time until which instances may shut down by themselves; None: there is no grace.
        notify: True if instances that were notified of another end are to be notified of this one.
        closing: True if the group itself will be deleted next.
    """

    reason: str
    end: datetime | None
    deadline: datetime | None
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
    grace = why.deadline is not None and now < why.deadline
    actions = _stop_group(group, closing=why.closing)
    if alive and not grace:
        actions.append(TerminateInstances(alive, f"{why.reason}; there is no grace, or it is over"))
    elif alive and why.notify and why.end is not None:
        # An instance that the group cannot remove still has its own timer.
        actions.extend((*publish(lease, why.end), *notify(group, lease, why.end)))
    # One call for each instance: last, so that it delays nothing that ends more with fewer calls.
    actions.extend(_hooks(group))
    stopping = bool(actions)
    if not why.closing:
        actions.extend(record_use(lease, now, group.billed()))
    nothing = not group.alive() and not group.warm_pool
    # Within the grace the group's own list is enough while it is not empty. After the grace, and before anything is
    # called empty, EC2 is asked too: it lists the instances that the group lost. Each of the two looks asks.
    asked_lately = group.known_empty and nothing
    unknown = group.instances is None and not asked_lately and (nothing or not grace)
    # Bookkeeping that is still to be done does not count as something left.
    empty = nothing and not stopping and not unknown
    # The group still lists instances that EC2 has shut down already.
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
    """Decide about the instances of a group that does not exist: their lease is unknown, so they are terminated.

    Args:
        missing: the observation.
    """
    reason = "the group does not exist"
    alive = missing.alive()
    actions = (TerminateInstances(alive, f"{reason}, so nothing records how long they may stay"),) if alive else ()
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


def _hooks(group: Group) -> tuple[Action, ...]:
    alive = set(group.alive())
    waiting = {i.id: i.state for i in group.members if i.id in alive}
    launching = tuple(sorted(key for key, state in waiting.items() if state == "Pending:Wait"))
    terminating = tuple(sorted(key for key, state in waiting.items() if state == "Terminating:Wait"))
    if not launching and not terminating:
        return ()
    reason = "an instance that waits for a hook would cost money until it times out"
    return (FinishHooks(launching, terminating, reason),)
