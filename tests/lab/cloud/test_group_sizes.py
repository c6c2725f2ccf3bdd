"""Sizes of a group, and the calls that shrink it, behave as AWS documents."""

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from .conftest import Group
from .driving import Cloud, eventually

Make = Callable[..., Group]


def state_of(cloud: Cloud, instance_id: str) -> str:
    found = cloud.client("ec2").describe_instances(InstanceIds=[instance_id])
    return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])


def test_sizes_are_validated_as_a_whole(group: Make) -> None:
    made = group(MinSize=1, MaxSize=2)
    for arguments in ({"DesiredCapacity": 3}, {"DesiredCapacity": 0}, {"MinSize": 3}, {"MaxSize": 0}):
        with pytest.raises(ClientError, match="ValidationError"):
            made.call("update_auto_scaling_group", **arguments)
    with pytest.raises(ClientError, match="above max value 2"):
        made.call("set_desired_capacity", DesiredCapacity=3)
    with pytest.raises(ClientError, match="below min value 1"):
        made.call("set_desired_capacity", DesiredCapacity=0)
    shown = made.show()
    assert (shown["MinSize"], shown["MaxSize"], shown["DesiredCapacity"]) == (1, 2, 1)


def test_desired_follows_limits_it_is_not_given_with(group: Make) -> None:
    made = group()
    made.desire(3)
    made.call("update_auto_scaling_group", MaxSize=2)
    assert made.show()["DesiredCapacity"] == 2
    made.await_ids(2)
    made.call("update_auto_scaling_group", MinSize=0, MaxSize=0, DesiredCapacity=0)
    eventually(lambda: not made.show()["Instances"])


def test_protected_members_survive_scale_in_until_it_is_cleared(group: Make) -> None:
    made = group(NewInstancesProtectedFromScaleIn=True)
    members = made.desire(2)
    made.call("set_instance_protection", InstanceIds=members[:1], ProtectedFromScaleIn=False)
    made.call("set_desired_capacity", DesiredCapacity=0)
    assert made.await_ids(1) == members[1:]
    made.call("update_auto_scaling_group", NewInstancesProtectedFromScaleIn=False)
    made.call("set_instance_protection", InstanceIds=members[1:], ProtectedFromScaleIn=False)
    eventually(lambda: not made.show()["Instances"])


def test_a_smaller_maximum_ends_unprotected_members_only(group: Make) -> None:
    """API_UpdateAutoScalingGroup: the desired capacity follows; scale-in passes protected instances by."""
    made = group()
    members = made.desire(3)
    made.call("set_instance_protection", InstanceIds=members[:2], ProtectedFromScaleIn=True)
    made.call("update_auto_scaling_group", MaxSize=1)
    assert made.show()["DesiredCapacity"] == 1
    assert set(made.await_ids(2)) == set(members[:2])
    made.call("set_instance_protection", InstanceIds=members[:1], ProtectedFromScaleIn=False)
    assert made.await_ids(1) == members[1:2]


def test_terminate_with_decrement(cloud: Cloud, group: Make) -> None:
    made = group(MinSize=1)
    first, second = made.desire(2)
    retire = cloud.client("autoscaling").terminate_instance_in_auto_scaling_group
    activity = retire(InstanceId=first, ShouldDecrementDesiredCapacity=True)["Activity"]
    assert activity["AutoScalingGroupName"] == made.name
    assert made.show()["DesiredCapacity"] == 1
    assert made.await_ids(1) == [second]
    with pytest.raises(ClientError, match="desiredSize equals minSize"):
        retire(InstanceId=second, ShouldDecrementDesiredCapacity=True)
    assert made.ids() == [second]
    retire(InstanceId=second, ShouldDecrementDesiredCapacity=False)
    eventually(lambda: made.ids() not in ([], [second]), "a replacement")


def test_terminate_twice_decrements_once(cloud: Cloud, group: Make) -> None:
    made = group()
    first, _ = made.desire(2)
    cloud.mark("deaf")
    for _ in range(2):
        cloud.client("autoscaling").terminate_instance_in_auto_scaling_group(
            InstanceId=first, ShouldDecrementDesiredCapacity=True
        )
    assert made.show()["DesiredCapacity"] == 1


def test_terminating_an_instance_of_no_group_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match="No managed instance found"):
        cloud.client("autoscaling").terminate_instance_in_auto_scaling_group(
            InstanceId="i-00000000000000000", ShouldDecrementDesiredCapacity=True
        )


def test_batch_limits_are_errors(group: Make) -> None:
    made = group()
    many = [f"i-{number:017x}" for number in range(51)]
    with pytest.raises(ClientError, match="1 to 50"):
        made.call("set_instance_protection", InstanceIds=many, ProtectedFromScaleIn=False)
    for action in ("attach_instances", "exit_standby"):
        with pytest.raises(ClientError, match="1 to 20"):
            made.call(action, InstanceIds=many[:21])
    for action in ("detach_instances", "enter_standby"):
        with pytest.raises(ClientError, match="1 to 20"):
            made.call(action, InstanceIds=many[:21], ShouldDecrementDesiredCapacity=True)


def test_standby_detach_and_attach(cloud: Cloud, group: Make) -> None:
    made = group()
    first, second = made.desire(2)
    made.call("enter_standby", InstanceIds=[first], ShouldDecrementDesiredCapacity=True)
    assert made.ids("Standby") == [first]
    assert made.show()["DesiredCapacity"] == 1
    made.call("exit_standby", InstanceIds=[first])
    assert made.show()["DesiredCapacity"] == 2
    made.call("detach_instances", InstanceIds=[second], ShouldDecrementDesiredCapacity=True)
    assert made.ids() == [first]
    made.call("attach_instances", InstanceIds=[second])
    assert set(made.ids()) == {first, second}
    assert made.show()["DesiredCapacity"] == 2


def test_delete_needs_an_empty_group_or_force(cloud: Cloud, group: Make) -> None:
    made = group()
    [member] = made.desire(1)
    with pytest.raises(ClientError, match="ResourceInUse"):
        made.call("delete_auto_scaling_group")
    made.call("delete_auto_scaling_group", ForceDelete=True)
    autoscaling = cloud.client("autoscaling")
    eventually(
        lambda: not autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[made.name])["AutoScalingGroups"]
    )
    assert state_of(cloud, member) == "terminated"


def test_groups_of_another_region_are_apart(cloud: Cloud, group: Make) -> None:
    group()
    assert cloud.client("autoscaling", region="eu-west-1").describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_group_without_template_or_with_unknown_subnet_is_refused(cloud: Cloud, group: Make) -> None:
    create = cloud.client("autoscaling").create_auto_scaling_group
    with pytest.raises(ClientError, match="subnet-0"):
        create(AutoScalingGroupName="bare", MinSize=0, MaxSize=1, VPCZoneIdentifier="subnet-0")
    with pytest.raises(ClientError, match="either LaunchTemplate or MixedInstancesPolicy"):
        create(AutoScalingGroupName="bare", MinSize=0, MaxSize=1)
    made = group()
    with pytest.raises(ClientError, match="AlreadyExists"):
        create(AutoScalingGroupName=made.name, MinSize=0, MaxSize=1, VPCZoneIdentifier=made.show()["VPCZoneIdentifier"],
               LaunchTemplate={"LaunchTemplateId": made.show()["LaunchTemplate"]["LaunchTemplateId"]})  # fmt: skip
