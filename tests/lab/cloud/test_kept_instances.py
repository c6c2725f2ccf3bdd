"""Every documented way in which an instance stays, and is billed, although its group's capacity is zero."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from .conftest import Group, Network
from .driving import Cloud, eventually
from .stacks import Stack, ref
from .test_group_sizes import state_of
from .test_provisioning import fleet, group_of

Make = Callable[..., Group]
RETAIN = {"RetentionTriggers": {"TerminateHookAbandon": "retain"}}
TERMINATING = {"LifecycleHookName": "leaving", "LifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING"}


def test_deletion_protection_refuses_what_it_says(cloud: Cloud, group: Make) -> None:
    made = group(DeletionProtection="prevent-all-deletion")
    assert made.show()["DeletionProtection"] == "prevent-all-deletion"
    for force in (False, True):
        with pytest.raises(ClientError, match="deletion protection is prevent-all-deletion"):
            made.call("delete_auto_scaling_group", ForceDelete=force)
    made.call("update_auto_scaling_group", DeletionProtection="prevent-force-deletion")
    made.desire(1)
    with pytest.raises(ClientError, match="deletion protection is prevent-force-deletion"):
        made.call("delete_auto_scaling_group", ForceDelete=True)
    made.call("update_auto_scaling_group", MinSize=0, DesiredCapacity=0)
    eventually(lambda: not made.show()["Instances"], "protection from deletion does not hold scaling back")
    made.call("delete_auto_scaling_group")
    with pytest.raises(ClientError, match="DeletionProtection must be one of"):
        group(DeletionProtection="please")


def test_group_without_settings_is_not_protected(group: Make) -> None:
    shown = group().show()
    assert shown["DeletionProtection"] == "none"
    assert not {"InstanceLifecyclePolicy", "WarmPoolConfiguration", "WarmPoolSize"} & set(shown)


def test_suspended_termination_keeps_instances_until_it_is_resumed(cloud: Cloud, group: Make) -> None:
    made = group()
    members = made.desire(2)
    made.call("suspend_processes", ScalingProcesses=["Terminate"])
    made.call("update_auto_scaling_group", MinSize=0, DesiredCapacity=0)
    cloud.advance(60)
    assert set(made.await_ids(2)) == set(members)
    made.call("resume_processes", ScalingProcesses=["Terminate"])
    eventually(lambda: not made.show()["Instances"])


@pytest.mark.parametrize("policy", [RETAIN, {}])
def test_abandoned_termination_retains_if_the_policy_says_so(cloud: Cloud, group: Make, policy: Any) -> None:
    made = group(**({"InstanceLifecyclePolicy": policy} if policy else {}))
    [member] = made.desire(1)
    made.call("put_lifecycle_hook", **TERMINATING)
    made.call("update_auto_scaling_group", DesiredCapacity=0)
    made.await_ids(1, "Terminating:Wait")
    made.call(
        "complete_lifecycle_action", LifecycleHookName="leaving", LifecycleActionResult="ABANDON", InstanceId=member
    )
    if not policy:
        eventually(lambda: not made.show()["Instances"])
        return
    assert made.show()["InstanceLifecyclePolicy"] == RETAIN
    assert made.ids("Terminating:Retained") == [member]
    assert state_of(cloud, member) == "running"
    cloud.client("autoscaling").terminate_instance_in_auto_scaling_group(
        InstanceId=member, ShouldDecrementDesiredCapacity=True
    )
    assert made.show()["DesiredCapacity"] == 0, "retained instances do not count"
    eventually(lambda: not made.show()["Instances"])


@pytest.mark.parametrize("how", ["continue", "timeout"])
def test_completed_termination_never_retains_and_a_timeout_does(cloud: Cloud, group: Make, how: str) -> None:
    made = group(InstanceLifecyclePolicy=RETAIN)
    [member] = made.desire(1)
    made.call("put_lifecycle_hook", **TERMINATING, HeartbeatTimeout=30, DefaultResult="ABANDON")
    made.call("update_auto_scaling_group", DesiredCapacity=0)
    made.await_ids(1, "Terminating:Wait")
    if how == "timeout":
        cloud.advance(31)
        assert made.await_ids(1, "Terminating:Retained") == [member]
        cloud.client("ec2").terminate_instances(InstanceIds=[member])
    else:
        answer = {"LifecycleHookName": "leaving", "LifecycleActionResult": "CONTINUE"}
        made.call("complete_lifecycle_action", InstanceId=member, **answer)
    eventually(lambda: not made.show()["Instances"])


def test_detached_instances_lose_the_group_s_tag_only(cloud: Cloud, group: Make) -> None:
    made = group(Tags=[{"Key": "annex:id", "Value": "u.demo", "PropagateAtLaunch": True}])
    [member] = made.desire(1)

    def tags() -> dict[str, str]:
        found = cloud.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [member]}])["Tags"]
        return {one["Key"]: one["Value"] for one in found if not one["Key"].startswith("aws:ec2")}

    assert tags() == {"annex:id": "u.demo", "aws:autoscaling:groupName": made.name}
    made.call("detach_instances", InstanceIds=[member], ShouldDecrementDesiredCapacity=True)
    assert tags() == {"annex:id": "u.demo"}
    made.call("update_auto_scaling_group", MinSize=0, DesiredCapacity=0)
    made.call("delete_auto_scaling_group", ForceDelete=True)
    assert state_of(cloud, member) == "running", "detached instances are never ended"
    cloud.client("ec2").terminate_instances(InstanceIds=[member])


def test_attached_instances_get_the_group_s_tag(cloud: Cloud, group: Make) -> None:
    one, other = group(), group()
    [member] = one.desire(1)
    one.call("detach_instances", InstanceIds=[member], ShouldDecrementDesiredCapacity=True)
    other.call("attach_instances", InstanceIds=[member])
    found = cloud.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [member]}])["Tags"]
    assert [tag["Value"] for tag in found if tag["Key"] == "aws:autoscaling:groupName"] == [other.name]


def suspend(cloud: Cloud, name: str, _: str) -> None:
    cloud.client("autoscaling").suspend_processes(AutoScalingGroupName=name, ScalingProcesses=["Terminate"])


def resume(cloud: Cloud, name: str, _: str) -> None:
    cloud.client("autoscaling").resume_processes(AutoScalingGroupName=name)


def stand_by(cloud: Cloud, name: str, member: str) -> None:
    cloud.client("autoscaling").enter_standby(
        AutoScalingGroupName=name, InstanceIds=[member], ShouldDecrementDesiredCapacity=True
    )


def terminate(cloud: Cloud, _: str, member: str) -> None:
    cloud.client("ec2").terminate_instances(InstanceIds=[member])


def warm(cloud: Cloud, name: str, _: str) -> None:
    cloud.client("autoscaling").put_warm_pool(AutoScalingGroupName=name, PoolState="Running")


def cool(cloud: Cloud, name: str, _: str) -> None:
    cloud.client("autoscaling").delete_warm_pool(AutoScalingGroupName=name, ForceDelete=True)
    eventually(lambda: "WarmPoolConfiguration" not in group_of(cloud, name))


def protect(cloud: Cloud, name: str, _: str) -> None:
    autoscaling = cloud.client("autoscaling")
    autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, DeletionProtection="prevent-all-deletion")


def release(cloud: Cloud, name: str, _: str) -> None:
    cloud.client("autoscaling").update_auto_scaling_group(AutoScalingGroupName=name, DeletionProtection="none")


@pytest.mark.parametrize(
    ("hinder", "help_out", "reason"),
    [
        (suspend, resume, "still has instances"),
        (stand_by, terminate, "still has instances"),
        (warm, cool, "ResourceInUse"),
        (protect, release, "deletion protection is prevent-all-deletion"),
    ],
)
def test_cloudformation_never_forces_the_deletion_of_a_group(
    cloud: Cloud, stack: Stack, network: Network, hinder: Any, help_out: Any, reason: str
) -> None:
    name = stack.create(fleet(network, DesiredCapacity="1"), {"Group": ref("Group")})["Group"]
    eventually(lambda: [one["LifecycleState"] for one in group_of(cloud, name)["Instances"]] == ["InService"])
    member = group_of(cloud, name)["Instances"][0]["InstanceId"]
    hinder(cloud, name, member)
    with pytest.raises(WaiterError):
        stack.delete()
    assert stack.client.describe_stacks(StackName=stack.name)["Stacks"][0]["StackStatus"] == "DELETE_FAILED"
    assert reason in stack.reasons()
    assert group_of(cloud, name)["DesiredCapacity"] == 0
    help_out(cloud, name, member)
    stack.delete()
    assert group_of(cloud, name) == {}


@pytest.mark.parametrize("level", ["none", "prevent-force-deletion"])
def test_cloudformation_deletes_what_is_not_wholly_protected(
    cloud: Cloud, stack: Stack, network: Network, level: str
) -> None:
    name = stack.create(fleet(network, DeletionProtection=level), {"Group": ref("Group")})["Group"]
    assert group_of(cloud, name)["DeletionProtection"] == level
    stack.delete()
    assert group_of(cloud, name) == {}
