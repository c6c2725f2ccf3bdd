"""Auto Scaling groups against what AWS documents of them."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Group
from .driving import Cloud, eventually

Make = Callable[..., Group]


def state_of(cloud: Cloud, instance_id: str) -> str:
    found = cloud.client("ec2").describe_instances(InstanceIds=[instance_id])
    return str(found["Reservations"][0]["Instances"][0]["State"]["Name"])


def test_members_are_instances_of_ec2_balanced_over_zones(cloud: Cloud, group: Make) -> None:
    members = group().desire(4)
    found = cloud.client("ec2").describe_instances(InstanceIds=members)
    zones = [one["Placement"]["AvailabilityZone"] for part in found["Reservations"] for one in part["Instances"]]
    assert sorted(zones) == ["us-east-1a", "us-east-1a", "us-east-1b", "us-east-1b"]


def test_pending_until_the_machine_runs(cloud: Cloud, group: Make) -> None:
    cloud.mark("hold")
    made = group()
    made.call("set_desired_capacity", DesiredCapacity=1)
    [member] = made.await_ids(1, "Pending")
    assert state_of(cloud, member) == "pending"
    cloud.machine(member, "running")
    assert made.await_ids(1) == [member]


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


def test_dead_member_is_replaced(cloud: Cloud, group: Make) -> None:
    made = group()
    [first] = made.desire(1)
    cloud.machine(first, "off")
    eventually(lambda: made.ids() not in ([], [first]), "a replacement")
    assert state_of(cloud, first) == "terminated"
    descriptions = [one["Description"] for one in made.call("describe_scaling_activities")["Activities"]]
    assert f"Terminating EC2 instance: {first}" in descriptions
    assert made.show()["DesiredCapacity"] == 1


def test_member_terminated_through_ec2_is_replaced(cloud: Cloud, group: Make) -> None:
    made = group()
    [first] = made.desire(1)
    cloud.client("ec2").terminate_instances(InstanceIds=[first])
    eventually(lambda: made.ids() not in ([], [first]), "a replacement")


def test_suspended_launch_replaces_nothing_and_still_terminates(cloud: Cloud, group: Make) -> None:
    made = group()
    [first] = made.desire(1)
    made.call("suspend_processes", ScalingProcesses=["Launch"])
    assert [one["ProcessName"] for one in made.show()["SuspendedProcesses"]] == ["Launch"]
    cloud.machine(first, "off")
    eventually(lambda: not made.show()["Instances"])
    made.call("resume_processes", ScalingProcesses=["Launch"])
    made.await_ids(1)


@pytest.mark.parametrize("process", ["ReplaceUnhealthy", "HealthCheck", "Terminate"])
def test_suspended_process_leaves_a_dead_member(cloud: Cloud, group: Make, process: str) -> None:
    made = group()
    [first] = made.desire(1)
    made.call("suspend_processes", ScalingProcesses=[process])
    cloud.machine(first, "off")
    eventually(lambda: state_of(cloud, first) == "terminated")
    health = "Healthy" if process == "HealthCheck" else "Unhealthy"
    eventually(lambda: made.show()["Instances"][0]["HealthStatus"] == health)
    assert made.ids() == [first]
    made.call("resume_processes", ScalingProcesses=[process])
    eventually(lambda: made.ids() not in ([], [first]), "a replacement")


def test_suspended_terminate_keeps_members_in_service(group: Make) -> None:
    made = group()
    members = made.desire(2)
    made.call("suspend_processes", ScalingProcesses=["Terminate"])
    made.call("set_desired_capacity", DesiredCapacity=0)
    assert made.ids() == members
    made.call("resume_processes", ScalingProcesses=["Terminate"])
    eventually(lambda: not made.show()["Instances"])


def test_suspending_without_names_suspends_all_and_unknown_names_are_refused(group: Make) -> None:
    made = group()
    made.call("suspend_processes")
    assert len(made.show()["SuspendedProcesses"]) == 9
    with pytest.raises(ClientError, match="Lunch"):
        made.call("suspend_processes", ScalingProcesses=["Lunch"])


def test_protected_members_survive_scale_in_until_it_is_cleared(group: Make) -> None:
    made = group(NewInstancesProtectedFromScaleIn=True)
    members = made.desire(2)
    made.call("set_instance_protection", InstanceIds=members[:1], ProtectedFromScaleIn=False)
    made.call("set_desired_capacity", DesiredCapacity=0)
    assert made.await_ids(1) == members[1:]
    made.call("update_auto_scaling_group", NewInstancesProtectedFromScaleIn=False)
    made.call("set_instance_protection", InstanceIds=members[1:], ProtectedFromScaleIn=False)
    eventually(lambda: not made.show()["Instances"])


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


def tag(group: Group, key: str, value: str, propagate: bool) -> dict[str, Any]:
    return {
        "ResourceId": group.name,
        "ResourceType": "auto-scaling-group",
        "Key": key,
        "Value": value,
        "PropagateAtLaunch": propagate,
    }


def instance_tags(cloud: Cloud, instance_id: str) -> dict[str, str]:
    found = cloud.client("ec2").describe_tags(Filters=[{"Name": "resource-id", "Values": [instance_id]}])
    return {one["Key"]: one["Value"] for one in found["Tags"]}


def test_tags_reach_instances_launched_later_only(cloud: Cloud, group: Make) -> None:
    autoscaling = cloud.client("autoscaling")
    made = group(Tags=[{"Key": "annex:name", "Value": "demo", "PropagateAtLaunch": True}])
    [early] = made.desire(1)
    autoscaling.create_or_update_tags(Tags=[tag(made, "end", "1", True), tag(made, "own", "2", False)])
    late = next(one for one in made.desire(2) if one != early)
    assert instance_tags(cloud, early)["aws:autoscaling:groupName"] == made.name
    assert "end" not in instance_tags(cloud, early)
    shown = instance_tags(cloud, late)
    assert (shown["end"], shown["annex:name"]) == ("1", "demo")
    assert "own" not in shown
    autoscaling.create_or_update_tags(Tags=[tag(made, "end", "3", True)])
    assert {one["Key"]: one["Value"] for one in made.show()["Tags"]} == {"annex:name": "demo", "end": "3", "own": "2"}
    autoscaling.delete_tags(Tags=[tag(made, "end", "", True)])
    assert "end" not in {one["Key"] for one in made.show()["Tags"]}


def test_tags_of_missing_group_or_reserved_key_are_refused(cloud: Cloud, group: Make) -> None:
    made = group()
    autoscaling = cloud.client("autoscaling")
    with pytest.raises(ClientError, match="reserved"):
        autoscaling.create_or_update_tags(Tags=[tag(made, "good", "", False), tag(made, "aws:x", "", False)])
    with pytest.raises(ClientError, match="not found"):
        autoscaling.create_or_update_tags(Tags=[tag(made, "good", "", False), tag(Group(cloud, "no"), "a", "", False)])


def test_filters_and_paging_of_groups(cloud: Cloud, group: Make) -> None:
    autoscaling = cloud.client("autoscaling")
    made = [
        group(Tags=[{"Key": "paged", "Value": value, "PropagateAtLaunch": False}]) for value in ("pa", "paper", "pa")
    ]

    def found(**arguments: Any) -> list[str]:
        pages = autoscaling.get_paginator("describe_auto_scaling_groups").paginate(**arguments)
        return [one["AutoScalingGroupName"] for part in pages for one in part["AutoScalingGroups"]]

    assert found(Filters=[{"Name": "tag:paged", "Values": ["pa"]}]) == [made[0].name, made[2].name]
    assert found(Filters=[{"Name": "tag-key", "Values": ["paged"]}], PaginationConfig={"PageSize": 1}) == [
        one.name for one in made
    ]
    first = autoscaling.describe_auto_scaling_groups(MaxRecords=1)
    assert len(first["AutoScalingGroups"]) == 1
    assert first["NextToken"]
    with pytest.raises(ClientError, match="Filter type"):
        found(Filters=[{"Name": "name", "Values": ["x"]}])
    with pytest.raises(ClientError, match="MaxRecords"):
        autoscaling.describe_auto_scaling_groups(MaxRecords=101)


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


def test_mixed_instances_split_types_and_spot(cloud: Cloud, group: Make, template: Callable[..., str]) -> None:
    overrides = [{"InstanceType": "c6a.large"}, {"InstanceType": "c6i.large"}]
    made = group(
        MixedInstancesPolicy={
            "LaunchTemplate": {
                "LaunchTemplateSpecification": {"LaunchTemplateId": template(), "Version": "$Default"},
                "Overrides": overrides,
            },
            "InstancesDistribution": {"OnDemandBaseCapacity": 1, "OnDemandPercentageAboveBaseCapacity": 0},
        }
    )
    members = made.desire(3)
    found = cloud.client("ec2").describe_instances(InstanceIds=members)
    bought = [
        (one["InstanceType"], one.get("InstanceLifecycle"))
        for part in found["Reservations"]
        for one in part["Instances"]
    ]
    assert bought == [("c6a.large", None), ("c6a.large", "spot"), ("c6i.large", "spot")]
    shown = made.show()
    assert "LaunchTemplate" not in shown
    assert shown["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"] == overrides


def test_failed_launch_is_an_activity_and_is_tried_again(
    cloud: Cloud, group: Make, template: Callable[..., str]
) -> None:
    made = group(LaunchTemplate={"LaunchTemplateId": template(ImageId="ami-00000000000000bad")})
    made.call("set_desired_capacity", DesiredCapacity=1)

    def failures() -> list[str]:
        found = made.call("describe_scaling_activities")["Activities"]
        return [one["StatusMessage"] for one in found if one["StatusCode"] == "Failed"]

    eventually(lambda: len(failures()) == 1)
    assert "this image does not boot" in failures()[0]
    cloud.advance(20)
    eventually(lambda: len(failures()) == 2)


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


def test_unhealthy_member_is_replaced(cloud: Cloud, group: Make) -> None:
    made = group()
    [first] = made.desire(1)
    cloud.client("autoscaling").set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    eventually(lambda: made.ids() not in ([], [first]), "a replacement")


def test_describe_members_names_their_group(cloud: Cloud, group: Make) -> None:
    made = group()
    [member] = made.desire(1)
    [shown] = cloud.client("autoscaling").describe_auto_scaling_instances(InstanceIds=[member])["AutoScalingInstances"]
    assert (shown["AutoScalingGroupName"], shown["HealthStatus"]) == (made.name, "HEALTHY")


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
