"""Whether a resource is an orphan: its annex has no group any more, and a second source says so too. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from annex_lease.observed import Group
from annex_lease.sweep.identity import Living, annex_id, group_tags, stack_uuid
from annex_lease.sweep.resources import Kind, Resource, Stack
from annex_lease.tags import TAG_END, TAG_ID, TAG_NAME, format_time, parse_time, shown

_PROBLEMS = ("CREATE_FAILED", "DELETE_FAILED", "UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED")


class Standing(Enum):
    """What the sweeper may do about a resource."""

    LIVE = "live"
    """Nothing: it belongs to an annex, or is too young to be judged, or costs nothing by itself."""
    UNCLEAR = "unclear"
    """Report it: it looks left over, and there is only one source that says so."""
    ORPHAN = "orphan"
    """Mark it, and remove it if it is still an orphan an hour later."""


@dataclass(frozen=True)
class Verdict:
    """What a resource is, and why."""

    standing: Standing
    reason: str


class Judge:
    """Tells orphans, from what one run has seen."""

    def __init__(self, groups: Iterable[Group], stacks: Iterable[Stack], now: datetime, least_age: timedelta) -> None:
        """Keep what was seen.

        Args:
            groups: all Auto Scaling groups of the Region, an annex's with their machines.
            stacks: all stacks of the Region.
            now: the current time, aware.
            least_age: nothing younger is judged; where AWS tells no age, the time that a mark must stand is enough.
        """
        self._stacks = {stack.uuid: stack for stack in stacks}
        self._now = now
        self._least_age = least_age
        # What is left of an annex that was ended and whose stack was deleted keeps nothing else: nobody would ever
        # remove the group, nor therefore what carries its id.
        self._living = Living(group for group in groups if not (self._lost_stack(group) and _is_ended(group)))

    def judge(self, resource: Resource) -> Verdict:
        """Judge one resource that carries an annex's name."""
        verdict = self._judge(resource)
        if verdict.standing is Standing.ORPHAN and TAG_ID not in resource.tags:
            # CloudFormation's tag tells a stack, not that the stack was an annex's; the name anybody may have written.
            return Verdict(Standing.UNCLEAR, f"{verdict.reason}, but it carries no {TAG_ID} itself")
        return verdict

    def _judge(self, resource: Resource) -> Verdict:
        if self._living.owns(resource.tags):
            return Verdict(Standing.LIVE, "its annex has a group")
        if resource.created is not None and self._now - resource.created < self._least_age:
            return Verdict(Standing.LIVE, "it is too young to be judged")
        if not resource.costs():
            return Verdict(Standing.LIVE, "it costs nothing by itself")
        uuid = stack_uuid(resource.tags)
        if uuid is None:
            return Verdict(Standing.UNCLEAR, "no annex of its name has a group, but its tags do not tell its stack")
        stack = self._stacks.get(uuid)
        if stack is None:
            return Verdict(Standing.ORPHAN, "neither the group nor the stack of its annex exists any more")
        if resource.kind is not Kind.INSTANCE or not stack.settled():
            return Verdict(Standing.LIVE, f"its stack {stack.name} exists")
        return self._without_group(resource, stack)

    def _without_group(self, resource: Resource, stack: Stack) -> Verdict:
        """An instance in a stack that has no group: its record is gone, and what it was told itself is left."""
        told = resource.tags.get(TAG_END, "")
        try:
            end = parse_time(told)
        except ValueError:
            end = None
        if end is not None and end <= self._now - self._least_age:
            reason = f"the group of its annex does not exist, and the lease it was told ended at {format_time(end)}"
            return Verdict(Standing.ORPHAN, reason)
        reason = f"its stack {stack.name} exists without a group; the end of lease it was told is {shown(told)}"
        return Verdict(Standing.UNCLEAR, reason)

    def _lost_stack(self, group: Group) -> bool:
        tags = group_tags(group)
        old = self._now - group.created >= self._least_age
        return old and bool(annex_id(tags)) and stack_uuid(tags) not in self._stacks

    def problem_of_group(self, group: Group) -> str | None:
        """What an operator should look at in an annex's group; None if its stack exists, or if nobody knows its stack.

        The sweeper ends annexes and deletes no group: what is left of one is for a person.
        """
        if not self._lost_stack(group):
            return None
        what = "it is ended and empty" if _is_ended(group) else "it ends with its lease"
        return f"group {group.name} is left of a stack that does not exist any more: {what}; delete it"

    def problem_of_stack(self, stack: Stack) -> str | None:
        """What an operator should look at in an annex's stack; None if nothing, or if the stack is no annex's."""
        if TAG_NAME not in stack.tags or not stack.settled():
            return None
        if stack.status in _PROBLEMS or stack.status.startswith("ROLLBACK_"):
            return f"stack {stack.name} is in {stack.status}: look at its events, then delete or repair it"
        if stack.uuid not in self._living.stacks and self._now - stack.created >= self._least_age:
            return f"stack {stack.name} has no Auto Scaling group: delete it, or deploy it again"
        return None


def _is_ended(group: Group) -> bool:
    """Whether a group is as the end of a lease leaves it, and empty."""
    off = "Launch" in group.suspended and not group.desired and not group.min_size
    return off and not group.alive() and not group.warm_pool
