"""An annex whose checker, schedule, role and sweeper are gone ends all the same: by its scheduled actions alone."""

from __future__ import annotations

from datetime import datetime

import pytest

from annex_lease import tags as lease_tags
from annex_lease.bookkeeping import END_ACTION, LATEST_END_ACTION
from tests.world.aws_conditions import Refused
from tests.world.aws_model import Aws
from tests.world.aws_schedule_api import LONGEST_DELAY
from tests.world.cloudformation import request
from tests.world.scenes_decisions import renew, write_end
from tests.world.stage import HOUR, MINUTE, Stage
from tests.world.worlds import ModelWorld, MotoWorld

FOLLOWS = 2 * MINUTE
"""Until a group has followed a new size, and its instances are gone."""


def granted(stage: Stage, **policy: int) -> None:
    """A granted annex, whose checker has run for some minutes and does not run from now on."""
    stage.make(policy=policy)
    request(stage, "Create")
    stage.minutes(3)
    assert len(stage.alive()) == 2


@pytest.mark.parametrize("delay", [0.0, LONGEST_DELAY])
def test_the_fleet_is_gone_after_the_effective_end(delay: float) -> None:
    """As late as AWS may run a scheduled action, and not before the end."""
    aws = Aws()
    aws.account.action_delay = delay
    stage = Stage(ModelWorld(aws))
    granted(stage)
    stage.until(HOUR - 1, checked=False)
    assert len(stage.alive()) == 2
    stage.until(HOUR + delay + FOLLOWS, checked=False)
    assert stage.alive() == []
    used = stage.world.used(stage.site.group, 0)
    stage.until(300 * HOUR, checked=False)
    assert stage.world.used(stage.site.group, 0) == used, "nothing starts again"


def test_on_an_aws_in_process(moto: MotoWorld) -> None:
    stage = Stage(moto)
    granted(stage)
    stage.until(HOUR - MINUTE, checked=False)
    assert len(stage.alive()) == 2
    stage.until(HOUR + MINUTE, checked=False)
    assert stage.alive() == []


@pytest.mark.parametrize(("end", "number"), [(1.5 * HOUR, 2), (40 * MINUTE, 0)])
def test_the_action_moves_with_the_end(model: ModelWorld, end: float, number: int) -> None:
    """One check is enough for a later end and for an earlier one."""
    stage = Stage(model)
    granted(stage)
    write_end(stage, end)
    stage.minutes(2)
    stage.until(HOUR + FOLLOWS, checked=False)
    assert len(stage.alive()) == number
    stage.until(end + FOLLOWS, checked=False)
    assert stage.alive() == []


def test_the_hours_that_are_used_up_end_the_fleet(model: ModelWorld) -> None:
    """Two instances have an hour of one: the end that follows from it is the action's."""
    stage = Stage(model)
    granted(stage, max_instance_hours=1)
    stage.until(29 * MINUTE, checked=False)
    assert len(stage.alive()) == 2
    stage.until(30 * MINUTE + FOLLOWS, checked=False)
    assert stage.alive() == []


def test_nothing_that_tags_say_moves_the_latest_end(model: ModelWorld) -> None:
    """A rewritten lifetime and an override days ahead, followed by a check that believes them, or by none."""
    stage = Stage(model)
    granted(stage)
    stage.write(lease_tags.TAG_MAX_LIFETIME, str(300 * 24 * 3600))
    write_end(stage, 100 * HOUR)
    stage.minutes(5)
    stage.until(2 * HOUR - MINUTE, checked=False)
    assert len(stage.alive()) == 2
    stage.until(2 * HOUR + MINUTE + FOLLOWS, checked=False)
    assert stage.alive() == []
    assert stage.group()["MaxSize"] == 0


def test_raised_by_hand_after_the_end_it_is_ended_at_the_latest_end(model: ModelWorld) -> None:
    stage = Stage(model)
    granted(stage)
    stage.until(HOUR + FOLLOWS, checked=False)
    group = {"AutoScalingGroupName": stage.site.group}
    stage.world.operator.autoscaling.update_auto_scaling_group(**group, MinSize=2, DesiredCapacity=5)
    stage.until(1.5 * HOUR, checked=False)
    assert len(stage.alive()) == 5
    stage.until(2 * HOUR + MINUTE + FOLLOWS, checked=False)
    assert stage.alive() == []


def test_what_it_does_not_reach(model: ModelWorld) -> None:
    """A protected one, one on standby and a detached one stay until a checker, or the sweeper, runs."""
    stage = Stage(model)
    stage.make(policy={"size": 4})
    stage.minutes(3)
    protected, aside, gone, _ = stage.alive()
    group = {"AutoScalingGroupName": stage.site.group}
    operator = stage.world.operator.autoscaling
    operator.set_instance_protection(**group, InstanceIds=[protected], ProtectedFromScaleIn=True)
    operator.enter_standby(**group, InstanceIds=[aside], ShouldDecrementDesiredCapacity=True)
    operator.detach_instances(**group, InstanceIds=[gone], ShouldDecrementDesiredCapacity=True)
    stage.until(3 * HOUR, checked=False)
    assert stage.alive() == sorted([protected, aside, gone])
    stage.minutes(3)
    assert stage.alive() == []


@pytest.mark.parametrize("checked", [True, False])
def test_a_renewal_restores_what_the_action_took(model: ModelWorld, checked: bool) -> None:
    """After the end, seen by a check or not, and with the checker back at work."""
    stage = Stage(model)
    granted(stage)
    stage.until(HOUR + 20 * MINUTE, checked=checked)
    assert stage.alive() == []
    renew(stage, 1.9 * HOUR)
    stage.minutes(3)
    assert len(stage.alive()) == 2
    stage.until(1.9 * HOUR + FOLLOWS, checked=False)
    assert stage.alive() == [], "the action is put again"


def test_a_deployment_with_a_longer_lifetime_restores_the_max_size(model: ModelWorld) -> None:
    stage = Stage(model)
    granted(stage)
    stage.until(2 * HOUR + 5 * MINUTE)
    assert stage.group()["MaxSize"] == 0
    stage.write(lease_tags.TAG_MAX_LIFETIME, str(4 * 3600))
    renew(stage, 3 * HOUR)
    assert request(stage, "Update") == "SUCCESS"
    stage.minutes(3)
    assert len(stage.alive()) == 2
    assert stage.group()["MaxSize"] == 2
    stage.until(3 * HOUR + FOLLOWS, checked=False)
    assert stage.alive() == []


def test_an_action_that_was_deleted_is_put_again(model: ModelWorld) -> None:
    stage = Stage(model)
    granted(stage)
    for name in stage.scheduled():
        stage.world.operator.autoscaling.delete_scheduled_action(
            AutoScalingGroupName=stage.site.group, ScheduledActionName=name
        )
    assert stage.scheduled() == {}
    stage.minutes(12)
    assert set(stage.scheduled().values()) == {stage.moment(HOUR), stage.moment(2 * HOUR + MINUTE)}


@pytest.mark.parametrize("sizes", [{"MinSize": 0, "DesiredCapacity": 5}, {"MinSize": 2, "DesiredCapacity": 2}])
@pytest.mark.parametrize("final", [False, True])
def test_an_action_that_was_changed_into_another_is_put_again(
    model: ModelWorld, sizes: dict[str, int], final: bool
) -> None:
    """It has its name and its time, and would empty nothing."""
    stage = Stage(model)
    granted(stage, max_lifetime_seconds=2 * 3600)
    name = LATEST_END_ACTION if final else END_ACTION
    start = stage.scheduled()[name]
    put_by_hand(stage, name, start, MaxSize=10, **sizes)
    stage.minutes(12)
    stage.until(2 * HOUR + MINUTE + FOLLOWS if final else HOUR + FOLLOWS, checked=False)
    assert stage.alive() == []


def test_a_last_action_that_leaves_the_maximum_is_put_again(model: ModelWorld) -> None:
    stage = Stage(model)
    granted(stage)
    put_by_hand(stage, LATEST_END_ACTION, stage.scheduled()[LATEST_END_ACTION], MinSize=0, DesiredCapacity=0)
    stage.minutes(12)
    stage.until(2 * HOUR + MINUTE + FOLLOWS, checked=False)
    assert stage.group()["MaxSize"] == 0


@pytest.mark.parametrize("end", [HOUR, 1.5 * HOUR])
def test_an_action_of_a_user_at_the_same_time_holds_nothing_up(model: ModelWorld, end: float) -> None:
    """AWS refuses two actions of a group at one time: ours comes a second earlier, at the first end and at a later."""
    stage = Stage(model)
    stage.make()
    put_by_hand(stage, "nightly", stage.moment(end), MinSize=0)
    request(stage, "Create")
    stage.minutes(3)
    assert len(stage.alive()) == 2
    write_end(stage, end)
    stage.minutes(2)
    assert stage.scheduled()[END_ACTION] == stage.moment(end - 1)
    assert stage.scheduled()["nightly"] == stage.moment(end)
    stage.until(end + FOLLOWS, checked=False)
    assert stage.alive() == []


def test_a_refusal_of_another_kind_is_no_time_that_is_taken(model: ModelWorld) -> None:
    stage = Stage(model)
    with stage.under(Refused("PutScheduledUpdateGroupAction")):
        stage.make()
        stage.run()
    asked = [each for each in model.aws.calls if each.operation == "PutScheduledUpdateGroupAction"]
    assert {each.params["StartTime"] for each in asked} == {stage.moment(HOUR)}, "no earlier one is tried"


def put_by_hand(stage: Stage, name: str, start: datetime, **sizes: int) -> None:
    """Put a scheduled action as an operator does."""
    stage.world.operator.autoscaling.put_scheduled_update_group_action(
        AutoScalingGroupName=stage.site.group, ScheduledActionName=name, StartTime=start, **sizes
    )


def test_nothing_is_granted_before_the_actions_are_put(model: ModelWorld) -> None:
    """An enforcer that AWS refuses is none: the grant waits for it."""
    stage = Stage(model)
    with stage.under(Refused("PutScheduledUpdateGroupAction")):
        stage.make()
        stage.minutes(3)
        assert stage.alive() == []
        assert "PutScheduledUpdateGroupAction" in stage.problems()
    stage.minutes(2)
    assert len(stage.alive()) == 2
