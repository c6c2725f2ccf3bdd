"""Scenarios of reports: what was seen, what was done, and what is not known."""

from __future__ import annotations

from annex_lease import tags as lease_tags
from tests.world.aws_conditions import InstancesUnlisted, PhantomMember, Refused
from tests.world.scene import scene
from tests.world.scenes_life import deploy_and_grant
from tests.world.stage import HOUR, MINUTE, Can, Stage

GRACE = 16 * MINUTE


@scene(("draining", 1, 0, True), Can.DETACH, failing=True)
def a_listing_that_is_refused_after_the_end(stage: Stage) -> None:
    """The run reports what it ended before the refusal, and that it does not know what is left."""
    deploy_and_grant(stage)
    stage.world.operator.autoscaling.detach_instances(
        AutoScalingGroupName=stage.site.group, InstanceIds=stage.alive()[:1], ShouldDecrementDesiredCapacity=True
    )
    stage.until(HOUR, checked=False)
    stage.world.conditions.append(Refused("DescribeInstances"))
    stage.run()
    done = {str(action["action"]) for action in stage.runs[-1].reply.get("actions", [])}
    # A scheduled action may have emptied the group before the run.
    stage.expect("SuspendLaunch" in done, f"what was done is reported, not {done}")
    stage.expect("DescribeInstances" in stage.problems(), "the refusal is reported")
    stage.minutes(GRACE_MINUTES)


GRACE_MINUTES = 17


@scene("ENDED", Can.DETACH)
def a_listing_that_is_refused_for_a_while_after_the_end(stage: Stage) -> None:
    a_listing_that_is_refused_after_the_end(stage)
    stage.world.conditions.clear()


@scene("ENDED")
def a_member_that_ec2_does_not_know(stage: Stage) -> None:
    """A phantom in the group's list counts as gone after some time, and saves none of the others."""
    deploy_and_grant(stage)
    phantom = PhantomMember(stage.site.group)
    stage.world.conditions.append(phantom)
    stage.until(HOUR + GRACE)
    stage.minutes(12)
    stage.expect(not stage.alive(), "the others are gone")
    stage.expect(phantom.id in stage.problems(), "it is reported")


@scene("ENDED", Can.STANDBY)
def a_member_that_ec2_does_not_know_beside_one_on_standby(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.world.operator.autoscaling.enter_standby(
        AutoScalingGroupName=stage.site.group, InstanceIds=stage.alive()[:1], ShouldDecrementDesiredCapacity=True
    )
    stage.world.conditions.append(PhantomMember(stage.site.group, state="Standby"))
    stage.until(HOUR + GRACE)
    stage.minutes(3)
    stage.expect(not stage.alive(), "one unknown id saves nothing")
    stage.minutes(9)


@scene("ENDED", Can.DETACH)
def one_that_lives_after_the_end_was_reported(stage: Stage) -> None:
    """No listing showed it, so the end was reported. It is found by a later look, and ended."""
    deploy_and_grant(stage)
    ids = stage.alive()[:1]
    stage.world.operator.autoscaling.detach_instances(
        AutoScalingGroupName=stage.site.group, InstanceIds=ids, ShouldDecrementDesiredCapacity=True
    )
    with stage.under(InstancesUnlisted(ids)):
        stage.until(HOUR + GRACE)
        stage.minutes(5)
        stage.expect(stage.runs[-1].phase == "ended", "nothing is seen")
        last = str(stage.runs[-1].reply["reason"])
        stage.expect("last" in last, f"it is said when EC2 was asked: {last}")
    stage.minutes(13)
    stage.expect(not stage.alive(), "it is found within a quarter of an hour")


@scene("ENDED")
def extended_after_its_scheduled_action(stage: Stage) -> None:
    """No check ran around the end, and the extension comes after it: the fleet is gone, which the checks report."""
    deploy_and_grant(stage)
    stage.until(HOUR + 3 * MINUTE, checked=False)
    stage.expect(not stage.alive(), "the scheduled action emptied the group")
    stage.write(lease_tags.TAG_UNTIL, stage.at(1.9 * HOUR))
    stage.minutes(2)
    reason = str(stage.runs[-1].reply.get("reason", ""))
    stage.expect("annex renew" in reason, f"what to do is said: {reason}")


@scene("RUNNING")
def extended_after_its_scheduled_action_and_renewed(stage: Stage) -> None:
    extended_after_its_scheduled_action(stage)
    stage.write(lease_tags.TAG_RENEWED, stage.at(1.1 * HOUR))
    stage.minutes(3)


@scene(("active", 3, 2, False), Can.STANDBY)
def one_on_standby_that_was_replaced(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.expect("above the declared size" not in stage.problems(), "two are declared")
    stage.world.operator.autoscaling.enter_standby(
        AutoScalingGroupName=stage.site.group, InstanceIds=stage.alive()[:1], ShouldDecrementDesiredCapacity=False
    )
    stage.minutes(3)
    stage.expect("3 instances are 1 above" in stage.problems(), f"it is reported, not only {stage.problems()}")


@scene(("waiting", 0, 0, False))
def a_secret_that_waits_for_its_deletion(stage: Stage) -> None:
    stage.make()
    stage.world.operator.secretsmanager.delete_secret(SecretId=stage.site.secret_arn, RecoveryWindowInDays=7)
    stage.minutes(2)
    reason = str(stage.runs[-1].reply.get("reason", ""))
    stage.expect("restore" in reason, f"the secret has to be restored, which is not said: {reason}")
    stage.expect("credential push" not in reason, f"a value cannot be pushed: {reason}")


@scene("RUNNING")
def a_secret_that_was_restored(stage: Stage) -> None:
    a_secret_that_waits_for_its_deletion(stage)
    stage.world.operator.secretsmanager.restore_secret(SecretId=stage.site.secret_arn)


@scene("RUNNING")
def an_instance_that_cannot_be_notified(stage: Stage) -> None:
    """The refusal of one instance is reported; it stops nothing, and the others are notified."""
    deploy_and_grant(stage)
    refused, *others = stage.alive()
    with stage.under(Refused("CreateTags", [refused])):
        stage.write(lease_tags.TAG_UNTIL, stage.at(1.8 * HOUR))
        stage.minutes(2)
        stage.expect("CreateTags" in stage.problems(), "it is reported")
        found = stage.world.operator.ec2.describe_instances(InstanceIds=others)["Reservations"]
        ends = [tag["Value"] for part in found for one in part["Instances"] for tag in one["Tags"] if _is_end(tag)]
        stage.expect(ends == [stage.at(1.8 * HOUR)], f"the other one is notified, not {ends}")
    stage.minutes(12)
    stage.expect(stage.ends_of_instances() == {stage.at(1.8 * HOUR)}, "it is notified when it can be")


def _is_end(tag: dict[str, str]) -> bool:
    return tag["Key"] == lease_tags.TAG_END
