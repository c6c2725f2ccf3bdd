"""Builders of groups, stacks and resources of a Region, one line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from annex_lease.actions import Action, TerminateInstances
from annex_lease.observed import Group, GroupMember
from annex_lease.ownership import GROUP_TAG, STACK_DESCRIPTION, STACK_ID_TAG, annex_id, by_key
from annex_lease.policy import LeasePolicy, policy_tags
from annex_lease.sweep.expired import Ending, InstanceOwners, find_endings, is_over
from annex_lease.sweep.inventory import RegionReader
from annex_lease.sweep.resources import Inventory, ResourceKind, Stack, TaggedResource
from annex_lease.sweep.sweep_plan import SweepPlan, make_plan
from annex_lease.sweep.sweep_settings import SweepSettings
from annex_lease.tags import TAG_END, TAG_GRANTED, TAG_ID, TAG_NAME, TAG_ORPHAN, TAG_UNTIL, format_time, group_tag

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ONE, OTHER, THIRD = (f"{digit * 8}-0000-4000-8000-{'0' * 12}" for digit in "123")
GRACE = 15 * MINUTE


def stack_arn(uuid: str, name: str = "Annex-a") -> str:
    return f"arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/{uuid}"


def stack(uuid: str, *, name: str = "Annex-a", status: str = "CREATE_COMPLETE", age: timedelta = 9 * HOUR,
          description: str = f"{STACK_DESCRIPTION}a: execution points") -> Stack:  # fmt: skip
    return Stack(name, stack_arn(uuid, name), status, NOW - age, description)


def group(
    name: str = "a",
    uuid: str = ONE,
    *,
    ended: timedelta = HOUR,
    members: Iterable[str] = ("i-1",),
    asg: str = "",
    without: Iterable[str] = (),
    extra: dict[str, str] | None = None,
    **changes: Any,
) -> Group:
    """A group of annex `name`, made 8 hours before its lease ended; `ended` is how long ago, negative: not yet."""
    policy = LeasePolicy(name, 2, 48 * 3600, int(GRACE.total_seconds()), duration_seconds=8 * 3600)
    own = (*policy_tags(policy, annex_id=f"{uuid}.{name}"), group_tag(TAG_GRANTED, "2"))
    tags = [tag for tag in own if tag.key not in set(without)]
    tags += [group_tag(key, value) for key, value in (extra or {}).items()]
    listed = tuple(GroupMember(each, "InService") for each in members)
    known = {"name": asg or f"asg-{name}", "created": NOW - ended - 8 * HOUR, "min_size": 0, "max_size": 2}
    return Group(**{**known, "desired": len(listed), "tags": tuple(tags), "members": listed, **changes})


def tags(name: str = "a", uuid: str | None = ONE, *, member_of: str = "", stack_uuid: str = "",
         marked: timedelta | None = None, end: timedelta | None = None) -> dict[str, str]:  # fmt: skip
    """Tags of a resource; `marked` and `end` say how long ago."""
    found = {TAG_NAME: name}
    found |= {TAG_ID: f"{uuid}.{name}"} if uuid else {}
    found |= {GROUP_TAG: member_of} if member_of else {}
    found |= {STACK_ID_TAG: stack_arn(stack_uuid)} if stack_uuid else {}
    found |= {TAG_ORPHAN: format_time(NOW - marked)} if marked is not None else {}
    return found | ({TAG_END: format_time(NOW - end)} if end is not None else {})


def instance(id: str = "i-1", state: str = "running", age: timedelta = 9 * HOUR, **tagged: Any) -> TaggedResource:
    return TaggedResource(ResourceKind.INSTANCE, id, tags(**tagged), NOW - age, state)


def other(kind: ResourceKind, id: str = "x-1", state: str = "available", age: timedelta | None = 9 * HOUR,
          **tagged: Any) -> TaggedResource:  # fmt: skip
    return TaggedResource(kind, id, tags(**tagged), None if age is None else NOW - age, state)


def plan(
    groups: Iterable[Group] = (),
    instances: Iterable[TaggedResource] | None = (),
    others: Iterable[TaggedResource] | None = (),
    stacks: Iterable[Stack] | None = (),
    **settings: Any,
) -> SweepPlan:
    def some(listed: Iterable[Any] | None) -> tuple[Any, ...] | None:
        return None if listed is None else tuple(listed)

    seen = Inventory(tuple(groups), some(instances), some(others), some(stacks))
    return make_plan(seen, NOW, SweepSettings(**settings))


def endings(groups: Iterable[Group], instances: Iterable[TaggedResource] | None = ()) -> list[Ending]:
    """The annexes that are ended, given all groups and instances of the Region."""
    seen, settings = list(groups), SweepSettings()
    over = [each for each in seen if is_over(each, NOW, settings.slack)]
    owners = None if instances is None else InstanceOwners(instances, frozenset(each.name for each in seen))
    return find_endings(over, owners, NOW, settings.slack)


class FakeRegion(RegionReader):
    """Region whose listings are an inventory; it counts what is asked for, in the order of the questions."""

    def __init__(self, seen: Inventory) -> None:
        self._seen = seen
        self.asked: list[str] = []

    def groups(self) -> tuple[Group, ...]:
        self.asked.append("groups")
        return self._seen.groups

    def instances_of(self, groups: Sequence[Group]) -> Iterator[TaggedResource]:
        self.asked.append(f"instances of {', '.join(each.name for each in groups)}")
        names, ids = {each.name for each in groups}, {annex_id(by_key(each.tags)) for each in groups} - {""}
        for each in self._seen.instances or ():
            if each.tags.get(GROUP_TAG) in names or each.tags.get(TAG_ID) in ids:
                yield each

    def inventory(self, groups: tuple[Group, ...]) -> Inventory:
        self.asked.append("everything")
        return replace(self._seen, groups=groups)

    def existing(self, log_groups: Iterable[TaggedResource]) -> Iterator[TaggedResource]:
        return iter(log_groups)


def until(moment: timedelta) -> dict[str, str]:
    """The operator's override: the lease ends so long after now."""
    return {TAG_UNTIL: format_time(NOW + moment)}


def terminated(action: Action) -> tuple[str, ...]:
    """Ids that an action terminates; any other kind of action is an error."""
    assert isinstance(action, TerminateInstances)
    return action.instance_ids
