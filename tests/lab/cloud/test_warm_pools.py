"""Warm pools behave as AWS documents: instances beside a group, which its description does not list."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Group
from .driving import Cloud, eventually

Make = Callable[..., Group]
TERMINATING = {"LifecycleHookName": "cooling", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}
LAUNCHING = {"LifecycleHookName": "warming", "LifecycleTransition": "autoscaling:EC2_INSTANCE_LAUNCHING"}


def pool(made: Group) -> dict[str, Any]:
    return made.call("describe_warm_pool")


def warm(made: Group, state: str) -> list[str]:
    return [one["InstanceId"] for one in pool(made)["Instances"] if one["LifecycleState"] == state]


def await_warm(made: Group, count: int, state: str) -> list[str]:
    eventually(lambda: len(warm(made, state)) == count, f"{count} {state} in {pool(made)}")
    return warm(made, state)


def states(cloud: Cloud, ids: list[str]) -> set[str]:
    found = cloud.client("ec2").describe_instances(InstanceIds=ids)["Reservations"]
    return {one["State"]["Name"] for part in found for one in part["Instances"]}


def test_warmed_instances_cost_but_are_not_in_the_group(cloud: Cloud, group: Make) -> None:
    made = group(MaxSize=2)
    made.call("put_warm_pool", PoolState="Stopped")
    held = await_warm(made, 2, "Warmed:Stopped")
    assert states(cloud, held) == {"stopped"}
    shown = made.show()
    assert shown["Instances"] == []
    assert shown["WarmPoolSize"] == 2
    assert shown["WarmPoolConfiguration"] == {"MinSize": 0, "PoolState": "Stopped"}
    assert cloud.client("autoscaling").describe_auto_scaling_instances(InstanceIds=held)["AutoScalingInstances"] == []
    tags = cloud.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": held}])["Tags"]
    assert [one["Value"] for one in tags if one["Key"] == "aws:autoscaling:groupName"] == [made.name] * 2
    for call, arguments in (
        ("set_instance_protection", {"ProtectedFromScaleIn": True}),
        ("detach_instances", {"ShouldDecrementDesiredCapacity": True}),
    ):
        with pytest.raises(ClientError, match="not part of"):
            made.call(call, InstanceIds=held[:1], **arguments)


def test_a_pool_grows_when_its_group_is_scaled_in(group: Make) -> None:
    made = group(MaxSize=3)
    made.desire(2)
    made.call("put_warm_pool", PoolState="Running")
    await_warm(made, 1, "Warmed:Running")
    made.call("update_auto_scaling_group", MinSize=0, DesiredCapacity=0)
    await_warm(made, 3, "Warmed:Running")


def test_sizes_of_a_pool(group: Make) -> None:
    made = group(MaxSize=4)
    made.call("put_warm_pool", PoolState="Running", MaxGroupPreparedCapacity=2)
    await_warm(made, 2, "Warmed:Running")
    made.call("put_warm_pool", PoolState="Running", MaxGroupPreparedCapacity=0, MinSize=1)
    eventually(lambda: len(pool(made)["Instances"]) == 1)
    with pytest.raises(ClientError, match="PoolState must be one of"):
        made.call("put_warm_pool", PoolState="Frozen")


def test_suspended_launching_holds_a_pool_back(group: Make) -> None:
    made = group(MaxSize=1)
    made.call("suspend_processes", ScalingProcesses=["Launch"])
    made.call("put_warm_pool")
    assert pool(made)["Instances"] == []
    made.call("resume_processes", ScalingProcesses=["Launch"])
    await_warm(made, 1, "Warmed:Stopped")


def test_only_force_deletes_a_pool_with_instances(cloud: Cloud, group: Make) -> None:
    made = group(MaxSize=1)
    with pytest.raises(ClientError, match="No warm pool"):
        made.call("delete_warm_pool", ForceDelete=True)
    made.call("put_warm_pool", PoolState="Running")
    [held] = await_warm(made, 1, "Warmed:Running")
    with pytest.raises(ClientError, match="ResourceInUse"):
        made.call("delete_warm_pool")
    made.call("suspend_processes", ScalingProcesses=["Terminate"])
    cloud.mark("deaf")
    made.call("delete_warm_pool", ForceDelete=True)
    assert made.show()["WarmPoolConfiguration"]["Status"] == "PendingDelete"
    with pytest.raises(ClientError, match="being deleted"):
        made.call("put_warm_pool")
    cloud.machine(held, "off")
    eventually(lambda: "WarmPoolConfiguration" not in made.show())
    assert states(cloud, [held]) == {"terminated"}
    assert "WarmPoolSize" not in made.show()


def test_an_empty_pool_is_deleted_at_once(group: Make) -> None:
    made = group(MaxSize=0)
    made.call("put_warm_pool")
    made.call("delete_warm_pool")
    assert "WarmPoolConfiguration" not in made.show()


def test_hooks_hold_instances_of_the_pool(group: Make) -> None:
    made = group(MaxSize=1)
    made.call("put_lifecycle_hook", **LAUNCHING)
    made.call("put_warm_pool", PoolState="Running")
    [held] = await_warm(made, 1, "Warmed:Pending:Wait")
    made.call(
        "complete_lifecycle_action", LifecycleHookName="warming", LifecycleActionResult="CONTINUE", InstanceId=held
    )
    await_warm(made, 1, "Warmed:Running")
    made.call("put_lifecycle_hook", **TERMINATING)
    made.call("update_auto_scaling_group", MaxSize=0)
    await_warm(made, 1, "Warmed:Terminating:Wait")
    made.call("delete_warm_pool", ForceDelete=True)
    eventually(lambda: pool(made)["Instances"] == [], "force deletes outstanding lifecycle actions")


def test_abandoned_warming_is_done_again(group: Make) -> None:
    made = group(MaxSize=1)
    made.call("put_lifecycle_hook", **LAUNCHING)
    made.call("put_warm_pool", PoolState="Running")
    [first] = await_warm(made, 1, "Warmed:Pending:Wait")
    made.call(
        "complete_lifecycle_action", LifecycleHookName="warming", LifecycleActionResult="ABANDON", InstanceId=first
    )
    eventually(lambda: warm(made, "Warmed:Pending:Wait") not in ([], [first]))


def test_an_instance_ended_behind_the_pool_is_replaced(cloud: Cloud, group: Make) -> None:
    made = group(MaxSize=1)
    made.call("put_warm_pool", PoolState="Running")
    [first] = await_warm(made, 1, "Warmed:Running")
    cloud.client("ec2").terminate_instances(InstanceIds=[first])
    eventually(lambda: warm(made, "Warmed:Running") not in ([], [first]))


def test_force_deletes_a_group_with_its_pool(cloud: Cloud, group: Make) -> None:
    made = group(MaxSize=1)
    made.call("put_warm_pool", PoolState="Running")
    [held] = await_warm(made, 1, "Warmed:Running")
    with pytest.raises(ClientError, match="ResourceInUse"):
        made.call("delete_auto_scaling_group")
    made.call("delete_auto_scaling_group", ForceDelete=True)
    autoscaling = cloud.client("autoscaling")
    eventually(
        lambda: not autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[made.name])["AutoScalingGroups"]
    )
    assert states(cloud, [held]) == {"terminated"}
