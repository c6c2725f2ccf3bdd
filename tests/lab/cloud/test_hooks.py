"""Lifecycle hooks behave as AWS documents."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from .conftest import Group
from .driving import Cloud, eventually

Make = Callable[..., Group]


def hook(made: Group, transition: str, name: str = "hook", default: str = "ABANDON", timeout: int = 300) -> None:
    made.call(
        "put_lifecycle_hook",
        LifecycleHookName=name,
        LifecycleTransition=f"autoscaling:EC2_INSTANCE_{transition}",
        HeartbeatTimeout=timeout,
        DefaultResult=default,
    )


def complete(made: Group, instance_id: str, result: str, name: str = "hook") -> None:
    made.call("complete_lifecycle_action", LifecycleHookName=name, InstanceId=instance_id, LifecycleActionResult=result)


def test_launch_waits_and_continues(group: Make) -> None:
    made = group()
    hook(made, "LAUNCHING")
    [shown] = made.call("describe_lifecycle_hooks")["LifecycleHooks"]
    assert (shown["HeartbeatTimeout"], shown["GlobalTimeout"], shown["DefaultResult"]) == (300, 30000, "ABANDON")
    made.call("set_desired_capacity", DesiredCapacity=1)
    [member] = made.await_ids(1, "Pending:Wait")
    complete(made, member, "CONTINUE")
    assert made.await_ids(1) == [member]
    with pytest.raises(ClientError, match="No active Lifecycle Action"):
        complete(made, member, "CONTINUE")


def test_abandoned_launch_is_terminated_and_replaced(group: Make) -> None:
    made = group()
    hook(made, "LAUNCHING")
    made.call("set_desired_capacity", DesiredCapacity=1)
    [first] = made.await_ids(1, "Pending:Wait")
    complete(made, first, "ABANDON")
    eventually(lambda: made.ids("Pending:Wait") not in ([], [first]))


@pytest.mark.parametrize("result", ["CONTINUE", "ABANDON"])
def test_termination_waits_and_continues_with_every_result(cloud: Cloud, group: Make, result: str) -> None:
    made = group()
    hook(made, "TERMINATING")
    [member] = made.desire(1)
    made.call("set_desired_capacity", DesiredCapacity=0)
    assert made.await_ids(1, "Terminating:Wait") == [member]
    running = cloud.client("ec2").describe_instances(InstanceIds=[member])["Reservations"][0]["Instances"][0]
    assert running["State"]["Name"] == "running"
    complete(made, member, result)
    eventually(lambda: not made.show()["Instances"])


def test_timeout_takes_the_default_result_and_a_heartbeat_delays_it(cloud: Cloud, group: Make) -> None:
    made = group()
    hook(made, "TERMINATING", default="CONTINUE", timeout=60)
    [member] = made.desire(1)
    made.call("set_desired_capacity", DesiredCapacity=0)
    made.await_ids(1, "Terminating:Wait")
    cloud.advance(50)
    made.call("record_lifecycle_action_heartbeat", LifecycleHookName="hook", InstanceId=member)
    cloud.advance(50)
    assert made.await_ids(1, "Terminating:Wait") == [member]
    cloud.advance(11)
    eventually(lambda: not made.show()["Instances"])


def test_every_hook_must_continue(group: Make) -> None:
    made = group()
    hook(made, "LAUNCHING", "one")
    hook(made, "LAUNCHING", "two")
    made.call("set_desired_capacity", DesiredCapacity=1)
    [member] = made.await_ids(1, "Pending:Wait")
    complete(made, member, "CONTINUE", "one")
    assert made.ids("Pending:Wait") == [member]
    complete(made, member, "CONTINUE", "two")
    made.await_ids(1)


def test_deleting_a_hook_ends_its_waiting(group: Make) -> None:
    made = group()
    hook(made, "TERMINATING")
    made.desire(1)
    made.call("set_desired_capacity", DesiredCapacity=0)
    made.await_ids(1, "Terminating:Wait")
    made.call("delete_lifecycle_hook", LifecycleHookName="hook")
    eventually(lambda: not made.show()["Instances"])


def test_bad_hooks_are_refused(group: Make) -> None:
    made = group()
    with pytest.raises(ClientError, match="30 to 7200"):
        hook(made, "LAUNCHING", timeout=29)
    with pytest.raises(ClientError, match="LifecycleTransition"):
        hook(made, "SLEEPING")
    with pytest.raises(ClientError, match="DefaultResult"):
        hook(made, "LAUNCHING", default="MAYBE")
    assert made.call("describe_lifecycle_hooks")["LifecycleHooks"] == []
