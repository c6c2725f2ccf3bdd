"""Groups launch, replace and terminate as AWS documents."""

from collections.abc import Callable

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
        # As on AWS if EC2 accepts a launch and the instance ends before it is in service.
        return [one["StatusMessage"] for one in found if one["StatusCode"] == "Cancelled"]

    eventually(lambda: len(failures()) == 1)
    assert "Instance became unhealthy while waiting for instance to be in InService state." in failures()[0]
    assert "this image does not boot" in failures()[0]
    cloud.advance(20)
    eventually(lambda: len(failures()) == 2)


def test_unhealthy_member_is_replaced(cloud: Cloud, group: Make) -> None:
    made = group()
    [first] = made.desire(1)
    cloud.client("autoscaling").set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    eventually(lambda: made.ids() not in ([], [first]), "a replacement")
