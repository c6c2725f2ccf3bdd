"""Two runs at once, in every order of their calls with up to two switches between them: as if one came after the other.

Lambda may start a run while another one is still at work: a run that came late, a repeated one, a request of
CloudFormation beside the schedule, `annex credential push` beside both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from annex_lease import tags as lease_tags
from annex_lease.entries import GRANT_MARK
from tests.world.aws_faults import Turns
from tests.world.cloudformation import request
from tests.world.disturbance import left_of
from tests.world.stage import HOUR, MINUTE, Stage
from tests.world.worlds import ModelWorld

NOW = {"check": "now"}
Act = Callable[[Stage], Any]


@dataclass(frozen=True)
class Race:
    """Two runs that start at the same moment, after what `before` does.

    After a `destroying` one it counts what is alive and what can start. The group itself is deleted next, and a grant
    that was overtaken may leave it with a desired capacity that has no effect any more.
    """

    name: str
    before: Act
    first: Act
    second: Act
    destroying: bool = False


def _check(stage: Stage) -> None:
    stage.run(NOW)


def _check_as_of(seconds: float) -> Act:
    return lambda stage: stage.run(NOW, moment=stage.start + timedelta(seconds=seconds))


def _made(stage: Stage, **changes: Any) -> None:
    stage.make(**changes)


def _made_long_ago(stage: Stage) -> None:
    stage.make()
    stage.world.advance(HOUR + 1)


def _granted(stage: Stage, **changes: Any) -> None:
    stage.make(**changes)
    stage.minutes(2)


def _at_the_end(stage: Stage) -> None:
    _granted(stage, protect_new=True)
    stage.until(HOUR, checked=False)


def _after_the_grace(stage: Stage) -> None:
    _granted(stage)
    operator, group = stage.world.operator.autoscaling, {"AutoScalingGroupName": stage.site.group}
    operator.enter_standby(**group, InstanceIds=stage.alive()[:1], ShouldDecrementDesiredCapacity=True)
    operator.put_warm_pool(**group, MinSize=1)
    stage.until(HOUR + 20 * MINUTE, checked=False)


def _extended(stage: Stage) -> None:
    _granted(stage)
    stage.until(HOUR / 2, checked=False)
    stage.write(lease_tags.TAG_UNTIL, stage.at(1.5 * HOUR))


def _renewed(stage: Stage) -> None:
    _granted(stage)
    stage.until(HOUR + 10 * MINUTE)
    stage.minutes(5)
    stage.write(lease_tags.TAG_UNTIL, stage.at(1.9 * HOUR))
    stage.write(lease_tags.TAG_RENEWED, stage.at(1.3 * HOUR))


def _renewed_long_ago(stage: Stage) -> None:
    _renewed(stage)
    stage.until(1.9 * HOUR, checked=False)


def _malformed(stage: Stage) -> None:
    _granted(stage)
    stage.write(lease_tags.TAG_DURATION, "soon")
    stage.minutes(10)  # then it is believed


RACES = [
    Race("grant and grant", _made, _check, _check),
    Race("create and check", _made, lambda stage: request(stage, "Create"), _check),
    Race("a grant that comes late and an end", _made_long_ago, _check_as_of(HOUR - 1), _check),
    Race("end and end", _at_the_end, _check, _check),
    Race("a check that comes late and an end", _at_the_end, _check_as_of(HOUR - 1), _check),
    Race("the last end and the last end", _after_the_grace, _check, _check),
    Race("extension and extension", _extended, _check, _check),
    Race("a stop that comes late and an extension", _extended, _check_as_of(2 * HOUR), _check),
    Race("renewal and renewal", _renewed, _check, _check),
    Race("a renewal that comes late and its end", _renewed_long_ago, _check_as_of(1.5 * HOUR), _check),
    Race("two that cannot read the record", _malformed, _check, _check),
    Race("delete and a first grant", _made, lambda stage: request(stage, "Delete"), _check, True),
    Race("delete and check", _granted, lambda stage: request(stage, "Delete"), _check, True),
]


def play(race: Race, order: list[int]) -> tuple[Stage, int, dict[str, Any], dict[str, Any]]:
    """The stage, the number of calls of both, what is left at once, and after one more run."""
    world = ModelWorld()
    stage = Stage(world, strict=False)
    race.before(stage)
    calls = len(world.aws.calls)
    turns = Turns(world.aws, order, 2)
    raised = turns.run_all([lambda: race.first(stage), lambda: race.second(stage)])
    assert raised == [None, None]
    made = len(world.aws.calls) - calls
    at_once = _left(race, stage)
    for _ in range(3):
        world.advance(MINUTE)
        stage.run(NOW)
    return stage, made, at_once, _left(race, stage)


def _left(race: Race, stage: Stage) -> dict[str, Any]:
    left = left_of(stage)
    if race.destroying:
        # A grant that comes too late leaves its mark or not: the group is deleted next.
        left["suspended"] = [each for each in left["suspended"] if each != GRANT_MARK]
        return {key: left[key] for key in ("alive", "suspended", "warm pool")}
    return left


@pytest.mark.parametrize("race", RACES, ids=lambda one: one.name)
def test_as_if_one_came_after_the_other(race: Race) -> None:
    _, first, at_once_1, later_1 = play(race, [0] * 99)
    _, second, at_once_2, later_2 = play(race, [1] * 99)
    most = max(first, second)
    orders = 0
    for i in range(most):
        for j in range(1, most - i + 1):
            stage, made, at_once, later = play(race, [0] * i + [1] * j)
            orders += 1
            assert at_once in (at_once_1, at_once_2) or later in (later_1, later_2), (i, j, at_once, later)
            assert len(stage.alive()) <= stage.site.policy.size + 2  # one on standby, one in a warm pool
            assert made <= first + second
    assert orders > 5
