"""Fleets of ten thousand, no time left, and more than AWS takes in one call."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.world.stage import HOUR, MINUTE, Can, Stage
from tests.world.worlds import ModelWorld


def fleet(size: int) -> tuple[ModelWorld, Stage]:
    """A fleet of so many protected instances at the end of its grace; some the group lost."""
    world = ModelWorld()
    stage = Stage(world, strict=False)
    stage.make(policy={"size": size}, max_size=size, protect_new=True)
    stage.minutes(1)
    world.advance(MINUTE)
    assert len(stage.alive()) == size
    return world, stage


def test_ten_thousand_instances() -> None:
    world, stage = fleet(10_000)
    world.operator.autoscaling.suspend_processes(
        AutoScalingGroupName=stage.site.group, ScalingProcesses=["Terminate", "ReplaceUnhealthy"]
    )
    lost = stage.alive()[:20]
    world.operator.autoscaling.detach_instances(
        AutoScalingGroupName=stage.site.group, InstanceIds=lost, ShouldDecrementDesiredCapacity=True
    )
    stage.until(HOUR + 15 * MINUTE, checked=False)
    calls = len(world.aws.calls)
    run = stage.run()
    assert run.error is None
    assert stage.alive() == []
    made = [call for call in world.aws.calls[calls:] if call.operation == "TerminateInstances"]
    assert 10 <= len(made) <= 120
    stage.minutes(4)
    assert stage.runs[-1].phase == "ended"


@pytest.mark.parametrize("seconds", [0.5, 1.0, 6.0, 20.0])
def test_no_time_left_stops_spending_first_and_the_next_run_continues(seconds: float) -> None:
    """Calls of two seconds each, and hardly any time: what is done is done in order, and nothing is forgotten."""
    world, stage = fleet(600)
    stage.until(HOUR, checked=False)
    world.aws.call_seconds = 2.0
    calls = len(world.aws.calls)
    began = world.aws.account.now
    stage.run({"check": "now"}, seconds=seconds)
    assert world.aws.account.now - began <= max(seconds, 4.0)  # it looks, even with little time
    made = [call.operation for call in world.aws.calls[calls:] if not call.operation.startswith("Describe")]
    assert made[:2] in ([], ["UpdateAutoScalingGroup"], ["UpdateAutoScalingGroup", "SuspendProcesses"])
    stage.until(HOUR + 16 * MINUTE, checked=False)
    for _ in range(40):
        stage.run({"check": "now"}, seconds=max(seconds, 60.0))
        world.advance(MINUTE)
    assert stage.alive() == []
    assert stage.runs[-1].phase == "ended"


def test_a_request_that_aws_would_refuse_is_refused_here_too() -> None:
    """The model is no friend of ours: wrong names and too many ids are errors in it."""
    world, stage = fleet(60)
    ids = stage.alive()
    group = {"AutoScalingGroupName": stage.site.group}
    with pytest.raises(ClientError, match="more than the 50"):
        world.clients.autoscaling.set_instance_protection(**group, InstanceIds=ids, ProtectedFromScaleIn=False)
    with pytest.raises(ClientError, match="NotFound"):
        world.clients.ec2.terminate_instances(InstanceIds=[*ids, "i-0bad"])
    assert stage.alive() == ids
    assert set(Can) > set(world.lacks)
