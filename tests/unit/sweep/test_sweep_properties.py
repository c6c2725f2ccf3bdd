"""Rules for every Region: the sweeper never touches what is unexpired or foreign. The test states them by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from annex_lease.actions import (
    ClearProtection,
    DeleteWarmPool,
    EmptyGroup,
    FinishHooks,
    ResumeTerminate,
    SuspendLaunch,
    TerminateInstances,
)
from annex_lease.ownership import GROUP_TAG, STACK_ID_TAG
from annex_lease.sweep.resources import Inventory, ResourceKind
from annex_lease.sweep.sweep_plan import SweepPlan, make_plan
from annex_lease.sweep.sweep_report import ending_data, removal_data, resource_data
from annex_lease.sweep.sweep_settings import SweepSettings
from annex_lease.sweep.sweeper import sweep
from annex_lease.tags import TAG_END, TAG_ID, TAG_NAME, TAG_ORPHAN
from tests.unit.sweep.inventories import UUIDS, inventories
from tests.unit.sweep.sweep_model import (
    GRACE,
    HOUR,
    MINUTE,
    NOW,
    FakeRegion,
    endings,
    group,
    instance,
)

SLACK, WAIT = 10 * MINUTE, HOUR
ENDING = (EmptyGroup, SuspendLaunch, ResumeTerminate, DeleteWarmPool, ClearProtection, FinishHooks, TerminateInstances)

# Stopped by hand, no published end, a detached instance, and 7.5 hours of lease left.
STOPPED_BY_HAND = Inventory(
    (group(ended=-7.5 * HOUR, members=(), suspended=frozenset({"Launch"})),), (instance("i-detached"),), (), ()
)


def group_tags(each: Any) -> dict[str, str]:
    return {tag.key: tag.value for tag in each.tags}


def end_of(each: Any) -> datetime:
    """End of the lease of a group: the declared one, or the published one if it was stopped after that."""
    end: datetime = each.created + 8 * HOUR
    published = time_of(group_tags(each).get(TAG_END))
    stopped = "Launch" in each.suspended and not each.desired
    return min(end, published) if stopped and published else end


def lasts(each: Any) -> bool:
    """True if a group has the record of a lease that is not over."""
    tags = group_tags(each)
    return "annex:lease-duration" in tags and TAG_NAME in tags and end_of(each) > NOW


def is_left_over(each: Any, seen: Inventory) -> bool:
    """True if a group is ended and empty, and its stack is gone."""
    tags = group_tags(each)
    named = {tags[TAG_ID].split(".")[0]} if TAG_ID in tags else set()
    named |= {tags[STACK_ID_TAG].split("/")[-1]} if STACK_ID_TAG in tags else set()
    gone = len(named) == 1 and not named & {stack.id.split("/")[-1] for stack in seen.stacks or ()}
    return gone and "Launch" in each.suspended and not each.desired and not each.members


def is_over_and_empty(each: Any, seen: Inventory) -> bool:
    """True if the lease of a group is over by its own record, and it has no instance and can start none."""
    tags = group_tags(each)
    over = "annex:lease-duration" in tags and TAG_NAME in tags and each.created + 8 * HOUR + SLACK <= NOW
    own = [i for i in seen.instances or () if i.tags.get(GROUP_TAG) == each.name and i.costs()]
    return over and not own and "Launch" in each.suspended and not each.desired and not each.members


def touched(seen: Inventory, plan: SweepPlan) -> set[str]:
    """Ids of all instances that would be terminated."""
    ended = [*endings(seen.groups, seen.instances), *(removal.ending for removal in plan.removals if removal.ending)]
    actions = [action for ending in ended for action in ending.actions]
    ids = {id for action in actions if isinstance(action, TerminateInstances) for id in action.instance_ids}
    return ids | {removal.resource.id for removal in plan.removals if removal.resource.kind is ResourceKind.INSTANCE}


def time_of(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        return None


@given(inventories())
@example(STOPPED_BY_HAND)
def test_nothing_of_a_lasting_lease_is_touched(seen: Inventory) -> None:
    plan = make_plan(seen, NOW, SweepSettings())
    ids = touched(seen, plan) | {removal.resource.id for removal in plan.removals} | {each.id for each, _ in plan.marks}
    lasting = {each.name: group_tags(each) for each in seen.groups if lasts(each)}
    members = {i.id for i in seen.instances or () if i.tags.get(GROUP_TAG) in lasting}
    assert not (members | set(lasting)) & ids
    elsewhere = {each.name for each in seen.groups} - set(lasting)
    for each in (*(seen.instances or ()), *(seen.others or ())):
        own = [t for t in lasting.values() if TAG_ID in t and t[TAG_ID] == each.tags.get(TAG_ID)]
        # Of two groups with one id, each may end what is its own: a member, or an instance in no group.
        claimed = [g for g in seen.groups if group_tags(g).get(TAG_ID) == each.tags.get(TAG_ID)]
        if own and len(claimed) == 1 and each.tags.get(GROUP_TAG) not in elsewhere:
            assert each.id not in ids


@given(inventories())
@example(STOPPED_BY_HAND)
def test_annexes_are_ended_by_their_own_record_and_only_ended(seen: Inventory) -> None:
    by_name = {each.name: each for each in seen.groups}
    for ending in endings(seen.groups, seen.instances):
        own = by_name[ending.group]
        assert group_tags(own)["annex:lease-duration"] == str(8 * 3600)
        assert end_of(own) + SLACK <= NOW
        assert all(isinstance(action, ENDING) for action in ending.actions)
        terminated = [a for a in ending.actions if isinstance(a, TerminateInstances)]
        assert not terminated or end_of(own) + GRACE + SLACK <= NOW


@given(inventories())
def test_orphans_have_neither_group_nor_stack_and_were_marked_an_hour_ago(seen: Inventory) -> None:
    plan = make_plan(seen, NOW, SweepSettings())
    stacks = {each.id.split("/")[-1] for each in seen.stacks or ()}
    ids = {group_tags(each).get(TAG_ID) for each in seen.groups if not is_left_over(each, seen)}
    for removal in plan.removals:
        tags, kind = removal.resource.tags, removal.resource.kind
        marked = time_of(tags[TAG_ORPHAN])
        assert marked is not None
        assert marked <= NOW - WAIT
        assert removal.resource.created is None or removal.resource.created <= NOW - WAIT
        if kind is ResourceKind.GROUP:
            assert "annex:lease-duration" not in tags
            assert TAG_ID in tags
            continue
        assert {TAG_ID, TAG_NAME} <= tags.keys(), "a stack's tag and a name are not enough, nor is an id alone"
        named = {tags[TAG_ID].split(".")[0]}
        named |= {tags[STACK_ID_TAG].split("/")[-1]} if STACK_ID_TAG in tags else set()
        assert len(named) == 1, "two sources that contradict each other, or none"
        assert named <= set(UUIDS)
        claimed = [g for g in seen.groups if group_tags(g).get(TAG_ID) == tags[TAG_ID] and not is_left_over(g, seen)]
        if removal.resource.detached:
            # Its annex is over, and nothing of it is left: the stack does not know the volume.
            assert all(is_over_and_empty(each, seen) for each in claimed)
            continue
        assert tags.get(TAG_ID, "none") not in ids
        assert tags.get(GROUP_TAG) not in {each.name for each in seen.groups if not is_left_over(each, seen)}
        end = time_of(tags.get(TAG_END))
        assert not named & stacks or (kind is ResourceKind.INSTANCE and end is not None and end <= NOW - WAIT)


@given(inventories(), st.integers(0, 3))
def test_the_blast_radius_holds_and_nothing_is_in_two_lists(seen: Inventory, most: int) -> None:
    plan = make_plan(seen, NOW, SweepSettings(max_removals=most))
    assert sum(removal.weight for removal in plan.removals) <= most
    lists = [plan.marks, plan.waiting, plan.unmarks, [(r.resource, "") for r in plan.removals]]
    ids = [(resource.kind, resource.id) for each in lists for resource, _ in each]
    assert len(ids) == len(set(ids))
    free = make_plan(seen, NOW, SweepSettings(max_removals=10_000))
    assert plan.orphans == free.orphans
    assert (plan.aborted is None) == (len(plan.removals) == len(free.removals))


@given(inventories())
def test_a_dry_run_plans_what_a_run_does(seen: Inventory) -> None:
    dry = make_plan(seen, NOW, SweepSettings(dry_run=True, max_removals=10_000))
    assert replace(dry, later=[]) == make_plan(seen, NOW, SweepSettings(max_removals=10_000))


class NoClients:
    """AWS clients that fail when one is used."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} was used")


@given(inventories())
def test_a_dry_run_reports_the_plan_of_a_run_and_calls_nothing(seen: Inventory) -> None:
    clients: Any = NoClients()
    logged: list[Any] = []
    region = FakeRegion(seen)
    report = sweep(clients, NOW, SweepSettings(), lambda: 0.0, logged.append, dry_run=True, region=region)
    plan = make_plan(seen, NOW, SweepSettings())
    assert sorted(map(str, report.ended)) == sorted(
        str(ending_data(each)) for each in endings(seen.groups, seen.instances)
    )
    assert report.removed == [removal_data(each) for each in plan.removals]
    for entries, planned in ((report.marked, plan.marks), (report.unmarked, plan.unmarks)):
        assert entries == [resource_data(*each) for each in planned]
    assert (report.reports, report.aborted, report.orphans) == (plan.reports, plan.aborted, plan.orphans)
    assert (report.dry_run, report.errors, report.unfinished, logged) == (True, [], 0, [])


@given(inventories(), st.integers(0, 5))
def test_without_marks_it_aborts_when_all_orphans_together_are_too_many(seen: Inventory, most: int) -> None:
    found = make_plan(seen, NOW, SweepSettings(dry_run=True, max_removals=most))
    free = make_plan(seen, NOW, SweepSettings(dry_run=True, max_removals=10_000))
    assert len(free.later) + len(free.removals) == free.orphans
    assert (found.aborted is not None) == (sum(each.weight for each in (*free.later, *free.removals)) > most)
    assert (found.later, found.marks) == (free.later, free.marks)
