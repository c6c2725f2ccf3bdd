"""Scenarios in which AWS replaces the running instances one after another, after a change of subnets or purchase."""

from __future__ import annotations

from annex_lease import tags as lease_tags
from tests.world.cloudformation import delete, deploy
from tests.world.scene import scene
from tests.world.scenes_life import deploy_and_grant
from tests.world.stage import HOUR, MINUTE, Can, Stage

GRACE = 16 * MINUTE
SIZE = 2


def _replace(stage: Stage) -> set[str]:
    """Let AWS begin; the instances that were there before."""
    before = set(stage.alive())
    stage.world.replace_instances(stage.site.group)
    return before


def _bounded(stage: Stage, minutes: int) -> None:
    """Let the function run, and expect no more instances than declared at any look."""
    for _ in range(minutes):
        stage.minutes(1)
        stage.expect(len(stage.alive()) <= SIZE, f"{len(stage.alive())} instances are alive, {SIZE} are declared")


@scene("RUNNING", Can.REPLACEMENT)
def other_subnets_deployed(stage: Stage) -> None:
    deploy_and_grant(stage)
    before = _replace(stage)
    _bounded(stage, 5)
    stage.expect(not before & set(stage.alive()), "all are other instances")
    stage.expect(stage.ends_of_instances() == {stage.at(HOUR)}, "they know the end of the lease")


@scene("ENDED", Can.REPLACEMENT)
def replaced_when_the_lease_ends(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.until(HOUR - 20)
    _replace(stage)
    _bounded(stage, 2)
    stage.until(HOUR + GRACE)
    stage.expect(not stage.alive(), "nothing is left after the grace")


@scene("ENDED", Can.REPLACEMENT)
def replaced_in_the_grace(stage: Stage) -> None:
    """After the end nothing is launched, so what is terminated is not replaced."""
    deploy_and_grant(stage)
    stage.until(HOUR + 2 * MINUTE)
    before = _replace(stage)
    _bounded(stage, 3)
    stage.expect(set(stage.alive()) <= before, "no other instance starts after the end")
    stage.until(HOUR + GRACE)


@scene("ENDED", Can.REPLACEMENT)
def replaced_while_it_is_stopped(stage: Stage) -> None:
    deploy_and_grant(stage)
    _replace(stage)
    stage.world.advance(5)
    stage.write(lease_tags.TAG_UNTIL, stage.at(stage.seconds()))
    _bounded(stage, 3)


@scene("ENDED", Can.REPLACEMENT)
def replaced_while_it_is_destroyed(stage: Stage) -> None:
    deploy_and_grant(stage)
    _replace(stage)
    stage.world.advance(5)
    stage.expect(delete(stage) == "SUCCESS", "the fleet is emptied at once")
    stage.expect(not stage.alive(), "nothing is launched in the place of an instance that ended")


@scene("ENDED", Can.REPLACEMENT, Can.SCHEDULED)
def replaced_at_the_end_without_a_checker(stage: Stage) -> None:
    """The scheduled actions of the group end what a replacement launched."""
    deploy_and_grant(stage)
    stage.minutes(2)
    stage.until(HOUR - 20, checked=False)
    _replace(stage)
    stage.until(2 * HOUR + GRACE, checked=False)
    stage.expect(not stage.alive(), "nothing is left without one check")


@scene(("active", 1, 1, False), Can.REPLACEMENT)
def a_smaller_size_deployed_with_other_subnets(stage: Stage) -> None:
    deploy_and_grant(stage)
    before = _replace(stage)
    stage.expect(deploy(stage, size=1, max_size=1) == "SUCCESS", "the smaller size is granted")
    _bounded(stage, 5)
    stage.expect(not before & set(stage.alive()), "the one that is left fits the new subnets")
