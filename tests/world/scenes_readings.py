"""Scenarios of wrong readings: a listing without the group, a record without a tag, instances that are not seen.

To stop what could start is safe at once. What runs is ended by a record that is known to be over, or by a silence long
enough to be believed, and with its grace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from annex_lease import tags as lease_tags
from annex_lease.policy import policy_tags
from tests.world.aws_conditions import GroupUnlisted, Refused, TagsUnlisted
from tests.world.cloudformation import delete
from tests.world.scene import scene
from tests.world.scenes_life import deploy_and_grant
from tests.world.stage import HOUR, MINUTE, Can, Stage

GRACE = 16 * MINUTE


def _group(stage: Stage) -> dict[str, Any]:
    return {"AutoScalingGroupName": stage.site.group}


@scene("RUNNING")
def a_group_that_is_not_listed_for_seconds(stage: Stage) -> None:
    deploy_and_grant(stage)
    with stage.under(GroupUnlisted(stage.site.group)):
        stage.run()
        stage.world.advance(20)
        stage.run()
    stage.expect(len(stage.alive()) == 2, "nothing is ended by it")


@scene("RUNNING")
def a_group_that_is_not_listed_for_minutes(stage: Stage) -> None:
    deploy_and_grant(stage)
    with stage.under(GroupUnlisted(stage.site.group)):
        stage.minutes(6)
        stage.expect("not listed" in stage.problems(), "it is reported")
    stage.expect(len(stage.alive()) == 2, "nothing is ended by it")


@scene("RUNNING")
def a_group_that_is_not_listed_now_and_then(stage: Stage) -> None:
    """Wrong listings that are minutes apart do not add up."""
    deploy_and_grant(stage)
    for _ in range(6):
        with stage.under(GroupUnlisted(stage.site.group)):
            stage.minutes(1)
        stage.minutes(2)
    stage.expect(len(stage.alive()) == 2, "nothing is ended by it")


@scene("ENDED")
def a_group_that_is_not_listed_at_the_end(stage: Stage) -> None:
    """The instances know their end, and so does the group's scheduled action."""
    deploy_and_grant(stage)
    stage.until(HOUR - 6 * MINUTE)
    with stage.under(GroupUnlisted(stage.site.group)):
        stage.minutes(5)
        stage.expect(len(stage.alive()) == 2, "nothing is ended before the end")
        stage.minutes(17)
        stage.expect(not stage.alive(), "nothing stays longer than the end and the grace")


@scene("ENDED")
def a_group_that_is_never_listed_again(stage: Stage) -> None:
    """It exists all the same, and would replace what is terminated: it is emptied by its name."""
    deploy_and_grant(stage)
    with stage.under(GroupUnlisted(stage.site.group)):
        stage.minutes(14)
        stage.expect(not stage.alive(), "the absence is believed")
        stage.expect(stage.group()["DesiredCapacity"] == 0, "nothing starts again")
        stage.minutes(20)
        stage.expect(not stage.alive(), "nothing was started")
    stage.until(HOUR + GRACE)


@scene("RUNNING")
def a_record_that_is_unreadable_and_then_a_group_that_is_not_listed(stage: Stage) -> None:
    """Neither reading lasts: the one says nothing about the other."""
    deploy_and_grant(stage)
    stage.until(20 * MINUTE)
    for first, second in ((6, 6), (9, 3)):
        with stage.under(TagsUnlisted(lease_tags.TAG_SIZE)):
            stage.minutes(first)
        with stage.under(GroupUnlisted(stage.site.group)):
            stage.minutes(second)
        stage.minutes(2)
    stage.expect(len(stage.alive()) == 2, "nothing is ended by it")


@scene("ENDED")
def destroyed_while_the_group_is_not_listed(stage: Stage) -> None:
    deploy_and_grant(stage)
    with stage.under(GroupUnlisted(stage.site.group)):
        stage.expect(delete(stage) == "SUCCESS", "its instances are ended")
        stage.world.advance(90)
        stage.expect(not stage.alive(), "the group starts no others")
    delete(stage)


@scene("GONE", Can.DELETE_GROUP, Can.DETACH)
def a_detached_instance_of_a_group_that_is_gone(stage: Stage) -> None:
    """It stays until the absence is believed, however long its own end is away."""
    deploy_and_grant(stage)
    autoscaling = stage.world.operator.autoscaling
    autoscaling.detach_instances(**_group(stage), InstanceIds=stage.alive()[:1], ShouldDecrementDesiredCapacity=True)
    autoscaling.delete_auto_scaling_group(**_group(stage), ForceDelete=True)
    stage.minutes(8)
    stage.expect(len(stage.alive()) == 1, "the absence is not believed yet")
    stage.minutes(5)
    stage.expect(not stage.alive(), "it is believed")
    stage.expect(not any(run.error for run in stage.runs[-5:]), "a group that does not exist needs no emptying")


def _without(*keys: str, seconds: float) -> Callable[[Stage], None]:
    def play(stage: Stage) -> None:
        with stage.under(TagsUnlisted(*keys)):
            for _ in range(max(1, int(seconds // 20))):
                stage.run()
                stage.world.advance(20)
        stage.expect(len(stage.alive()) == 2, "nothing is ended by it")

    return play


@scene("RUNNING")
def a_declared_tag_that_is_missing_for_seconds(stage: Stage) -> None:
    deploy_and_grant(stage)
    for key in (lease_tags.TAG_SIZE, lease_tags.TAG_DURATION, lease_tags.TAG_MAX_LIFETIME, lease_tags.TAG_GRACE):
        _without(key, seconds=20)(stage)


@scene("RUNNING")
def declared_tags_that_are_missing_for_minutes(stage: Stage) -> None:
    """CloudFormation's second call is throttled for two minutes."""
    deploy_and_grant(stage)
    declared = (tag.key for tag in policy_tags(stage.site.policy))
    _without(lease_tags.TAG_ID, *declared, seconds=120)(stage)


@scene(("granted", 0, 0, False))
def nothing_is_granted_while_a_declared_tag_is_missing(stage: Stage) -> None:
    """The fleet went idle; a reading without the size neither starts nor ends anything."""
    deploy_and_grant(stage)
    for key in stage.alive():
        stage.world.operator.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=key, ShouldDecrementDesiredCapacity=True
        )
    stage.minutes(2)
    with stage.under(TagsUnlisted(lease_tags.TAG_SIZE, lease_tags.TAG_NAME)):
        stage.minutes(4)
    stage.expect(not stage.alive(), "nothing started")


@scene("ENDED")
def a_declared_tag_that_is_missing_when_the_lease_ends(stage: Stage) -> None:
    """The end that was published stands."""
    deploy_and_grant(stage)
    stage.until(HOUR - 3 * MINUTE)
    with stage.under(TagsUnlisted(lease_tags.TAG_DURATION)):
        stage.minutes(1)
        stage.expect(len(stage.alive()) == 2, "nothing is ended before the end")
        stage.minutes(19)
        stage.expect(not stage.alive(), "nothing stays longer than the end and the grace")


@scene("ENDED", Can.STANDBY)
def a_record_that_stays_unreadable_ends_with_the_grace(stage: Stage) -> None:
    """It is believed after ten minutes; an instance that the group cannot remove has the grace from then on."""
    deploy_and_grant(stage)
    stage.world.operator.autoscaling.enter_standby(
        **_group(stage), InstanceIds=stage.alive()[:1], ShouldDecrementDesiredCapacity=True
    )
    stage.minutes(1)
    stage.write(lease_tags.TAG_DURATION, "soon")
    stage.minutes(8)
    stage.expect(len(stage.alive()) == 2, "it is not believed yet")
    stage.minutes(10)
    stage.expect(len(stage.alive()) == 1, "nothing more starts, and the one on standby has its grace")
    stage.minutes(12)


@scene("RUNNING")
def a_record_that_is_unreadable_now_and_then(stage: Stage) -> None:
    deploy_and_grant(stage)
    for _ in range(5):
        stage.write(lease_tags.TAG_SIZE, "two")
        stage.minutes(3)
        stage.write(lease_tags.TAG_SIZE, "2")
        stage.minutes(1)
    stage.expect(len(stage.alive()) == 2, "nothing is ended by it")


@scene("RUNNING")
def every_description_of_groups_is_refused_for_minutes(stage: Stage) -> None:
    deploy_and_grant(stage)
    with stage.under(Refused("DescribeAutoScalingGroups")):
        stage.minutes(15)
    stage.expect(len(stage.alive()) == 2, "a refusal is no reading")
