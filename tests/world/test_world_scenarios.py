"""Every scenario, undisturbed, in every world that can express it."""

from __future__ import annotations

import pytest

from tests.world.aws_schedule_api import LONGEST_DELAY
from tests.world.scenarios import SCENARIOS, Scenario
from tests.world.stage import Can, Stage
from tests.world.worlds import ModelWorld, MotoWorld

ON_MOTO = [one for one in SCENARIOS if not one.needs & set(MotoWorld.lacks)]


def play(scenario: Scenario, stage: Stage) -> None:
    scenario.act(stage)
    scenario.check(stage)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_on_the_model_of_aws(scenario: Scenario, model: ModelWorld) -> None:
    assert not scenario.lacking(model)
    play(scenario, Stage(model))
    assert not model.aws.unpaged, "AWS answers a listing without a page size with everything at once"


@pytest.mark.parametrize("scenario", ON_MOTO, ids=lambda one: one.name)
def test_on_an_aws_in_process(scenario: Scenario, moto: MotoWorld) -> None:
    play(scenario, Stage(moto))


def test_what_a_world_cannot_play_has_a_reason() -> None:
    for scenario in SCENARIOS:
        assert (scenario in ON_MOTO) != bool(scenario.lacking(MotoWorld(None)))
    assert set(MotoWorld.lacks) <= set(Can)
    assert len(ON_MOTO) >= 15


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_with_scheduled_actions_as_late_as_aws_may_run_them(scenario: Scenario, model: ModelWorld) -> None:
    model.aws.account.action_delay = LONGEST_DELAY
    play(scenario, Stage(model))


@pytest.mark.parametrize("page_size", [0, 1])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_with_short_pages(scenario: Scenario, model: ModelWorld, page_size: int) -> None:
    model.aws.page_size = page_size
    play(scenario, Stage(model))
