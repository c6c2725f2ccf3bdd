"""The model replaces instances as the maintenance policy of the group allows, and an annex keeps within its size."""

from __future__ import annotations

import pytest

from tests.world.aws_model import Aws
from tests.world.aws_state import START, ScalingGroup
from tests.world.stage import HOUR, Stage
from tests.world.worlds import ModelWorld

G = {"AutoScalingGroupName": "g"}
SIZE = 3


@pytest.fixture
def world() -> ModelWorld:
    """A group of three instances that have been in service for a minute."""
    aws = Aws()
    aws.account.groups["g"] = ScalingGroup("g", START, SIZE)
    aws.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=SIZE)
    aws.advance(60)
    return ModelWorld(aws)


def course(world: ModelWorld, group: str = "g", seconds: int = 300) -> list[int]:
    """Numbers of instances alive, second by second."""
    found = []
    for _ in range(seconds):
        found.append(len(world.alive(group)))
        world.advance(1)
    return found


def steps(world: ModelWorld) -> str:
    """First letters of the activities, without those of the first launches."""
    return "".join(one.description[0] for one in world.aws.account.groups["g"].activities[SIZE:])


def test_a_maximum_of_100_percent_terminates_each_before_it_launches_another(world: ModelWorld) -> None:
    before = world.alive("g")
    world.replace_instances("g")
    alive = course(world)
    assert (max(alive), min(alive)) == (SIZE, SIZE - 1), "one after another"
    assert steps(world) == "TLTLTL"
    assert not before & world.alive("g")


def test_a_larger_maximum_launches_each_before_it_terminates_another(world: ModelWorld) -> None:
    before = world.alive("g")
    world.aws.account.groups["g"].max_healthy = 110
    world.replace_instances("g")
    alive = course(world)
    assert (max(alive), min(alive)) == (SIZE + 1, SIZE)
    assert steps(world) == "LTLTLT"
    assert not before & world.alive("g")


@pytest.mark.parametrize("most", [100, 110])
@pytest.mark.parametrize("process", ["Launch", "Terminate"])
def test_a_suspended_process_holds_it(world: ModelWorld, process: str, most: int) -> None:
    before = world.alive("g")
    world.aws.account.groups["g"].max_healthy = most
    world.operator.autoscaling.suspend_processes(**G, ScalingProcesses=[process])
    world.replace_instances("g")
    assert set(course(world)) == {SIZE}
    assert world.alive("g") == before
    world.operator.autoscaling.resume_processes(**G, ScalingProcesses=[process])
    course(world)
    assert not before & world.alive("g")


@pytest.mark.parametrize("most", [100, 110])
def test_protected_instances_are_passed_by_and_a_group_of_none_ends(world: ModelWorld, most: int) -> None:
    [first, *_] = sorted(world.alive("g"))
    world.aws.account.groups["g"].max_healthy = most
    world.operator.autoscaling.set_instance_protection(**G, InstanceIds=[first], ProtectedFromScaleIn=True)
    world.replace_instances("g")
    course(world)
    assert first in world.alive("g")
    world.operator.autoscaling.set_instance_protection(**G, InstanceIds=[first], ProtectedFromScaleIn=False)
    course(world, seconds=10)
    world.operator.autoscaling.update_auto_scaling_group(**G, DesiredCapacity=0)
    course(world, seconds=60)
    assert world.alive("g") == set()


@pytest.mark.parametrize(("most", "excess"), [(100, 0), (110, 1)])
def test_the_policy_of_an_annex_keeps_it_within_its_size(most: int, excess: int) -> None:
    """Without the policy an instance more than declared would run, so the annex has it."""
    world = ModelWorld()
    stage = Stage(world)
    stage.make()
    stage.minutes(3)
    group, size = stage.site.group, stage.site.policy.size
    world.aws.account.groups[group].max_healthy = most
    world.replace_instances(group)
    assert max(course(world, group, 180)) == size + excess


@pytest.mark.parametrize("every", [60.0, 240.0, 900.0])
def test_replacements_cost_no_more_than_the_declared_size(every: float) -> None:
    """However often it happens: the size bounds what runs at any time, and nothing runs after the end."""
    world = ModelWorld()
    stage = Stage(world)
    stage.make()
    policy, replaced = stage.site.policy, 0.0
    end = float(policy.duration_seconds or 0)
    while stage.seconds() < end + policy.grace_seconds + 300:
        stage.minutes(1)
        if stage.seconds() >= replaced + every:
            world.replace_instances(stage.site.group)
            replaced = stage.seconds()
    launches = len(world.aws.account.instances)
    assert launches > policy.size
    used = world.used(stage.site.group, 0)
    assert used <= policy.size * (end + policy.grace_seconds + 180)
    assert world.alive(stage.site.group) == set()
    world.advance(2 * HOUR)
    assert world.used(stage.site.group, 0) == used
