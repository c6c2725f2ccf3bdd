"""Orphans: resources whose annex has no group, as two sources say, and the mark that they get. Pure.

A volume that is attached to nothing is an orphan as soon as its annex is ended: the instance that used it is gone, and
the stack does not know it.

An orphan is marked first, and removed by a later run if it is still one. The time between gives people, and an AWS
whose listings lag, a chance to object.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from annex_lease.observed import Group
from annex_lease.ownership import GROUP_TAG, STACK_DESCRIPTION, annex_id, by_key, claimed_name, stack_uuid
from annex_lease.sweep.expired import is_readable
from annex_lease.sweep.resources import ResourceKind, Stack, TaggedResource
from annex_lease.sweep.sweep_settings import SweepSettings
from annex_lease.tags import TAG_END, TAG_ID, TAG_NAME, TAG_ORPHAN, format_time, parse_time, shown

_PROBLEMS = ("CREATE_FAILED", "DELETE_FAILED", "UPDATE_FAILED", "UPDATE_ROLLBACK_FAILED")


def marked_since(tags: Mapping[str, str], now: datetime) -> datetime | None:
    """Time of the mark in these tags; None without a mark, or if it is no time or not in the past."""
    try:
        since = parse_time(tags[TAG_ORPHAN])
    except (KeyError, ValueError):
        return None
    # The sweeper never wrote a time in the future: the resource is marked again.
    return since if since <= now else None


def is_due(tags: Mapping[str, str], now: datetime, wait: timedelta) -> bool:
    """True if the mark in these tags is at least `wait` old."""
    since = marked_since(tags, now)
    return since is not None and now - since >= wait


class Standing(Enum):
    """Class of a resource: the treatment that the sweeper may give it."""

    KEPT = "kept"
    """Nothing: it belongs to an annex, is too young, or costs nothing by itself."""
    UNCLEAR = "unclear"
    """Report it: it looks like an orphan, but only one source says so."""
    UNATTACHED = "unattached"
    """Report it: a volume that is attached to nothing, of an annex that is not ended and may need it."""
    ORPHAN = "orphan"
    """Mark it, and remove it if it is still an orphan when the mark is old enough."""


@dataclass(frozen=True)
class Verdict:
    """Standing of a resource, and the reason."""

    standing: Standing
    reason: str


class GroupOwners:
    """Annexes that have a group."""

    def __init__(self, groups: Iterable[Group]) -> None:
        """Keep the names and ids of the annexes.

        Args:
            groups: all groups of the Region that count as owners.
        """
        all_tags = {group.name: by_key(group.tags) for group in groups}
        self._groups = frozenset(all_tags)
        self._ids = frozenset(annex_id(tags) for tags in all_tags.values()) - {""}
        self._claimed_ids = frozenset(tags[TAG_ID] for tags in all_tags.values() if TAG_ID in tags)
        self._names = frozenset(tags[TAG_NAME] for tags in all_tags.values() if TAG_NAME in tags)
        # A group whose tags do not identify its annex may be that of any annex of its name.
        self._unidentified = frozenset(
            tags[TAG_NAME] for tags in all_tags.values() if TAG_NAME in tags and not annex_id(tags)
        )
        self.stacks = frozenset(uuid for uuid in map(stack_uuid, all_tags.values()) if uuid)
        """UUIDs of the stacks whose groups exist."""

    def owns(self, tags: Mapping[str, str]) -> bool:
        """True if a resource with these tags belongs to an annex that has a group, or may belong to one."""
        if tags.get(GROUP_TAG) in self._groups or tags.get(TAG_ID) in self._claimed_ids:
            return True
        own, name = annex_id(tags) or _id_alone(tags), claimed_name(tags)
        return own in self._ids or name in self._unidentified if own else name in self._names


def _id_alone(tags: Mapping[str, str]) -> str:
    """Id that a resource without a name claims; empty if it has a name, which contradicts its id then."""
    return "" if TAG_NAME in tags else tags.get(TAG_ID, "")


class OrphanCheck:
    """Classifies resources, groups and stacks by what one run has listed."""

    def __init__(
        self, groups: Iterable[Group], stacks: Iterable[Stack], now: datetime, settings: SweepSettings
    ) -> None:
        """Keep what was listed.

        Args:
            groups: all Auto Scaling groups of the Region, an annex's with their instances.
            stacks: all stacks of the Region.
            now: the current time, aware.
            settings: settings of the sweeper. What is younger than `wait` is kept. Where AWS reports no age, the age of
                the mark is enough.
        """
        self._stacks = {stack.uuid: stack for stack in stacks}
        self._now = now
        self._min_age = settings.wait
        # A group that is ended, empty and without its stack protects nothing: the sweeper deletes no group, so the
        # resources with its id would otherwise never be removed.
        owners = [group for group in groups if not (self._lost_stack(group) and _is_ended(group))]
        self._owners = GroupOwners(owners)
        # Stopped by hand is not ended: a renewal can wake it, and may need what is left.
        ended = {group.name: _is_ended(group) and _ended_by(group, now - settings.slack) for group in owners}
        self._ended_ids = _ids(each for each in owners if ended[each.name])
        self._ended_ids -= _ids(each for each in owners if not ended[each.name])

    def verdict(self, resource: TaggedResource) -> Verdict:
        """Classify one resource with the tag `annex:name` or `annex:id`."""
        verdict = self._verdict(resource)
        if verdict.standing is Standing.ORPHAN and TAG_ID not in resource.tags:
            # CloudFormation's tag names a stack, not that of an annex; anyone can write the name of an annex.
            return Verdict(Standing.UNCLEAR, f"{verdict.reason}, but it has no tag {TAG_ID}")
        return verdict

    def _verdict(self, resource: TaggedResource) -> Verdict:
        young = resource.created is not None and self._now - resource.created < self._min_age
        if self._owners.owns(resource.tags):
            if resource.detached and TAG_ID in resource.tags and not young:
                return self._unattached(resource.tags)
            return Verdict(Standing.KEPT, "its annex has a group")
        if young:
            return Verdict(Standing.KEPT, "it is too young")
        if not resource.costs():
            return Verdict(Standing.KEPT, "it costs nothing by itself")
        uuid = stack_uuid(resource.tags)
        if uuid is None:
            return Verdict(Standing.UNCLEAR, "no annex of its name has a group, and its tags do not identify its stack")
        stack = self._stacks.get(uuid)
        if stack is None:
            return Verdict(Standing.ORPHAN, "neither the group nor the stack of its annex exists")
        if resource.detached and stack.settled():
            return Verdict(Standing.ORPHAN, "the group of its annex does not exist, and it is attached to nothing")
        if resource.kind is not ResourceKind.INSTANCE or not stack.settled():
            return Verdict(Standing.KEPT, f"its stack {stack.name} exists")
        return self._without_group(resource, stack)

    def _unattached(self, tags: Mapping[str, str]) -> Verdict:
        """Classify a volume that is attached to nothing, by the group of its annex."""
        if tags[TAG_ID] not in self._ended_ids:
            return Verdict(Standing.UNATTACHED, "it is attached to nothing, and its annex is not ended")
        if not annex_id(tags):
            return Verdict(Standing.UNCLEAR, "its annex is ended, but its tags do not agree about their annex")
        return Verdict(Standing.ORPHAN, "its annex is ended, and it is attached to nothing")

    def _without_group(self, resource: TaggedResource, stack: Stack) -> Verdict:
        """Classify an instance whose stack has no group: the record of its lease is gone, its own tag is left."""
        published = resource.tags.get(TAG_END, "")
        try:
            end = parse_time(published)
        except ValueError:
            end = None
        if end is not None and end <= self._now - self._min_age:
            reason = f"the group of its annex does not exist, and its tag {TAG_END} is {format_time(end)}"
            return Verdict(Standing.ORPHAN, reason)
        reason = f"its stack {stack.name} exists without a group, and its tag {TAG_END} is {shown(published)}"
        return Verdict(Standing.UNCLEAR, reason)

    def _lost_stack(self, group: Group) -> bool:
        tags = by_key(group.tags)
        old = self._now - group.created >= self._min_age
        return old and bool(annex_id(tags)) and stack_uuid(tags) not in self._stacks

    def problem_of_group(self, group: Group) -> str | None:
        """Report text for an annex's group without its stack; None if the stack exists or is not known.

        The sweeper ends annexes and deletes no group: a person must.
        """
        if not self._lost_stack(group):
            return None
        state = "it is ended and empty" if _is_ended(group) else "it ends with its lease"
        return f"group {group.name} belongs to a stack that does not exist: {state}; delete it"

    def problem_of_stack(self, stack: Stack) -> str | None:
        """Report text for an annex's stack that needs a person; None if it does not, or is not that of an annex."""
        if not stack.description.startswith(STACK_DESCRIPTION) or not stack.settled():
            return None
        if stack.status in _PROBLEMS or stack.status.startswith("ROLLBACK_"):
            return f"stack {stack.name} is in {stack.status}: look at its events, then delete or repair it"
        if stack.uuid not in self._owners.stacks and self._now - stack.created >= self._min_age:
            return f"stack {stack.name} has no Auto Scaling group: delete it, or deploy it again"
        return None


def _ids(groups: Iterable[Group]) -> frozenset[str]:
    """Ids that these groups claim, and those that identify their annexes."""
    tags = [by_key(group.tags) for group in groups]
    return frozenset(each[TAG_ID] for each in tags if TAG_ID in each) | frozenset(map(annex_id, tags)) - {""}


def _ended_by(group: Group, time: datetime) -> bool:
    """True if the group's own, readable record says that its lease ended by this time."""
    return is_readable(group) and group.lease.effective_end <= time


def _is_ended(group: Group) -> bool:
    """True if the group is as the end of a lease leaves it, and empty."""
    return group.is_off() and not group.alive() and not group.warm_pool
