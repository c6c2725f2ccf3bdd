"""Every mechanism of the reports about failed launches, taken out once: some scenario must notice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from annex_lease import decision, launch_advice, launches
from annex_lease.observed import Fact, Group
from tests.world.test_world_mutations import Mutation, assert_missed, looked_up, play, put


def _late_ones(group: Any) -> int:
    return int(group.shortfall()) if group.short_for >= launches.SLOW else 0


def _alarm_of_memory(group: Any) -> str:
    return launches.alarm(group) if group.unserved_for >= launches.ALARMING else ""


MECHANISMS: dict[str, tuple[Mutation, Callable[[], Any]]] = {
    "a failed launch is reported with its reason": (
        looked_up(Fact.ACTIVITY, ""),
        play("launches that fail"),
    ),
    "the newest of the failed launches counts": (
        looked_up(Fact.ACTIVITY, "an older reason"),
        play("launches that fail for another reason"),
    ),
    "a failed launch is reported with what to do": (
        put(launch_advice, "KINDS", ()),
        play("launches that fail"),
    ),
    "a launch that fails need not be late": (
        put(launches, "missing", _late_ones),
        play("launches that fail"),
    ),
    "a fleet without any instance in service is published": (
        put(decision, "alarm", lambda group: ""),
        play("nothing in service is published"),
    ),
    "it is published after ten minutes": (
        put(launches, "ALARMING", timedelta(0)),
        play("nothing in service is published"),
    ),
    "it is published with what to do": (
        put(launch_advice, "KINDS", ()),
        play("nothing in service is published"),
    ),
    "it is published once, also by a new process": (
        put(decision, "alarm", _alarm_of_memory),
        play("nothing in service is published"),
    ),
    "its end is recorded, so that the next time is published": (
        put(decision, "alarm", lambda group: launches.alarm(group) or "it was once"),
        play("nothing in service for a while is published each time"),
    ),
    "instances that die while they start are in no service": (
        put(Group, "in_service", lambda group: bool(group.members)),
        play("instances that die while they start"),
    ),
    "a fleet that retired is no alarm": (
        put(Group, "unserved", lambda group: not group.in_service()),
        play("a fleet that retired by itself is no alarm"),
    ),
    "a suspended launch is no alarm": (
        put(Group, "unserved", lambda group: group.desired > 0 and not group.in_service()),
        play("a fleet whose launches were suspended is no alarm"),
    ),
    "an instance in service is no alarm": (
        put(Group, "in_service", lambda group: False),
        play("a replacement that fails is no alarm"),
    ),
}


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_that_is_taken_out_is_missed(name: str) -> None:
    assert_missed(*MECHANISMS[name])
