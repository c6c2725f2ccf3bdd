"""Scenarios of an annex's end: nothing is left, even if something holds an instance back."""

from __future__ import annotations

from typing import Any

from annex_lease import tags as lease_tags
from tests.world.aws_scaling import LAUNCHING, TERMINATING
from tests.world.cloudformation import delete
from tests.world.scene import scene
from tests.world.scenes_life import deploy_and_grant
from tests.world.stage import HOUR, MINUTE, Can, Stage


def _over(stage: Stage, seconds: float = HOUR + 16 * MINUTE) -> None:
    stage.until(seconds)


def _with(stage: Stage) -> tuple[Any, dict[str, Any], list[str]]:
    """A granted annex: the operator's client, the group as a parameter, and the instances."""
    deploy_and_grant(stage)
    return stage.world.operator.autoscaling, {"AutoScalingGroupName": stage.site.group}, stage.alive()


@scene("ENDED")
def end(stage: Stage) -> None:
    deploy_and_grant(stage)
    _over(stage)


@scene("ENDED", Can.BOOT)
def end_while_booting(stage: Stage) -> None:
    stage.make(policy={"duration_seconds": 70})
    stage.minutes(2)


@scene("ENDED")
def end_with_protected_instances(stage: Stage) -> None:
    autoscaling, group, ids = _with(stage)
    autoscaling.set_instance_protection(**group, InstanceIds=ids, ProtectedFromScaleIn=True)
    _over(stage)


@scene("ENDED", Can.RESUMED_SCALE_IN)
def end_of_a_group_that_protects_new_instances(stage: Stage) -> None:
    stage.make(protect_new=True)
    stage.minutes(2)
    stage.until(HOUR)
    stage.minutes(3)
    stage.expect(not stage.alive(), "protection is removed, without waiting for the grace")


@scene("ENDED", Can.SUSPENDED_TERMINATE)
def end_with_terminate_suspended(stage: Stage) -> None:
    autoscaling, group, _ = _with(stage)
    autoscaling.suspend_processes(**group, ScalingProcesses=["Terminate"])
    stage.until(HOUR)
    stage.minutes(3)
    stage.expect(not stage.alive(), "the process is resumed, without waiting for the grace")


@scene("ENDED")
def end_with_a_minimum_size(stage: Stage) -> None:
    autoscaling, group, _ = _with(stage)
    autoscaling.update_auto_scaling_group(**group, MinSize=2)
    _over(stage)


def _hook(stage: Stage, transition: str, result: str = "CONTINUE", seconds: int = 7200) -> None:
    stage.world.operator.autoscaling.put_lifecycle_hook(
        AutoScalingGroupName=stage.site.group,
        LifecycleHookName="Hook",
        LifecycleTransition=transition,
        HeartbeatTimeout=seconds,
        DefaultResult=result,
    )


@scene("ENDED", Can.HOOKS)
def end_with_instances_waiting_to_launch(stage: Stage) -> None:
    stage.make()
    _hook(stage, LAUNCHING)
    stage.minutes(2)
    stage.expect(len(stage.alive()) == 2, "they wait")
    stage.until(HOUR)
    stage.minutes(4)
    stage.expect(not stage.alive(), "the wait is ended, without waiting for the grace")


@scene("ENDED", Can.HOOKS)
def end_with_instances_waiting_to_terminate(stage: Stage) -> None:
    """A user's hook has the grace, and no more."""
    deploy_and_grant(stage)
    _hook(stage, TERMINATING)
    stage.until(HOUR)
    stage.minutes(13)
    stage.expect(len(stage.alive()) == 2, "the hook has the grace")
    stage.minutes(4)
    stage.expect(not stage.alive(), "the wait is ended after the grace")


@scene("ENDED", Can.HOOKS)
def end_with_a_hook_that_is_shorter_than_the_grace(stage: Stage) -> None:
    deploy_and_grant(stage)
    _hook(stage, TERMINATING, seconds=600)
    stage.until(HOUR)
    stage.minutes(9)
    stage.expect(len(stage.alive()) == 2, "the hook has its time")
    stage.minutes(3)
    stage.expect(not stage.alive(), "it ended by itself")


@scene("ENDED", Can.HOOKS)
def destroy_with_instances_waiting_to_terminate(stage: Stage) -> None:
    """A destroy has no grace, also for a hook that waits already."""
    deploy_and_grant(stage)
    _hook(stage, TERMINATING)
    stage.until(HOUR + 2 * MINUTE)
    stage.expect(len(stage.alive()) == 2, "the hook waits")
    stage.expect(delete(stage) == "SUCCESS", "the fleet is emptied at once")
    assert not stage.alive(), "nothing is left when CloudFormation continues"


@scene("ENDED", Can.RETAIN, Can.HOOKS, Can.ANY_STATE)
def end_with_retained_instances(stage: Stage) -> None:
    _, _, ids = _with(stage)
    stage.world.set_state(ids[0], "Terminating:Retained")
    _over(stage)


@scene("ENDED", Can.ANY_STATE)
def end_with_a_state_of_the_future(stage: Stage) -> None:
    _, _, ids = _with(stage)
    stage.world.set_state(ids[0], "Suspended:Animation")
    _over(stage)


@scene("ENDED", Can.WARM_POOL)
def end_with_a_warm_pool(stage: Stage) -> None:
    autoscaling, group, _ = _with(stage)
    autoscaling.put_warm_pool(**group, MinSize=1, PoolState="Running")
    stage.minutes(2)
    stage.expect(len(stage.alive()) > 2, "the pool fills up")
    stage.until(HOUR)
    stage.minutes(3)
    stage.expect(not stage.alive(), "the pool is deleted, without waiting for the grace")


@scene("ENDED", Can.STANDBY)
def end_with_an_instance_on_standby(stage: Stage) -> None:
    autoscaling, group, ids = _with(stage)
    autoscaling.enter_standby(**group, InstanceIds=ids[:1], ShouldDecrementDesiredCapacity=True)
    _over(stage, HOUR + 13 * MINUTE)
    stage.expect(stage.alive() == ids[:1], "it has the grace, and the group takes no part in it")
    _over(stage)


@scene("ENDED", Can.DETACH)
def end_with_a_detached_instance(stage: Stage) -> None:
    autoscaling, group, ids = _with(stage)
    autoscaling.detach_instances(**group, InstanceIds=ids[:1], ShouldDecrementDesiredCapacity=True)
    _over(stage)


@scene("ENDED", Can.DETACH)
def extend_with_a_detached_instance(stage: Stage) -> None:
    """The instances that the group still has are notified; the other one is terminated with the rest."""
    autoscaling, group, ids = _with(stage)
    autoscaling.detach_instances(**group, InstanceIds=ids[:1], ShouldDecrementDesiredCapacity=False)
    stage.minutes(2)
    stage.write(lease_tags.TAG_UNTIL, stage.at(1.5 * HOUR))
    stage.minutes(2)
    stage.expect(not stage.runs[-1].error, "to notify those that can be notified is no failure")
    _over(stage, 1.5 * HOUR + 16 * MINUTE)


@scene("ENDED", Can.DETACH)
def end_with_all_instances_detached(stage: Stage) -> None:
    autoscaling, group, ids = _with(stage)
    autoscaling.detach_instances(**group, InstanceIds=ids, ShouldDecrementDesiredCapacity=True)
    _over(stage)


@scene("ENDED", Can.STOPPED)
def end_with_a_stopped_instance(stage: Stage) -> None:
    """A member that is stopped is replaced; with replacing suspended it stays, and costs its volume."""
    autoscaling, group, ids = _with(stage)
    autoscaling.suspend_processes(**group, ScalingProcesses=["ReplaceUnhealthy"])
    stage.world.operator.ec2.stop_instances(InstanceIds=ids[:1])
    _over(stage)


@scene("ENDED")
def end_in_the_middle_of_a_replacement(stage: Stage) -> None:
    _, _, ids = _with(stage)
    stage.until(HOUR - 20)
    stage.world.operator.ec2.terminate_instances(InstanceIds=ids[:1])
    stage.minutes(17)


@scene(("draining", 1, 0, True), Can.LOCKED, Can.STANDBY, failing=True)
def end_with_an_instance_that_the_api_may_not_terminate(stage: Stage) -> None:
    """EC2 refuses to end it and those of its zone in the same call, so the others go one by one."""
    stage.make(policy={"size": 5})
    stage.minutes(2)
    ids = stage.alive()
    stage.world.operator.ec2.modify_instance_attribute(InstanceId=ids[2], DisableApiTermination={"Value": True})
    stage.world.operator.autoscaling.enter_standby(
        AutoScalingGroupName=stage.site.group, InstanceIds=ids, ShouldDecrementDesiredCapacity=True
    )
    _over(stage)


@scene("GONE", Can.DELETE_GROUP)
def group_deleted_by_hand(stage: Stage) -> None:
    autoscaling, group, _ = _with(stage)
    autoscaling.delete_auto_scaling_group(**group, ForceDelete=True)


@scene("GONE", Can.DELETE_GROUP, Can.DETACH)
def group_deleted_after_an_instance_was_detached(stage: Stage) -> None:
    """The lease of an instance without a group is unknown, so it is terminated."""
    autoscaling, group, ids = _with(stage)
    autoscaling.detach_instances(**group, InstanceIds=ids[:1], ShouldDecrementDesiredCapacity=True)
    autoscaling.delete_auto_scaling_group(**group, ForceDelete=True)


@scene("ENDED")
def destroy(stage: Stage) -> None:
    deploy_and_grant(stage)
    stage.expect(delete(stage) == "SUCCESS", "the fleet is emptied at once")
    assert not stage.alive(), "nothing is left when CloudFormation continues"
    # The schedule is deleted next; a run that comes before that must not grant again.
    stage.write(lease_tags.TAG_UNTIL, stage.at(HOUR))


@scene("ENDED", Can.DELETION_PROTECTION, Can.HOOKS, Can.WARM_POOL)
def destroy_with_everything_in_the_way(stage: Stage) -> None:
    stage.make(protect_new=True)
    stage.minutes(2)
    group = {"AutoScalingGroupName": stage.site.group}
    operator = stage.world.operator.autoscaling
    operator.put_warm_pool(**group, MinSize=1)
    _hook(stage, TERMINATING)
    operator.suspend_processes(**group, ScalingProcesses=["Terminate"])
    operator.update_auto_scaling_group(**group, DeletionProtection="prevent-all-deletion")
    stage.minutes(2)
    stage.expect(delete(stage) == "SUCCESS", "the fleet is emptied at once")
    assert not stage.alive(), "nothing is left when CloudFormation continues"
    assert stage.group()["DeletionProtection"] == "none", "the group can be deleted"
