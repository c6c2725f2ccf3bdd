"""Scenarios of the tags of instances: each is notified of the end, and a wrong tag is written again."""

from __future__ import annotations

from typing import Any

from annex_lease import tags as lease_tags
from tests.world.aws_conditions import InstancesUnlisted, MembersUnlisted
from tests.world.scene import scene
from tests.world.scenes_decisions import expect_end, expect_running, write_end
from tests.world.scenes_life import deploy_and_grant
from tests.world.stage import HOUR, MINUTE, Can, Stage

GRACE = 16 * MINUTE


def _group(stage: Stage) -> dict[str, Any]:
    return {"AutoScalingGroupName": stage.site.group}


def _newcomer(stage: Stage, seconds: float) -> set[str]:
    """The instance that replaces one of a granted annex, so many seconds after that one was terminated; it boots."""
    deploy_and_grant(stage)
    stage.until(20 * MINUTE)
    before = set(stage.alive())
    stage.world.operator.ec2.terminate_instances(InstanceIds=sorted(before)[:1])
    stage.world.advance(seconds)
    newcomer = set(stage.alive()) - before
    stage.expect(len(newcomer) == 1, "it is replaced")
    return newcomer


@scene("RUNNING", Can.BOOT)
def an_instance_that_starts_while_the_end_moves(stage: Stage) -> None:
    """Neither listing shows it when the others are notified, and it was launched with the end before."""
    newcomer = _newcomer(stage, 45)
    write_end(stage, 1.8 * HOUR)
    with stage.under(InstancesUnlisted(newcomer)), stage.under(MembersUnlisted(newcomer)):
        stage.minutes(2)
    stage.minutes(12)
    expect_end(stage, 1.8 * HOUR)


def _overwritten(stage: Stage, tags: dict[str, str]) -> None:
    deploy_and_grant(stage)
    written = [{"Key": key, "Value": value} for key, value in tags.items()]
    stage.world.operator.ec2.create_tags(Resources=stage.alive()[:1], Tags=written)


@scene("RUNNING")
def an_end_that_was_overwritten_on_an_instance(stage: Stage) -> None:
    _overwritten(stage, {lease_tags.TAG_END: "2030-01-01T00:00:00Z"})
    stage.minutes(12)
    expect_end(stage, HOUR)


@scene("RUNNING")
def an_end_that_was_damaged_on_an_instance(stage: Stage) -> None:
    _overwritten(stage, {lease_tags.TAG_END: ""})
    stage.minutes(12)
    expect_end(stage, HOUR)


@scene("RUNNING")
def an_end_that_was_overwritten_on_the_group(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.write(lease_tags.TAG_END, "2030-01-01T00:00:00Z")
    stage.minutes(12)
    expect_end(stage, HOUR)


@scene("ENDED")
def a_name_that_was_overwritten_on_an_instance(stage: Stage) -> None:
    """A member is known by its group, also with other tags of ours."""
    _overwritten(stage, {lease_tags.TAG_NAME: "other", lease_tags.TAG_ID: "other"})
    write_end(stage, 40 * MINUTE)
    stage.minutes(2)
    expect_end(stage, 40 * MINUTE)
    stage.until(40 * MINUTE + GRACE)


@scene("ENDED", Can.DETACH)
def a_detached_instance_whose_name_was_overwritten(stage: Stage) -> None:
    """The unique id is enough."""
    _overwritten(stage, {lease_tags.TAG_NAME: "other"})
    ids = stage.alive()[:1]
    stage.world.operator.autoscaling.detach_instances(
        **_group(stage), InstanceIds=ids, ShouldDecrementDesiredCapacity=True
    )
    stage.until(HOUR + GRACE)


@scene("RUNNING", Can.BOOT)
def a_booting_instance_that_ec2_does_not_list_yet(stage: Stage) -> None:
    """The group's list is enough to notify it, in any state in which it may run."""
    newcomer = _newcomer(stage, 35)
    write_end(stage, 1.8 * HOUR)
    with stage.under(InstancesUnlisted(newcomer)):
        stage.run()
        expect_end(stage, 1.8 * HOUR)
    stage.minutes(2)
    expect_running(stage, "as before")
