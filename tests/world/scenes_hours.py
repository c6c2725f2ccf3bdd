"""Scenarios of the instance-hours: instances are counted as seen, also while calls are refused."""

from __future__ import annotations

from annex_lease import tags as lease_tags
from tests.world.aws_conditions import Refused
from tests.world.scene import scene
from tests.world.scenes_decisions import expect_running, write_end
from tests.world.stage import HOUR, MINUTE, Can, Stage

GRACE = 16 * MINUTE


def retire(stage: Stage, number: int) -> None:
    """Let so many instances leave as idle execution points do."""
    for key in stage.alive()[:number]:
        stage.world.operator.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=key, ShouldDecrementDesiredCapacity=True
        )
    stage.minutes(3)


def _fleet(stage: Stage, size: int, **policy: int) -> None:
    stage.make(policy={"size": size, **policy})
    stage.minutes(3)


@scene("ENDED", Can.BOOT, Can.METER)
def hours_are_counted_although_an_instance_cannot_be_tagged(stage: Stage) -> None:
    """The end moves, one instance refuses its new tag, and the fleet is enlarged: the hours are counted."""
    stage.make(policy={"max_instance_hours": 1})
    stage.minutes(3)
    with stage.under(Refused("CreateTags", stage.alive()[:1])):
        write_end(stage, 1.8 * HOUR)
        stage.minutes(2)
        stage.world.operator.autoscaling.update_auto_scaling_group(
            AutoScalingGroupName=stage.site.group, DesiredCapacity=10
        )
        stage.minutes(8)
        stage.expect(stage.group()["DesiredCapacity"] == 0, "the hours are used up")
        stage.minutes(16)


@scene("RUNNING", Can.BOOT, Can.METER)
def hours_are_not_spent_by_instances_that_left(stage: Stage) -> None:
    """Of four instances two leave, and one of the others cannot be tagged: two hours last an hour of two."""
    stage.make(policy={"size": 4, "max_instance_hours": 2})
    stage.minutes(3)
    stage.world.conditions.append(Refused("CreateTags", stage.alive()[:1]))
    write_end(stage, 1.8 * HOUR)
    stage.minutes(1)
    for key in stage.alive()[2:]:
        stage.world.operator.autoscaling.terminate_instance_in_auto_scaling_group(
            InstanceId=key, ShouldDecrementDesiredCapacity=True
        )
    stage.minutes(6)
    stage.until(45 * MINUTE)
    expect_running(stage, "there are hours left")
    stage.expect("CreateTags" in stage.problems(), "the refusal is reported")


@scene("ENDED", Can.TOPIC)
def a_warning_although_an_instance_cannot_be_tagged(stage: Stage) -> None:
    stage.make(policy={"warn_before_end_seconds": 600}, topic=True)
    stage.minutes(3)
    with stage.under(Refused("CreateTags", stage.alive()[:1])):
        write_end(stage, 50 * MINUTE)
        stage.until(43 * MINUTE)
        stage.expect(len(stage.world.published()) == 1, "it is said once")
        stage.until(50 * MINUTE + GRACE)


@scene("RUNNING")
def one_run_with_a_clock_that_is_ahead(stage: Stage) -> None:
    """A clock that is six minutes ahead, once: the budget is neither spent nor ended by it."""
    stage.make(policy={"max_instance_hours": 100})
    stage.minutes(10)
    stage.run(moment=stage.moment(stage.seconds() + 6 * MINUTE))
    stage.minutes(5)
    hours = stage.runs[-1].reply.get("instance_hours")
    stage.expect(hours is not None and hours < 2, f"two instances for a quarter of an hour, not {hours} hours")


@scene("RUNNING")
def one_run_with_a_clock_that_is_behind(stage: Stage) -> None:
    stage.make(policy={"max_instance_hours": 100})
    stage.minutes(10)
    stage.run(moment=stage.moment(stage.seconds() - 6 * MINUTE))
    stage.minutes(5)
    hours = stage.runs[-1].reply.get("instance_hours")
    stage.expect(hours is not None and 0.3 < hours < 2, f"two instances for a quarter of an hour, not {hours} hours")


@scene("RUNNING")
def a_ledger_from_the_future(stage: Stage) -> None:
    stage.make(policy={"max_instance_hours": 100})
    stage.minutes(5)
    # As a run writes it whose clock is days ahead: no use is counted after the latest end.
    stage.write(lease_tags.TAG_USED, f"{2 * 7200}@{stage.at(2 * HOUR)}x2")
    stage.minutes(5)
    hours = stage.runs[-1].reply.get("instance_hours")
    stage.expect(hours is not None and 0.25 < hours < 0.45, f"two for ten minutes, not {hours} hours")


@scene("ENDED", Can.DETACH)
def a_detached_instance_uses_hours(stage: Stage) -> None:
    """Two hours of two instances, one of which the group does not list any more: they last an hour."""
    stage.make(policy={"max_instance_hours": 1})
    stage.minutes(3)
    stage.world.operator.autoscaling.detach_instances(
        AutoScalingGroupName=stage.site.group, InstanceIds=stage.alive()[:1], ShouldDecrementDesiredCapacity=True
    )
    stage.minutes(3)
    hours = stage.runs[-1].reply.get("instance_hours")
    stage.minutes(10)
    later = stage.runs[-1].reply.get("instance_hours")
    if isinstance(hours, float) and isinstance(later, float):
        stage.expect(abs(later - hours - 20 / 60) < 0.05, f"20 minutes of an instance are counted, not {later - hours}")
    stage.until(50 * MINUTE)
    stage.expect(not stage.alive(), "the hours were used up after half an hour, and the grace is over")


@scene(("active", 4, 4, False), Can.METER)
def instances_that_come_while_no_check_runs(stage: Stage) -> None:
    """Two are added by hand, and the checks are lost for the half hour after it."""
    stage.make(policy={"max_instance_hours": 100})
    stage.minutes(10)
    stage.world.operator.autoscaling.update_auto_scaling_group(AutoScalingGroupName=stage.site.group, DesiredCapacity=4)
    stage.until(40 * MINUTE, checked=False)
    stage.forget()
    stage.minutes(2)
    hours = stage.runs[-1].reply.get("instance_hours")
    if isinstance(hours, float):
        stage.expect(2.2 < hours < 2.45, f"two for 41 minutes and two for 30 of them, not {hours} hours")
    stage.expect(lease_tags.TAG_USED in stage.tags(), "they are recorded")
    stage.expect(stage.seconds() < HOUR, "the lease lasts")


@scene("ENDED", Can.METER)
def hours_of_which_nothing_can_be_recorded(stage: Stage) -> None:
    """Every tag is refused after the grant: what is seen ends the annex, and its scheduled action does."""
    stage.make(policy={"max_instance_hours": 1})
    stage.minutes(3)  # enough to repair a first run that was disturbed
    stage.write(lease_tags.TAG_USED, f"0@{stage.at(0)}x0")
    with stage.under(Refused("CreateOrUpdateTags")):
        stage.until(20 * MINUTE)
        expect_running(stage, "there are hours left")
        stage.minutes(14)
        stage.expect(not stage.alive(), "two instances have used an hour")
    used = stage.world.used(stage.site.group, 0) / HOUR
    stage.expect(used < 1.15, f"an hour may be used, not {used}")


@scene(("active", 8, 8, False))
def one_run_with_a_clock_that_is_ahead_while_an_instance_leaves(stage: Stage) -> None:
    stage.make(policy={"size": 9, "max_instance_hours": 16})
    stage.minutes(10)
    stage.world.operator.autoscaling.terminate_instance_in_auto_scaling_group(
        InstanceId=stage.alive()[0], ShouldDecrementDesiredCapacity=True
    )
    stage.world.advance(30)
    stage.run_as_of(stage.moment(stage.seconds() + 40 * MINUTE))
    stage.minutes(5)
    hours = stage.runs[-1].reply.get("instance_hours")
    if isinstance(hours, float):
        stage.expect(1.5 < hours < 3.5, f"nine instances for a quarter of an hour, not {hours} hours")
