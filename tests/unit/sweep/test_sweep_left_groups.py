"""Groups whose stack was deleted: they are reported, and an ended one protects no other resource."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from annex_lease.sweep.resources import ResourceKind
from annex_lease.tags import TAG_ID
from tests.unit.sweep.sweep_model import HOUR, MINUTE, ONE, OTHER, endings, group, instance, other, plan, stack

STOPPED: dict[str, Any] = {"members": (), "suspended": frozenset({"Launch"})}
LEFT = [
    other(ResourceKind.SECRET, "secret", marked=2 * HOUR),
    other(ResourceKind.LOG_GROUP, "log", age=None, marked=2 * HOUR),
]


def test_what_is_ended_and_empty_hides_nothing_and_is_reported() -> None:
    found = plan([group(**STOPPED)], others=LEFT, stacks=[stack(OTHER, description="")])
    assert [removal.resource.id for removal in found.removals] == ["secret", "log"]
    assert found.reports == ["group asg-a belongs to a stack that does not exist: it is ended and empty; delete it"]
    assert endings([group(**STOPPED)]) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"members": ["i-1"]},
        {"desired": 1},
        {"min_size": 1},
        {"suspended": frozenset({"Terminate"})},
        {"warm_pool": True},
    ],
)
def test_one_that_is_not_yet_empty_and_stopped_owns_what_is_its_own(changes: dict[str, Any]) -> None:
    found = plan([group(**{**STOPPED, **changes})], others=LEFT)
    assert (found.orphans, len(found.unmarks)) == (0, 2)
    assert found.reports == ["group asg-a belongs to a stack that does not exist: it ends with its lease; delete it"]


def test_a_detached_instance_keeps_its_group_alive() -> None:
    found = plan([group(**STOPPED)], [instance("i-detached")], LEFT)
    assert found.orphans == 0
    assert [ending.alive for ending in endings([group(**STOPPED)], [instance("i-detached")])] == [("i-detached",)]


@pytest.mark.parametrize(("ended", "stopped"), [(-HOUR, False), (HOUR, True)])
def test_a_group_with_its_stack_is_not_reported(ended: timedelta, stopped: bool) -> None:
    found = plan([group(ended=ended, **(STOPPED if stopped else {}))], others=LEFT, stacks=[stack(ONE)])
    assert (found.orphans, found.reports) == (0, [])


def test_a_young_group_is_not_judged() -> None:
    found = plan([group(ended=MINUTE - 8 * HOUR, **STOPPED)], others=LEFT)
    assert (found.orphans, found.reports) == (0, [])


def test_a_group_without_a_known_stack_owns_what_has_its_name() -> None:
    found = plan([group(without=[TAG_ID], **STOPPED)], others=LEFT)
    assert (found.orphans, found.reports) == (0, [])


def test_of_two_groups_of_one_annex_the_one_that_lasts_owns() -> None:
    found = plan([group(**STOPPED), group(asg="second", ended=-HOUR)], others=LEFT)
    assert found.orphans == 0
    assert len(found.reports) == 2
