"""Reports of an end: not before two empty listings a minute apart, and in a few calls."""

from __future__ import annotations

from unittest import mock

from tests.world import aws_scaling
from tests.world.aws_model import NoFaults
from tests.world.aws_state import Account
from tests.world.cloudformation import delete
from tests.world.stage import HOUR, MINUTE, Stage
from tests.world.worlds import ModelWorld


class Lagging(NoFaults):
    """EC2's listing does not show any instance yet, for some calls: it is eventually consistent."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def carry_out(self, call: object, do: object, past: Account) -> dict[str, object]:
        answer = super().carry_out(call, do, past)  # type: ignore[arg-type]
        if getattr(call, "operation", "") == "DescribeInstances" and self.left > 0:
            self.left -= 1
            answer["Reservations"] = []
        return answer


def test_the_end_is_reported_after_two_empty_listings_a_minute_apart() -> None:
    world = ModelWorld()
    stage = Stage(world)
    stage.make()
    stage.minutes(2)
    world.operator.autoscaling.detach_instances(
        AutoScalingGroupName=stage.site.group, InstanceIds=stage.alive(), ShouldDecrementDesiredCapacity=True
    )
    stage.until(HOUR + 16 * MINUTE, checked=False)
    world.aws.faults = Lagging(2)
    while stage.alive():
        stage.run({"check": "now"})
        assert stage.runs[-1].phase == "draining"
        world.advance(20)
    assert world.aws.account.now < HOUR + 18 * MINUTE
    phases = [stage.minutes(1).phase for _ in range(4)]
    assert phases[-1] == "ended"
    assert "draining" in phases, "the first empty listing alone is no end"


def test_a_listing_that_lags_within_the_grace_makes_no_end() -> None:
    world = ModelWorld()
    stage = Stage(world)
    stage.make()
    stage.minutes(2)
    world.operator.autoscaling.detach_instances(
        AutoScalingGroupName=stage.site.group, InstanceIds=stage.alive(), ShouldDecrementDesiredCapacity=True
    )
    stage.until(HOUR, checked=False)
    world.aws.faults = Lagging(1)
    while stage.alive():
        assert stage.minutes(1).phase == "draining"
    assert world.aws.account.now <= HOUR + 17 * MINUTE


def test_a_restarted_function_looks_twice_again() -> None:
    world = ModelWorld()
    stage = Stage(world)
    stage.make()
    stage.minutes(2)
    stage.until(HOUR + 16 * MINUTE)
    assert stage.minutes(3).phase == "ended"
    stage.forget()
    assert stage.minutes(1).phase == "draining"
    assert stage.minutes(1).phase == "ended"


def test_a_dry_run_is_no_look() -> None:
    """Its findings are no evidence for the runs that act: they look twice themselves."""
    world = ModelWorld()
    stage = Stage(world)
    stage.make()
    stage.minutes(2)
    stage.until(HOUR, checked=False)
    stage.run()
    world.advance(2 * MINUTE)
    assert stage.alive() == []
    stage.forget()
    for _ in range(3):
        assert stage.run({"check": "dry-run"}).phase == "draining"
        world.advance(2 * MINUTE)
    assert stage.minutes(1).phase == "draining"
    assert stage.minutes(1).phase == "ended"


def test_an_end_takes_few_calls_and_a_quiet_minute_one() -> None:
    world = ModelWorld()
    stage = Stage(world)
    stage.make()
    stage.minutes(3)
    calls = len(world.aws.calls)
    stage.minutes(1)
    assert [call.operation for call in world.aws.calls[calls:]] == ["DescribeAutoScalingGroups"]
    stage.until(HOUR, checked=False)
    calls = len(world.aws.calls)
    stage.minutes(4)
    assert stage.runs[-1].phase == "ended"
    ended = [call.operation for call in world.aws.calls[calls:]]
    assert [name for name in ended if not name.startswith("Describe")] == ["UpdateAutoScalingGroup", "SuspendProcesses"]
    calls = len(world.aws.calls)
    stage.minutes(3)
    assert [call.operation for call in world.aws.calls[calls:]] == ["DescribeAutoScalingGroups"] * 3


def _detached_and_destroyed(world: ModelWorld, death: float) -> tuple[str, list[str]]:
    """Destroy an annex with a detached instance that takes so long to shut down: the answer, and what it leaves."""
    stage = Stage(world)
    stage.make()
    stage.minutes(2)
    world.operator.autoscaling.detach_instances(
        AutoScalingGroupName=stage.site.group, InstanceIds=stage.alive()[:1], ShouldDecrementDesiredCapacity=True
    )
    stage.minutes(1)
    with mock.patch.object(aws_scaling, "DEATH", death):
        answer = delete(stage)
    outside = [one for one in world.aws.account.instances.values() if one.lifecycle == "Detached"]
    return answer, [one.state for one in outside]


def test_a_destroy_waits_for_a_detached_instance_to_be_gone(model: ModelWorld) -> None:
    """The deletion of the group waits for its own instances; a detached one would keep the network."""
    assert _detached_and_destroyed(model, death=60.0) == ("SUCCESS", ["terminated"])


def test_a_destroy_does_not_fail_because_an_instance_shuts_down_slowly(model: ModelWorld) -> None:
    assert _detached_and_destroyed(model, death=HOUR) == ("SUCCESS", ["shutting-down"])
