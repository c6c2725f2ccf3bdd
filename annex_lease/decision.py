"""The decision: what to do about an annex, from its record, its group as observed, and the time. Pure.

Level-triggered: the same input gives the same actions, every action may be repeated, and once the world matches there
is nothing to do. What a missed, doubled or interrupted run left behind is what the next run sees and finishes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

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
from annex_lease.observed import Fact, Group
from annex_lease.record import LeaseRecord, lease_times, read_record


class Phase(Enum):
    """Where an annex stands."""

    WAITING = "waiting"
    """The lease is valid and the declared size is not granted yet: something is missing."""
    ACTIVE = "active"
    """The lease is valid and nothing is left to grant."""
    ENDING = "ending"
    """The lease is over and something is still there, or could still start."""
    ENDED = "ended"
    """The lease is over, nothing is there and nothing can start."""


@dataclass(frozen=True)
class Decision:
    """What to do, in this order, and why.

    Attributes:
        phase: where the annex stands, before the actions.
        reason: why it stands there.
        end: the effective end of the lease, aware UTC; None if there is no group or no readable policy.
        actions: what to do, the first thing first.
        independent: True if each action is worth trying whatever became of those before it (stopping); False if the
            first failure must stop the rest (granting).
        problems: what an operator should look at.
        needs: facts without which the decision is not complete. The actions are right without them; supply the facts
            with the group and decide again.
    """

    phase: Phase
    reason: str
    end: datetime | None
    actions: tuple[Action, ...] = ()
    independent: bool = True
    problems: tuple[str, ...] = ()
    needs: frozenset[Fact] = frozenset()


def decide(group: Group | None, now: datetime, *, closing: bool = False) -> Decision:
    """Decide what to do about the annex of `group`.

    Never raises for anything the group's tags may hold: a record that cannot be read ends the annex.

    Args:
        group: the group as observed, or None if AWS says that it does not exist.
        now: the current time, aware.
        closing: the annex is being destroyed: whatever the record says, everything goes and nothing gets grace.

    Raises:
        ValueError: `now` has no time zone.
    """
    if now.utcoffset() is None:
        raise ValueError(f"now is {now.isoformat()} without a time zone: pass an aware datetime")
    if group is None:
        return Decision(Phase.ENDED, "the group does not exist", None, problems=("the group does not exist",))
    record = read_record(group.tags)
    times = lease_times(record, group.created)
    problems = record.problems + (times.problems if times else ())
    if closing:
        return _stop(group, record, times.end if times else None, "the annex is being destroyed", problems, grace=False)
    if record.policy is None or times is None:
        # There is no time to measure a grace from, and "now" would move it on with every check.
        return _stop(group, record, None, "the declared lease is missing or malformed", problems, grace=False)
    if now >= times.end:
        reason = f"the lease ended at {contract.format_time(times.end)}"
        grace = now < times.end + record.policy.grace
        return _stop(group, record, times.end, reason, problems, grace=grace)
    return _keep(group, record, record.policy.size, times.end, problems)


def _keep(group: Group, record: LeaseRecord, size: int, end: datetime, problems: tuple[str, ...]) -> Decision:
    """The lease is valid: publish its end, grant the declared size once, tell the instances of a changed end."""
    phase, reason, obstacle, needs = _grant_state(group, record, size)
    actions: list[Action] = list(_publish(record, end))
    if "AZRebalance" not in group.suspended:
        # Execution points leave one by one, so the zones get uneven, and Auto Scaling would launch above the desired
        # capacity and terminate where there are more, jobs or not (EC2 Auto Scaling User Guide, "Availability Zone
        # rebalancing"). CloudFormation has no property for it.
        actions.append(SuspendRebalance("it would end busy instances to even out the zones"))
    if phase is Phase.ACTIVE and _grant_due(record, size):
        # After the end is published: an instance that starts without it could not know when to stop.
        actions.append(Grant(size, f"the declared size is {size}, the granted size {record.granted}"))
    actions.extend(_tell(record, end))
    if "Launch" in group.suspended and obstacle is None:
        obstacle = "the Launch process is suspended: this annex was ended, or stopped by hand; nothing will start"
    if obstacle:
        problems = (*problems, obstacle)
    return Decision(phase, reason, end, tuple(actions), independent=False, problems=problems, needs=needs)


def _grant_due(record: LeaseRecord, size: int) -> bool:
    # A granted size that cannot be read may be this very one: granting it again could resize a fleet behind the
    # operator's back, and the rule for what cannot be read is never to start anything.
    return record.granted_known and record.granted != size


def _grant_state(group: Group, record: LeaseRecord, size: int) -> tuple[Phase, str, str | None, frozenset[Fact]]:
    """Phase, its reason, what an operator must repair for the grant (if so) and the facts it depends on."""
    nothing: frozenset[Fact] = frozenset()
    if not record.granted_known:
        return Phase.ACTIVE, "what was granted cannot be read, so nothing is granted", None, nothing
    if record.granted == size:
        return Phase.ACTIVE, "the declared size was granted", None, nothing
    if size > group.max_size:
        obstacle = f"the declared size {size} is above the group's MaxSize {group.max_size}; nothing is granted"
        return Phase.WAITING, "the declared size cannot be granted", obstacle, nothing
    if size <= group.desired:
        # Nothing new starts, so neither the credential nor the Launch process matters.
        return Phase.ACTIVE, "the declared size is granted without starting anything", None, nothing
    if "Launch" in group.suspended:
        # UpdateAutoScalingGroup would succeed here, the grant would be recorded, and everything would start at the
        # moment in which somebody resumes Launch, whether that is wanted or not. Staying stopped is the safe side.
        obstacle = "the Launch process is suspended: resume it to have the declared size granted"
        return Phase.WAITING, "the group was stopped", obstacle, nothing
    if group.credential is None:
        return Phase.WAITING, "it is not known yet whether the credential exists", None, frozenset({Fact.CREDENTIAL})
    if not group.credential:
        return Phase.WAITING, "the credential has no value yet: run annex credential push", None, nothing
    return Phase.ACTIVE, "the declared size can be granted", None, nothing


def _publish(record: LeaseRecord, end: datetime) -> tuple[Action, ...]:
    wanted = contract.group_tag(contract.TAG_END, contract.format_time(end))
    if record.published == wanted:
        return ()
    before = contract.shown(record.published.value) if record.published else "nothing"
    return (PublishEnd(end, f"the lease ends at {wanted.value}, published is {before}"),)


def _tell(record: LeaseRecord, end: datetime) -> tuple[Action, ...]:
    if record.told == contract.format_time(end):
        return ()
    before = contract.shown(record.told) if record.told else "nothing"
    return (TellInstances(end, f"the instances were told {before}"),)


def _stop(
    group: Group, record: LeaseRecord, end: datetime | None, reason: str, problems: tuple[str, ...], *, grace: bool
) -> Decision:
    """The lease is over: stop spending first (nothing new starts, the group goes to zero), tidy later."""
    living = group.living()
    actions = _stop_group(group)
    hooks = _hooks(group, living)
    if hooks:
        actions.append(hooks)
    if living and not grace:
        actions.append(TerminateInstances(living, f"{reason} and the grace is over"))
    elif living and end is not None:
        # An instance that the group cannot remove (Terminate suspended, say) still has its own timer.
        actions.extend((*_publish(record, end), *_tell(record, end)))
    # "Nothing is there" is claimed only when both listings, the group's and EC2's, say so.
    needs = frozenset({Fact.MACHINES}) if group.machines is None else frozenset()
    phase = Phase.ENDING if actions or living or needs else Phase.ENDED
    return Decision(phase, reason, end, tuple(actions), problems=problems, needs=needs)


def _stop_group(group: Group) -> list[Action]:
    actions: list[Action] = []
    if "Launch" not in group.suspended:
        actions.append(SuspendLaunch("nothing may start any more, not even a replacement"))
    # Before the capacity: a scale-in passes protected instances by. Instances that are still starting or already
    # being terminated cannot have their protection changed and are not kept by it.
    protected = tuple(
        instance.id
        for instance in group.instances
        if instance.protected and not instance.state.startswith(("Pending", "Terminat"))
    )
    if protected:
        actions.append(ClearProtection(protected, "scale-in would pass these instances by"))
    if group.min_size or group.desired or group.new_instances_protected:
        actions.append(EmptyGroup(f"minimum is {group.min_size} and desired capacity {group.desired}; both must be 0"))
    return actions


def _hooks(group: Group, living: tuple[str, ...]) -> FinishHooks | None:
    alive = set(living)
    waiting = {i.id: i.state for i in group.instances if i.id in alive}
    launching = tuple(sorted(key for key, state in waiting.items() if state == "Pending:Wait"))
    terminating = tuple(sorted(key for key, state in waiting.items() if state == "Terminating:Wait"))
    if not launching and not terminating:
        return None
    return FinishHooks(launching, terminating, "an instance that waits for a hook would cost money until it times out")
