"""Orphans: two sources must agree, an hour must pass, and with too many none is removed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from annex_lease.ownership import STACK_ID_TAG
from annex_lease.sweep.resources import REMOVAL_ORDER, ResourceKind
from annex_lease.sweep.sweep_plan import SweepPlan
from annex_lease.tags import TAG_GRACE, TAG_ID, TAG_NAME, group_tag
from tests.unit.sweep.sweep_model import (
    GRACE,
    HOUR,
    MINUTE,
    ONE,
    OTHER,
    endings,
    group,
    instance,
    other,
    plan,
    stack,
    stack_arn,
    terminated,
)

MARKED = HOUR + MINUTE


def removed(found: SweepPlan) -> list[str]:
    return [removal.resource.id for removal in found.removals]


@pytest.mark.parametrize(
    ("marked", "where"),
    [
        (None, "marks"),
        (timedelta(0), "waiting"),
        (HOUR - timedelta(seconds=1), "waiting"),
        (HOUR, "removals"),
        (-MINUTE, "marks"),  # the sweeper never wrote a mark in the future
    ],
)
def test_two_phases(marked: Any, where: str) -> None:
    found = plan(instances=[instance(marked=marked)])
    assert {name: len(getattr(found, name)) for name in ("marks", "waiting", "removals")} == {
        "marks": 0,
        "waiting": 0,
        "removals": 0,
        where: 1,
    }
    assert found.orphans == 1


@pytest.mark.parametrize("kind", [kind for kind in ResourceKind if kind is not ResourceKind.GROUP])
def test_every_kind_is_removed_when_its_stack_and_its_group_are_gone(kind: ResourceKind) -> None:
    left = other(kind, marked=MARKED, state="running" if kind is ResourceKind.INSTANCE else "available")
    assert removed(plan(instances=[left])) == ["x-1"]
    # A volume that is attached to nothing is not CloudFormation's: without a group nothing can use it any more.
    with_stack = ["x-1"] if kind is ResourceKind.VOLUME else []
    assert removed(plan(instances=[left], stacks=[stack(ONE)])) == with_stack
    assert removed(plan(instances=[left], groups=[group(ended=-HOUR, members=())])) == []


def test_what_is_attached_is_removed_after_what_it_is_attached_to() -> None:
    kinds = [kind for kind in reversed(REMOVAL_ORDER) if kind is not ResourceKind.GROUP]
    left = [
        other(k, k.value, state="running" if k is ResourceKind.INSTANCE else "available", marked=MARKED) for k in kinds
    ]
    expected = ["instance", "volume", "network-interface", "secret", "log-group"]
    assert removed(plan(others=left)) == expected


@pytest.mark.parametrize(
    "kept",
    [
        instance(age=HOUR - MINUTE),
        instance(state="terminated"),
        instance(state="shutting-down"),
        other(ResourceKind.VOLUME, state="in-use"),
        other(ResourceKind.INTERFACE, state="in-use"),
        instance(member_of="asg-alive"),
        instance(uuid=None, name="alive"),
        instance(uuid=OTHER, name="alive", stack_uuid=OTHER),
    ],
)
def test_what_is_owned_young_or_free_is_left_alone(kept: Any) -> None:
    found = plan([group("alive", OTHER, ended=-HOUR)], [kept], stacks=[stack(OTHER)])
    assert (found.orphans, found.unmarks, found.reports) == (0, [], [])


@pytest.mark.parametrize(
    "unclear",
    [
        instance(uuid=None),  # only a name: anyone can write it
        instance(stack_uuid=OTHER),  # its two tags name two stacks
        instance(uuid="not-a-uuid"),
        # A deleted stack that was not an annex's, and a name that was written by hand.
        instance(uuid=None, stack_uuid=OTHER, marked=MARKED),
        other(ResourceKind.LOG_GROUP, uuid=None, stack_uuid=OTHER, marked=MARKED),
        other(ResourceKind.SECRET, uuid=None),
    ],
)
def test_what_only_one_source_says_is_reported(unclear: Any) -> None:
    found = plan(instances=[unclear])
    assert found.orphans == 0
    assert len(found.reports) == 1
    assert unclear.id in found.reports[0]


def test_a_stack_of_the_same_name_is_not_the_stack() -> None:
    newer = [group(uuid=OTHER, ended=-HOUR, members=())]
    assert removed(plan(newer, [instance(marked=MARKED)], stacks=[stack(OTHER)])) == ["i-1"]


def test_what_is_in_a_group_of_others_is_theirs() -> None:
    foreign = group(asg="asg-theirs", without=[TAG_NAME, TAG_ID])
    assert plan([foreign], [instance(member_of="asg-theirs", marked=MARKED)]).orphans == 0
    assert removed(plan([foreign], [instance(member_of="asg-other", marked=MARKED)])) == ["i-1"]


def test_a_group_that_lost_its_name_keeps_what_has_its_id() -> None:
    """Nothing confirms the id of the group, and its instances may still carry it with the name."""
    vague = group(ended=-HOUR, members=(), without=[TAG_NAME])
    assert plan([vague], [instance(marked=MARKED)]).orphans == 0
    assert removed(plan([vague], [instance(uuid=OTHER, marked=MARKED)])) == ["i-1"]


def test_a_group_without_an_id_may_be_any_of_its_name() -> None:
    vague = group(ended=-HOUR, members=(), without=[TAG_ID])
    assert plan([vague], [instance(marked=MARKED)]).orphans == 0


@pytest.mark.parametrize(
    ("end", "status", "expected"),
    [
        (HOUR, "CREATE_COMPLETE", "removals"),
        (HOUR - MINUTE, "CREATE_COMPLETE", "reports"),
        (-HOUR, "CREATE_COMPLETE", "reports"),
        (None, "CREATE_COMPLETE", "reports"),
        (HOUR, "DELETE_IN_PROGRESS", None),
    ],
)
def test_an_instance_whose_stack_lost_its_group_ends_by_its_own_tag(
    end: Any, status: str, expected: str | None
) -> None:
    found = plan(instances=[instance(marked=MARKED, end=end)], stacks=[stack(ONE, status=status, description="")])
    assert {name for name in ("removals", "reports") if getattr(found, name)} == ({expected} if expected else set())


@pytest.mark.parametrize("kind", [ResourceKind.INSTANCE, ResourceKind.VOLUME])
def test_a_marked_resource_with_an_annex_is_unmarked(kind: ResourceKind) -> None:
    state = "running" if kind is ResourceKind.INSTANCE else "in-use"
    found = plan([group(ended=-HOUR)], [other(kind, state=state, marked=MARKED)])
    assert [resource.id for resource, _ in found.unmarks] == ["x-1"]
    assert found.orphans == 0


def test_a_dead_instance_is_not_touched_any_more() -> None:
    found = plan(instances=[instance(state="terminated", marked=MARKED)])
    assert (found.orphans, found.unmarks) == (0, [])


def test_with_too_many_orphans_none_is_removed() -> None:
    left = [instance(f"i-{n}", marked=MARKED) for n in range(4)]
    assert len(plan(instances=left, max_removals=4).removals) == 4
    aborted = plan([group(uuid=OTHER)], left, max_removals=3)
    assert aborted.removals == []
    assert len(aborted.waiting) == 4
    assert str(aborted.aborted).startswith("4 resources would be removed in one run, allowed are 3")


@pytest.mark.parametrize("missing", ["instances", "others", "stacks"])
def test_without_all_listings_nothing_is_an_orphan(missing: str) -> None:
    seen: dict[str, Any] = {
        "instances": [instance(marked=MARKED)],
        "others": [other(ResourceKind.VOLUME, marked=MARKED)],
    }
    assert plan(**seen).orphans == 2
    assert plan(**{**seen, missing: None}).orphans == 0


UNREADABLE = ["annex:lease-duration"]


def test_a_group_without_a_readable_lease_is_ended_in_two_phases() -> None:
    fresh = plan([group(without=UNREADABLE, members=["i-1", "i-2"])], stacks=[stack(ONE)])
    assert [(r.kind, r.id) for r, _ in fresh.marks] == [(ResourceKind.GROUP, "asg-a")]
    mark = {"annex:orphan": "2026-11-23T10:00:00Z"}
    (removal,) = plan([group(without=UNREADABLE, members=["i-1", "i-2"], extra=mark)], stacks=[stack(ONE)]).removals
    assert removal.weight == 2
    assert removal.ending is not None
    assert terminated(removal.ending.actions[-1]) == ("i-1", "i-2")
    # Readable again, ended, or young: it loses its mark.
    for back in (group(ended=-HOUR, extra=mark), group(without=UNREADABLE, ended=-8 * HOUR + GRACE, extra=mark)):
        found = plan([back], stacks=[stack(ONE)])
        assert (found.orphans, len(found.unmarks)) == (0, 1)


@pytest.mark.parametrize(("grace", "due"), [(2 * HOUR, True), (2 * HOUR + MINUTE, False)])
def test_a_group_without_a_readable_lease_has_its_grace_while_it_is_marked(grace: timedelta, due: bool) -> None:
    extra = {"annex:orphan": "2026-11-23T10:00:00Z", TAG_GRACE: str(int(grace.total_seconds()))}
    found = plan([group(without=[*UNREADABLE, TAG_GRACE], extra=extra)], stacks=[stack(ONE)])
    assert (len(found.removals), len(found.waiting)) == ((1, 0) if due else (0, 1))


def test_a_foreign_group_that_only_carries_a_name_is_reported() -> None:
    foreign = group(without=[*UNREADABLE, TAG_ID], extra={"annex:orphan": "2026-11-23T10:00:00Z"})
    for given in (foreign, replace(foreign, tags=(*foreign.tags, group_tag(STACK_ID_TAG, stack_arn(ONE))))):
        found = plan([given], stacks=[stack(ONE)])
        assert (endings([given]), found.removals, found.marks) == ([], [], [])
        assert found.reports[0].startswith("group asg-a: its lease cannot be read")


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (stack(ONE, status="DELETE_FAILED"), "DELETE_FAILED"),
        (stack(ONE, status="ROLLBACK_COMPLETE"), "ROLLBACK_COMPLETE"),
        (stack(ONE, status="UPDATE_ROLLBACK_FAILED"), "UPDATE_ROLLBACK_FAILED"),
        (stack(ONE), "no Auto Scaling group"),
        (stack(ONE, age=MINUTE), None),
        (stack(ONE, status="DELETE_IN_PROGRESS"), None),
        (stack(ONE, status="DELETE_FAILED", description=""), None),
        (stack(OTHER, status="UPDATE_ROLLBACK_COMPLETE"), None),
    ],
)
def test_stacks_are_reported_and_never_deleted(seen: Any, said: str | None) -> None:
    stacks = {each.uuid: each for each in (stack(OTHER), seen)}.values()
    found = plan([group(uuid=OTHER, ended=-HOUR, members=())], stacks=stacks)
    assert found.orphans == 0
    assert [said in report for report in found.reports] == ([True] if said else [])  # type: ignore[operator]
