"""Scenarios of tags that are lost: a deployment takes away what its template does not declare.

No page of AWS says whether CloudFormation does that to the tags of a group (`verify-account` shows it).
"""

from __future__ import annotations

from annex_lease import tags as lease_tags
from tests.world.cloudformation import deploy_without_runtime_tags, lose_runtime_tags
from tests.world.scene import scene
from tests.world.scenes_decisions import write_end
from tests.world.scenes_hours import retire
from tests.world.stage import HOUR, MINUTE, Can, Stage


@scene(("active", 1, 1, False))
def tags_lost_by_a_fleet_that_shrank(stage: Stage) -> None:
    stage.make(policy={"size": 3})
    stage.minutes(3)
    retire(stage, 2)
    deploy_without_runtime_tags(stage, grace_seconds=600)
    stage.minutes(3)
    stage.expect(len(stage.alive()) == 1, "what retired is not started again")
    stage.expect(stage.tags().get(lease_tags.TAG_GRANTED) == "3", "the grant is recorded again")


@scene(("active", 1, 1, False))
def tags_lost_after_every_process_was_resumed(stage: Stage) -> None:
    """An operator resumes all processes of the group, the mark of its grant among them: the next check repairs that."""
    stage.make(policy={"size": 3})
    stage.minutes(3)
    retire(stage, 2)
    suspended = [one["ProcessName"] for one in stage.group()["SuspendedProcesses"]]
    stage.world.operator.autoscaling.resume_processes(AutoScalingGroupName=stage.site.group, ScalingProcesses=suspended)
    stage.minutes(2)
    deploy_without_runtime_tags(stage, grace_seconds=600)
    stage.minutes(3)
    stage.expect(len(stage.alive()) == 1, "what retired is not started again")


@scene("ENDED")
def tags_lost_by_a_stopped_fleet(stage: Stage) -> None:
    """One instance is on standby, so that its group does not end it: it has the grace, and no more."""
    stage.make(policy={"grace_seconds": 300})
    stage.minutes(3)
    group = {"AutoScalingGroupName": stage.site.group}
    standby = {"InstanceIds": stage.alive()[:1], "ShouldDecrementDesiredCapacity": True}
    stage.world.operator.autoscaling.enter_standby(**group, **standby)
    stage.minutes(1)
    stage.until(8 * MINUTE)
    write_end(stage, 8 * MINUTE)
    stage.minutes(3)  # so that one of them sees it, however disturbed
    deploy_without_runtime_tags(stage, size=2, warn_before_end_seconds=60)
    stage.minutes(8)
    stage.expect(not stage.alive(), "nothing that was stopped runs on")
    stage.expect(stage.seconds() < 20 * MINUTE, "long before the declared end")


@scene("ENDED", Can.METER)
def tags_lost_by_a_fleet_with_few_hours_left(stage: Stage) -> None:
    stage.make(policy={"size": 2, "duration_seconds": 5400, "max_instance_hours": 2})
    stage.until(50 * MINUTE)
    stage.expect(len(stage.alive()) == 2, "20 minutes are left")
    deploy_without_runtime_tags(stage, grace_seconds=60)
    stage.until(66 * MINUTE)
    stage.expect(not stage.alive(), "the hours do not begin again")
    stage.expect(stage.world.used(stage.site.group, 0) < 2.2 * HOUR, "no more is used than was declared")


@scene("RUNNING")
def tags_lost_and_renewed_after_it(stage: Stage) -> None:
    stage.make()
    stage.minutes(3)
    retire(stage, 2)
    deploy_without_runtime_tags(stage, grace_seconds=600)
    stage.until(20 * MINUTE)
    stage.expect(not stage.alive(), "nothing starts by itself")
    stage.write(lease_tags.TAG_RENEWED, stage.at(20 * MINUTE))


@scene(("granted", 0, 0, False))
def grant_of_a_renewal_lost(stage: Stage) -> None:
    """The time of the renewal stays: it is not granted a second time."""
    stage.make()
    stage.minutes(3)
    stage.write(lease_tags.TAG_RENEWED, stage.at(stage.seconds()))
    stage.minutes(2)
    retire(stage, 2)
    lose_runtime_tags(stage, {lease_tags.TAG_GRANTED})


@scene("RUNNING")
def tags_lost_before_the_credential(stage: Stage) -> None:
    """Nothing was granted yet, so nothing is assumed."""
    stage.make(credential=False)
    stage.minutes(3)
    deploy_without_runtime_tags(stage, grace_seconds=600)
    stage.minutes(2)
    stage.world.operator.secretsmanager.put_secret_value(SecretId=stage.site.secret_arn, SecretString="value")


@scene("ENDED")
def extension_lost(stage: Stage) -> None:
    """The end is the declared one again, and it comes."""
    stage.make(policy={"max_lifetime_seconds": 7200})
    stage.minutes(3)
    write_end(stage, 1.8 * HOUR)
    stage.minutes(3)
    lose_runtime_tags(stage)
    stage.until(HOUR + 16 * MINUTE)
