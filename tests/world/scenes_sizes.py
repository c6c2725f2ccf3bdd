"""Scenarios of sizes and budgets: what starts, what does not, and what is counted."""

from __future__ import annotations

from tests.world.aws_state import MAX_TAGS
from tests.world.cloudformation import create, delete, deploy, request
from tests.world.scene import scene
from tests.world.scenes_decisions import renew
from tests.world.scenes_hours import retire
from tests.world.scenes_life import deploy_and_grant
from tests.world.stage import HOUR, MINUTE, Can, Stage

GRACE = 16 * MINUTE


def _fleet(stage: Stage, size: int, **policy: int) -> None:
    stage.make(policy={"size": size, **policy})
    stage.minutes(3)


@scene(("granted", 0, 0, False))
def a_smaller_size_after_the_fleet_went_idle(stage: Stage) -> None:
    _fleet(stage, 5)
    retire(stage, 5)
    stage.expect(not stage.alive(), "the fleet is idle")
    stage.expect(deploy(stage, size=4) == "SUCCESS", "a smaller size is granted without starting anything")


@scene(("active", 3, 3, False))
def a_smaller_size_above_what_is_left(stage: Stage) -> None:
    _fleet(stage, 5)
    retire(stage, 2)
    deploy(stage, size=4)


@scene("RUNNING")
def a_smaller_size_below_what_is_left(stage: Stage) -> None:
    _fleet(stage, 5)
    retire(stage, 2)
    deploy(stage, size=2)


@scene(("active", 3, 3, False))
def a_larger_size_after_the_fleet_went_idle(stage: Stage) -> None:
    _fleet(stage, 2)
    retire(stage, 2)
    deploy(stage, size=3)


@scene(("active", 5, 5, False))
def a_smaller_size_and_then_the_size_before(stage: Stage) -> None:
    _fleet(stage, 5)
    retire(stage, 5)
    deploy(stage, size=4)
    stage.minutes(2)
    deploy(stage, size=5)


@scene(("active", 5, 5, False))
def more_by_hand_than_declared(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.world.operator.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=stage.site.group, MaxSize=20, DesiredCapacity=5
    )
    stage.minutes(3)
    stage.expect("declared size 2" in stage.problems(), "it is reported")


@scene("RUNNING", Can.TOPIC)
def more_by_hand_than_declared_for_a_while(stage: Stage) -> None:
    """It is published once, when it begins."""
    stage.make(topic=True)
    stage.minutes(3)
    group = {"AutoScalingGroupName": stage.site.group}
    for _ in range(2):
        said = len(stage.world.published())
        stage.world.operator.autoscaling.update_auto_scaling_group(**group, DesiredCapacity=5)
        stage.minutes(5)
        stage.expect(len(stage.world.published()) == said + 1, "it is said once")
        stage.world.operator.autoscaling.update_auto_scaling_group(**group, DesiredCapacity=2)
        stage.minutes(3)


@scene("ENDED")
def more_by_hand_than_declared_until_the_end(stage: Stage) -> None:
    more_by_hand_than_declared(stage)
    stage.until(HOUR + GRACE)


@scene("ENDED")
def renewed_while_it_is_destroyed(stage: Stage) -> None:
    """CloudFormation deletes the schedule after the custom resource: a check in between starts nothing."""
    deploy_and_grant(stage)
    stage.expect(delete(stage) == "SUCCESS", "the fleet is emptied at once")
    renew(stage, 1.9 * HOUR)
    stage.minutes(2)


@scene("ENDED")
def destroyed_before_the_first_grant(stage: Stage) -> None:
    stage.make(credential=False)
    request(stage, "Create")
    stage.minutes(2)
    stage.expect(delete(stage) == "SUCCESS", "there is nothing to empty")
    stage.world.operator.secretsmanager.put_secret_value(SecretId=stage.site.secret_arn, SecretString="value")
    request(stage, "Update")  # late, and for the second time
    stage.minutes(2)
    stage.expect(not stage.alive(), "nothing is granted")


@scene("RUNNING")
def a_destroy_that_was_taken_back(stage: Stage) -> None:
    """A deletion that CloudFormation could not complete, and a deployment that makes the custom resource again."""
    renewed_while_it_is_destroyed(stage)
    stage.expect(not stage.alive(), "nothing was started meanwhile")
    create(stage)
    stage.minutes(1)
    stage.expect(not stage.alive(), "the renewal before it is used up")
    renew(stage, 1.8 * HOUR)


@scene(("active", 6, 6, False))
def a_larger_size_below_what_was_added_by_hand(stage: Stage) -> None:
    """A deployment ends nothing that runs within the lease; the surplus is reported."""
    deploy_and_grant(stage)
    stage.world.operator.autoscaling.update_auto_scaling_group(AutoScalingGroupName=stage.site.group, DesiredCapacity=6)
    stage.minutes(2)
    deploy(stage, size=3)
    stage.minutes(2)
    stage.expect("3 above the declared size 3" in stage.problems(), f"it is reported, not only {stage.problems()}")


@scene("ENDED")
def an_update_that_comes_after_a_destroy(stage: Stage) -> None:
    """Lambda may deliver an event twice, and late."""
    deploy_and_grant(stage)
    stage.expect(delete(stage) == "SUCCESS", "the fleet is emptied at once")
    request(stage, "Update")
    stage.minutes(3)
    stage.expect(not stage.alive(), "nothing was started")


def _fill(stage: Stage, free: int) -> list[str]:
    """Write tags of a user's own on the group, so that so many are free."""
    keys = [f"own:{number}" for number in range(MAX_TAGS - free - len(stage.tags()))]
    for key in keys:
        stage.write(key, "x")
    return keys


@scene((None, 0, 0, False), Can.TAG_LIMIT, failing=True)
def no_tag_is_left_for_the_record(stage: Stage) -> None:
    """A grant that cannot be recorded would be made again with every check, so nothing starts."""
    stage.make()
    _fill(stage, 0)
    stage.minutes(5)
    stage.expect(not stage.alive(), "nothing started")


@scene((None, 0, 0, False), Can.TAG_LIMIT, failing=True)
def one_tag_is_left_for_the_record(stage: Stage) -> None:
    stage.make()
    _fill(stage, 1)
    stage.minutes(5)
    stage.expect(not stage.alive(), "nothing started")


@scene("RUNNING", Can.TAG_LIMIT)
def tags_are_free_again(stage: Stage) -> None:
    stage.make()
    keys = _fill(stage, 0)
    stage.minutes(3)
    tag = {"ResourceId": stage.site.group, "ResourceType": "auto-scaling-group"}
    for start in range(0, len(keys), 25):  # "Tags per API call: 25" (EC2 Auto Scaling quotas)
        batch = [{**tag, "Key": key} for key in keys[start : start + 25]]
        stage.world.operator.autoscaling.delete_tags(Tags=batch)
