"""One fault in a scenario, at any of its calls: the next runs repair it, and the end is the same."""

from __future__ import annotations

import pytest

from tests.world.aws_faults import Fault
from tests.world.disturbance import cases, first_seen, play_with, undisturbed
from tests.world.scenarios import SCENARIOS, Scenario


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
@pytest.mark.parametrize("fault", Fault, ids=lambda one: one.value)
def test_the_end_is_the_same(scenario: Scenario, fault: Fault) -> None:
    for number in cases(scenario, fault):
        play_with(scenario, fault, number)


def test_the_cases_are_many() -> None:
    calls = sum(len(undisturbed(one.name).calls) for one in SCENARIOS)
    assert sum(len(cases(one, Fault.KILLED)) for one in SCENARIOS) == calls > 600
    assert sum(len(cases(one, fault)) for one in SCENARIOS for fault in Fault) > 1800
    assert first_seen()[SCENARIOS[0].name] == {call.number for call in undisturbed(SCENARIOS[0].name).calls}
