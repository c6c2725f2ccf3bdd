"""Volumes that are attached to nothing, and resources that lost the name of their annex."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from annex_lease.sweep.resources import ResourceKind
from annex_lease.sweep.sweep_plan import SweepPlan
from annex_lease.tags import TAG_ID, TAG_NAME
from tests.unit.sweep.sweep_model import HOUR, MINUTE, ONE, OTHER, group, instance, other, plan, stack

MARKED = HOUR + MINUTE


def removed(found: SweepPlan) -> list[str]:
    return [removal.resource.id for removal in found.removals]


ENDED: dict[str, Any] = {"members": (), "suspended": frozenset({"Launch"})}


@pytest.mark.parametrize(
    ("annex", "expected"),
    [
        (group(**ENDED), "removals"),
        (group(**{**ENDED, "suspended": frozenset()}), "unattached"),  # over, and it could still start something
        (group(**{**ENDED, "members": ["i-1"]}), "unattached"),
        (group(ended=-HOUR, **ENDED), "unattached"),  # stopped by hand: it may be renewed
        (group(ended=-HOUR), "unattached"),
        (group(without=["annex:lease-duration"], **ENDED), "unattached"),
        (group(uuid=OTHER, **ENDED), "removals"),  # the stack is there, and the group is gone
    ],
)
def test_a_volume_that_is_attached_to_nothing_is_removed_after_its_annex_is_ended(annex: Any, expected: str) -> None:
    left = other(ResourceKind.VOLUME, marked=MARKED)
    found = plan([annex], others=[left], stacks=[stack(ONE), stack(OTHER)])
    assert removed(found) == (["x-1"] if expected == "removals" else [])
    assert [each.id for each, _ in found.unattached] == (["x-1"] if expected == "unattached" else [])
    assert [each.id for each, _ in found.unmarks] == (["x-1"] if expected == "unattached" else [])
    unmarked = plan([annex], others=[other(ResourceKind.VOLUME)], stacks=[stack(ONE), stack(OTHER)])
    assert len(unmarked.marks) == (1 if expected == "removals" else 0)


@pytest.mark.parametrize(
    "kept",
    [
        other(ResourceKind.VOLUME, age=HOUR - MINUTE),
        other(ResourceKind.VOLUME, state="in-use"),
        other(ResourceKind.VOLUME, uuid=None),
        other(ResourceKind.INTERFACE),
        other(ResourceKind.SECRET),
    ],
)
@pytest.mark.parametrize("annex", [group(**ENDED), group(ended=-HOUR)], ids=["ended", "living"])
def test_what_is_young_or_used_or_of_another_kind_stays_with_an_ended_annex(kept: Any, annex: Any) -> None:
    found = plan([annex], others=[kept], stacks=[stack(ONE)])
    assert (found.orphans, found.unattached, found.reports) == (0, [], [])


def test_a_volume_of_a_stack_in_progress_without_a_group_is_kept() -> None:
    left = [other(ResourceKind.VOLUME, marked=MARKED)]
    assert plan(others=left, stacks=[stack(ONE, status="UPDATE_IN_PROGRESS")]).orphans == 0
    assert removed(plan(others=left, stacks=[stack(ONE)])) == ["x-1"]


def test_of_two_groups_with_one_id_the_living_one_keeps_the_volumes() -> None:
    both = [group(**ENDED), group(asg="second", ended=-HOUR)]
    found = plan(both, others=[other(ResourceKind.VOLUME, marked=MARKED)], stacks=[stack(ONE)])
    assert (found.orphans, len(found.unattached)) == (0, 1)


def test_volumes_of_a_living_annex_are_one_report() -> None:
    left = [other(ResourceKind.VOLUME, f"vol-{n}") for n in range(500)]
    found = plan([group(ended=-HOUR)], others=left, stacks=[stack(ONE)])
    assert (found.orphans, found.aborted, len(found.unattached)) == (0, None, 500)
    (report,) = found.reports
    assert report.startswith(f"unattached volumes of annex {ONE}.a: 500, the first is vol-0; ")


@pytest.mark.parametrize("foreign", [(), (group("foreign", without=[TAG_ID, TAG_NAME]),)])
def test_what_lost_its_name_is_reported_and_never_removed(foreign: tuple[Any, ...]) -> None:
    lost = replace(instance(marked=MARKED), tags={TAG_ID: f"{ONE}.a"})
    found = plan(foreign, instances=[lost])
    assert (found.orphans, [report.split(":")[0] for report in found.reports]) == (0, ["instance i-1"])
    living = group("a", ended=-HOUR)
    for owner in (living, replace(living, tags=tuple(tag for tag in living.tags if tag.key != TAG_NAME))):
        assert plan([owner], instances=[lost], stacks=[stack(ONE)]).orphans == 0
    of_another = plan([group("a", OTHER, ended=-HOUR)], instances=[lost], stacks=[stack(OTHER)])
    assert [report.split(":")[0] for report in of_another.reports] == ["instance i-1"]


def test_a_group_that_lost_its_name_is_reported() -> None:
    found = plan([group(without=[TAG_NAME])], stacks=[stack(ONE)])
    assert found.orphans == 0
    assert found.reports[0].startswith("group asg-a: its lease cannot be read")
