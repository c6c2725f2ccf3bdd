"""Scenarios of an annex's life: deploy, grant, extend, renew, more money than allowed, a record that says nothing."""

from __future__ import annotations

from annex_lease import tags as lease_tags
from annex_lease.observed import GRANT_MARK
from tests.world.cloudformation import request
from tests.world.scene import scene
from tests.world.stage import HOUR, MINUTE, Can, Stage


@scene("RUNNING")
def deploy_and_grant(stage: Stage) -> None:
    stage.make()
    request(stage, "Create")
    stage.minutes(2)
    stage.expect(stage.tags().get(lease_tags.TAG_GRANTED) == "2", "the grant is remembered")
    processes = {one["ProcessName"] for one in stage.group()["SuspendedProcesses"]}
    stage.expect(processes == {"AZRebalance", GRANT_MARK}, "rebalancing ends no busy instance, the grant is marked")


@scene(("waiting", 0, 0, False))
def deploy_without_credential(stage: Stage) -> None:
    stage.make(credential=False)
    request(stage, "Create")
    stage.minutes(3)


@scene("RUNNING")
def credential_pushed_after_the_deploy(stage: Stage) -> None:
    deploy_without_credential(stage)
    stage.world.operator.secretsmanager.put_secret_value(SecretId=stage.site.secret_arn, SecretString="value")


@scene(("active", 3, 3, False))
def larger_size_deployed(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.write(lease_tags.TAG_SIZE, "3")
    request(stage, "Update")


@scene(("active", 1, 1, False))
def smaller_size_deployed(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.write(lease_tags.TAG_SIZE, "1")


@scene("RUNNING")
def extend(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.until(50 * MINUTE)
    stage.write(lease_tags.TAG_UNTIL, stage.at(1.8 * HOUR))
    stage.minutes(1)
    stage.expect(stage.tags().get(lease_tags.TAG_END) == stage.at(1.8 * HOUR), "what starts later will know it")
    found = stage.world.operator.ec2.describe_instances(InstanceIds=stage.alive())["Reservations"]
    ends = {tag["Value"] for part in found for one in part["Instances"] for tag in one["Tags"] if _is_end(tag)}
    stage.expect(ends == {stage.at(1.8 * HOUR)}, f"the instances know it, not {ends}")
    stage.until(HOUR + MINUTE)


def _is_end(tag: dict[str, str]) -> bool:
    return tag["Key"] == lease_tags.TAG_END


@scene("ENDED")
def extend_and_end(stage: Stage) -> None:
    extend(stage)
    stage.until(1.8 * HOUR + 16 * MINUTE)


@scene("ENDED")
def extend_beyond_the_maximum_lifetime(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.write(lease_tags.TAG_UNTIL, stage.at(200 * HOUR))
    stage.minutes(2)
    stage.until(2 * HOUR - 2 * MINUTE)
    stage.expect(len(stage.alive()) == 2, "what is beyond the maximum lifetime counts as the maximum lifetime")
    stage.until(2 * HOUR + 16 * MINUTE)


@scene("ENDED")
def extend_after_the_end(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.until(HOUR + 16 * MINUTE)
    stage.minutes(3)
    stage.write(lease_tags.TAG_UNTIL, stage.at(1.9 * HOUR))


@scene("ENDED", Can.STANDBY)
def extend_while_it_is_draining(stage: Stage) -> None:
    """An execution point has the grace to shut down; an override that comes now does not call it back."""
    deploy_and_grant(stage)
    ids = stage.alive()
    group = {"AutoScalingGroupName": stage.site.group}
    stage.world.operator.autoscaling.enter_standby(**group, InstanceIds=ids[:1], ShouldDecrementDesiredCapacity=True)
    stage.until(HOUR + 5 * MINUTE)
    stage.write(lease_tags.TAG_UNTIL, stage.at(1.9 * HOUR))
    stage.until(HOUR + 16 * MINUTE)


@scene("ENDED")
def stop(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.until(20 * MINUTE)
    stage.write(lease_tags.TAG_UNTIL, stage.at(20 * MINUTE))
    stage.minutes(17)


@scene("RUNNING")
def renewal_of_an_ended_annex(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.until(HOUR + 16 * MINUTE)
    stage.minutes(3)
    stage.expect(not stage.alive(), "it ended")
    stage.write(lease_tags.TAG_UNTIL, stage.at(1.9 * HOUR))
    stage.write(lease_tags.TAG_RENEWED, stage.at(HOUR + 20 * MINUTE))


@scene("ENDED")
def renewal_that_ends_again(stage: Stage) -> None:
    renewal_of_an_ended_annex(stage)
    stage.minutes(2)
    stage.until(1.9 * HOUR + 16 * MINUTE)


@scene("ENDED")
def renewal_without_a_later_end(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.until(HOUR + 16 * MINUTE)
    stage.write(lease_tags.TAG_RENEWED, stage.at(HOUR + 16 * MINUTE))
    stage.minutes(2)


def _busy(stage: Stage, busy: bool) -> None:
    for key in stage.alive()[:1]:
        stage.world.operator.autoscaling.set_instance_protection(
            AutoScalingGroupName=stage.site.group, InstanceIds=[key], ProtectedFromScaleIn=busy
        )


@scene(("active", 2, 2, False))
def renew_while_busy(stage: Stage) -> None:
    stage.make(policy={"renew_seconds": 1200})
    stage.minutes(3)
    _busy(stage, True)
    stage.until(55 * MINUTE)
    stage.minutes(10)


@scene("ENDED")
def renew_while_busy_until_idle(stage: Stage) -> None:
    renew_while_busy(stage)
    _busy(stage, False)
    stage.until(100 * MINUTE)


@scene("ENDED")
def busy_without_end(stage: Stage) -> None:
    """Nothing that a busy instance does passes the maximum lifetime."""
    stage.make(policy={"renew_seconds": 1800})
    stage.minutes(3)
    _busy(stage, True)
    for minutes in (50, 70, 90, 110):
        stage.until(minutes * MINUTE)
    stage.until(2 * HOUR + 16 * MINUTE)


@scene("ENDED", Can.BOOT, Can.METER)
def money_limit(stage: Stage) -> None:
    """Two instances use up one instance-hour in half an hour."""
    stage.make(policy={"max_instance_hours": 1})
    stage.minutes(20)
    stage.expect(len(stage.alive()) == 2, "there is money left")
    stage.minutes(30)
    stage.expect(not stage.alive(), "the money is used up")


@scene("ENDED", Can.BOOT, Can.METER)
def money_limit_with_instances_that_come_later(stage: Stage) -> None:
    """A fleet that is enlarged by hand uses up its hours sooner."""
    stage.make(policy={"max_instance_hours": 1})
    stage.minutes(5)
    stage.world.operator.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=stage.site.group, DesiredCapacity=10
    )
    stage.minutes(8)
    left = stage.group()["DesiredCapacity"]
    stage.expect(left == 0, "the money is used up")


@scene("ENDED", Can.TOPIC)
def warned_before_the_end(stage: Stage) -> None:
    stage.make(policy={"warn_before_end_seconds": 600}, topic=True)
    stage.minutes(3)
    stage.until(53 * MINUTE)
    stage.expect(len(stage.world.published()) == 1, "it is said once")
    stage.until(HOUR + 16 * MINUTE)


@scene("ENDED")
def missing_record(stage: Stage) -> None:
    deploy_and_grant(stage)
    tag = {"ResourceId": stage.site.group, "ResourceType": "auto-scaling-group", "Key": lease_tags.TAG_MAX_LIFETIME}
    stage.world.operator.autoscaling.delete_tags(Tags=[tag])


@scene("RUNNING")
def a_check_between_the_two_calls_of_a_deploy(stage: Stage) -> None:
    """CloudFormation deletes the tags of a group that changed, and writes them a moment later."""
    deploy_and_grant(stage)
    tag = {"ResourceId": stage.site.group, "ResourceType": "auto-scaling-group", "Key": lease_tags.TAG_SIZE}
    stage.world.operator.autoscaling.delete_tags(Tags=[tag])
    stage.while_waiting = lambda: stage.write(lease_tags.TAG_SIZE, "2")
    stage.run()
    stage.write(lease_tags.TAG_SIZE, "2")
    stage.expect(len(stage.alive()) == 2, "no instance is ended by it")


@scene("ENDED")
def malformed_record(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.write(lease_tags.TAG_DURATION, "3600000000000")


@scene("ENDED")
def group_without_any_record(stage: Stage) -> None:
    stage.make(declared=False)
    stage.world.operator.autoscaling.update_auto_scaling_group(AutoScalingGroupName=stage.site.group, DesiredCapacity=3)


@scene("ENDED")
def raised_by_hand_after_the_end(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.until(HOUR + 16 * MINUTE)
    stage.world.operator.autoscaling.resume_processes(
        AutoScalingGroupName=stage.site.group, ScalingProcesses=["Launch"]
    )
    stage.world.operator.autoscaling.update_auto_scaling_group(
        AutoScalingGroupName=stage.site.group, MinSize=1, DesiredCapacity=2
    )
    stage.minutes(2)
