"""Scenarios of an end that was moved into the past: what the group cannot end by itself has its grace from then on."""

from __future__ import annotations

from tests.world.cloudformation import deploy
from tests.world.scene import scene
from tests.world.scenes_decisions import write_end
from tests.world.stage import MINUTE, Can, Stage


def _aside(stage: Stage, **policy: int) -> None:
    """Play an annex of which one instance is on standby, for half an hour."""
    stage.make(policy=policy)
    stage.minutes(3)
    stage.world.operator.autoscaling.enter_standby(
        AutoScalingGroupName=stage.site.group, InstanceIds=stage.alive()[:1], ShouldDecrementDesiredCapacity=True
    )
    stage.until(30 * MINUTE)


def _graced(stage: Stage) -> None:
    """Expect that it has its grace of a quarter of an hour from now on, and no more."""
    stage.minutes(13)
    stage.expect(len(stage.alive()) == 1, "it has its grace from the check that found the end")
    stage.minutes(5)
    stage.expect(not stage.alive(), "it has no more than its grace")


@scene("ENDED", Can.STANDBY)
def shortened_far_into_the_past(stage: Stage) -> None:
    _aside(stage)
    write_end(stage, 5 * MINUTE)
    _graced(stage)


@scene("ENDED", Can.STANDBY)
def deployed_with_an_end_in_the_past(stage: Stage) -> None:
    _aside(stage)
    deploy(stage, duration_seconds=5 * 60)
    _graced(stage)


@scene("ENDED", Can.STANDBY)
def a_limit_that_is_lowered_below_the_use(stage: Stage) -> None:
    _aside(stage, max_instance_hours=10, size=3)
    deploy(stage, max_instance_hours=1)
    _graced(stage)


@scene("ENDED", Can.STANDBY)
def moved_into_the_past_again_and_again(stage: Stage) -> None:
    """Each new end in the past has no new grace."""
    _aside(stage)
    for minute in range(13):
        write_end(stage, (20 - minute) * MINUTE)
        stage.minutes(1)
    stage.expect(len(stage.alive()) == 1, "it has its grace")
    stage.minutes(5)
    stage.expect(not stage.alive(), "the first one found counts")
