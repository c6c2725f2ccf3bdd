"""Scenarios of launches that fail: reason and advice are reported, and a message is published if nothing runs."""

from __future__ import annotations

from annex_lease import tags as lease_tags
from tests.world.scene import scene
from tests.world.scenes_life import deploy_and_grant
from tests.world.stage import HOUR, MINUTE, Can, Stage

GRACE = 16 * MINUTE
NO_CAPACITY = "We currently do not have sufficient c6a.large capacity in the Availability Zone you requested."
QUOTA = "You have requested more vCPU capacity than your current vCPU limit of 0 allows for the instance bucket."
NO_KEY = "Client.InternalError: Client error on launch"


def _fail(stage: Stage, reason: str = NO_CAPACITY) -> None:
    stage.world.fail_launches(stage.site.group, reason)


def _messages(stage: Stage) -> list[str]:
    """Messages about a fleet without any instance in service."""
    found = (one["Message"] for one in stage.world.published())
    return [one for one in found if "no instance has been in service" in one]


@scene(("granted", 0, 2, False), Can.FAILED_LAUNCHES)
def launches_that_fail(stage: Stage) -> None:
    stage.make()
    _fail(stage)
    stage.minutes(1)
    stage.expect(not stage.problems(), f"the check that grants has seen no launch: {stage.problems()}")
    stage.minutes(1)
    stage.expect(NO_CAPACITY in stage.problems(), "the reason is reported by the next check")
    stage.expect("to do: AWS has too little capacity" in stage.problems(), "with what to do about it")
    stage.minutes(7)
    stage.expect(NO_CAPACITY in stage.problems(), "and as long as it is so")
    stage.expect("for 7 minutes" in stage.problems(), f"with its time: {stage.problems()}")


@scene("RUNNING", Can.FAILED_LAUNCHES)
def launches_that_fail_for_a_while(stage: Stage) -> None:
    launches_that_fail(stage)
    _fail(stage, "")
    stage.minutes(4)
    stage.expect(not stage.problems(), f"what is over is not reported: {stage.problems()}")


@scene(("granted", 0, 2, False), Can.FAILED_LAUNCHES)
def launches_that_fail_for_another_reason(stage: Stage) -> None:
    """The newest reason counts."""
    launches_that_fail(stage)
    _fail(stage, QUOTA)
    stage.minutes(3)
    stage.expect(QUOTA in stage.problems(), f"the newest reason is reported: {stage.problems()}")
    stage.expect("Service Quotas" in stage.problems(), "with its own advice")
    stage.expect(NO_CAPACITY not in stage.problems(), "and the older one is not")


@scene("RUNNING", Can.FAILED_LAUNCHES)
def a_replacement_that_fails_for_a_while(stage: Stage) -> None:
    """A fleet of which an instance died and is not replaced is not in order."""
    deploy_and_grant(stage)
    _fail(stage)
    stage.world.operator.ec2.terminate_instances(InstanceIds=stage.alive()[:1])
    stage.minutes(9)
    stage.expect(NO_CAPACITY in stage.problems(), "the reason is reported")
    _fail(stage, "")


@scene("RUNNING", Can.FAILED_LAUNCHES, Can.TOPIC)
def a_replacement_that_fails_is_no_alarm(stage: Stage) -> None:
    """One instance works, so that jobs run."""
    stage.make(topic=True)
    stage.minutes(3)
    _fail(stage)
    stage.world.operator.ec2.terminate_instances(InstanceIds=stage.alive()[:1])
    stage.minutes(20)
    stage.expect(NO_CAPACITY in stage.problems(), "the reason is reported")
    stage.expect(not _messages(stage), f"nothing is published: {_messages(stage)}")
    _fail(stage, "")


@scene("ENDED", Can.FAILED_LAUNCHES)
def launches_that_fail_until_the_end(stage: Stage) -> None:
    launches_that_fail(stage)
    stage.until(HOUR + GRACE)


@scene(("granted", 0, 2, False), Can.FAILED_LAUNCHES, Can.TOPIC)
def nothing_in_service_is_published(stage: Stage) -> None:
    """After ten minutes, once, with the reason and the advice; also if the function lost its memory."""
    stage.make(topic=True)
    _fail(stage, QUOTA)
    stage.minutes(10)
    stage.expect(not _messages(stage), f"nine minutes after the grant nothing is published: {_messages(stage)}")
    stage.minutes(3)
    stage.expect(len(_messages(stage)) == 1, f"one message is published, not {_messages(stage)}")
    stage.expect(all(QUOTA in one and "Service Quotas" in one for one in _messages(stage)), "with reason and advice")
    stage.forget()
    stage.minutes(15)
    stage.expect(len(_messages(stage)) == 1, f"it is published once, not {_messages(stage)}")


@scene("RUNNING", Can.FAILED_LAUNCHES, Can.TOPIC)
def nothing_in_service_for_a_while_is_published_each_time(stage: Stage) -> None:
    nothing_in_service_is_published(stage)
    _fail(stage, "")
    stage.minutes(4)
    stage.expect(not stage.tags().get(lease_tags.TAG_REPORTED), "its end is recorded")
    _fail(stage)
    stage.world.operator.ec2.terminate_instances(InstanceIds=stage.alive())
    stage.minutes(14)
    stage.expect(len(_messages(stage)) == 2, f"the second time is published too: {_messages(stage)}")
    _fail(stage, "")


@scene(("granted", 0, 2, False), Can.FAILED_LAUNCHES, Can.BOOT, Can.TOPIC)
def instances_that_die_while_they_start(stage: Stage) -> None:
    """EC2 accepts each launch, so that no number is missing for long."""
    stage.make(topic=True)
    stage.world.kill_launches(stage.site.group, NO_KEY)
    stage.minutes(14)
    stage.expect(NO_KEY in stage.problems(), f"the reason is reported: {stage.problems()}")
    stage.expect("AWSServiceRoleForAutoScaling" in stage.problems(), "with what to do about it")
    stage.expect(len(_messages(stage)) == 1, f"one message is published, not {_messages(stage)}")


@scene(("granted", 0, 0, False), Can.TOPIC)
def a_fleet_that_retired_by_itself_is_no_alarm(stage: Stage) -> None:
    """Each execution point that was idle for long ends itself and lowers the desired capacity."""
    stage.make(topic=True)
    stage.minutes(3)
    for instance in stage.alive():
        stage.world.operator.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=instance, ShouldDecrementDesiredCapacity=True
        )
    stage.minutes(20)
    stage.expect(not stage.problems(), f"nothing is reported: {stage.problems()}")
    stage.expect(not _messages(stage), f"nothing is published: {_messages(stage)}")


@scene(("granted", 0, 2, True), Can.FAILED_LAUNCHES, Can.TOPIC)
def a_fleet_whose_launches_were_suspended_is_no_alarm(stage: Stage) -> None:
    stage.make(topic=True)
    _fail(stage)
    stage.minutes(3)
    group = {"AutoScalingGroupName": stage.site.group}
    stage.world.operator.autoscaling.suspend_processes(**group, ScalingProcesses=["Launch"])
    stage.minutes(20)
    stage.expect(NO_CAPACITY not in stage.problems(), f"nothing is to start: {stage.problems()}")
    stage.expect(not _messages(stage), f"nothing is published: {_messages(stage)}")
