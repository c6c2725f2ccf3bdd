"""A change of subnets or purchase options replaces running instances step by step, within the maintenance policy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import Group, Network
from .driving import Cloud, eventually

Make = Callable[..., Group]
TERMINATE_FIRST = {"MinHealthyPercentage": 0, "MaxHealthyPercentage": 100}
LAUNCH_FIRST = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 110}


@pytest.fixture
def mixed(group: Make, template: Callable[..., str]) -> Make:
    """Makes groups of spot instances."""
    launch_template = template()

    def make(**arguments: Any) -> Group:
        return group(MixedInstancesPolicy=policy(launch_template, 0), MaxSize=3, **arguments)

    return make


def policy(template: str, base: int, percentage: int = 0) -> dict[str, Any]:
    specification = {"LaunchTemplateId": template, "Version": "$Default"}
    share = {"OnDemandBaseCapacity": base, "OnDemandPercentageAboveBaseCapacity": percentage}
    return {"LaunchTemplate": {"LaunchTemplateSpecification": specification}, "InstancesDistribution": share}


def change(group: Group, base: int, percentage: int = 0) -> None:
    """Change the purchase options, and nothing else."""
    shown = group.show()["MixedInstancesPolicy"]["LaunchTemplate"]["LaunchTemplateSpecification"]
    group.call("update_auto_scaling_group", MixedInstancesPolicy=policy(shown["LaunchTemplateId"], base, percentage))


def members(group: Group) -> list[dict[str, Any]]:
    """The instances in service."""
    found = group.cloud.client("ec2").describe_instances(InstanceIds=group.ids())["Reservations"]
    return [one for part in found for one in part["Instances"]]


def on_demand(group: Group) -> list[str]:
    """The instances in service that are on-demand."""
    return [one["InstanceId"] for one in members(group) if one.get("InstanceLifecycle") != "spot"]


def await_on_demand(group: Group, count: int, size: int) -> list[str]:
    eventually(
        lambda: len(group.ids()) == size and len(on_demand(group)) == count, f"{count} on-demand in {group.name}"
    )
    return on_demand(group)


def steps(group: Group, skip: int) -> list[str]:
    """First words of the activities after so many, oldest first."""
    found = list(reversed(group.call("describe_scaling_activities")["Activities"]))
    return [str(one["Description"]).split(" ", 1)[0] for one in found[skip:]]


def tick(cloud: Cloud, count: int = 1) -> None:
    assert cloud.get(f"/_lab/tick?count={count}", "POST").status == 200


def counted(group: Group) -> int:
    """Members in service or pending."""
    return sum(one["LifecycleState"].startswith(("InService", "Pending")) for one in group.show()["Instances"])


def test_a_policy_of_100_percent_terminates_before_it_launches_one_after_another(cloud: Cloud, mixed: Make) -> None:
    made = mixed(InstanceMaintenancePolicy=TERMINATE_FIRST)
    assert made.show()["InstanceMaintenancePolicy"] == TERMINATE_FIRST
    before = made.desire(3)
    change(made, base=2)
    most = 0
    while len(on_demand(made)) < 2 or len(made.ids()) < 3:
        most = max(most, counted(made))
        tick(cloud)
    assert most <= 3
    assert steps(made, 3) == ["Terminating", "Launching", "Terminating", "Launching"]
    assert len(set(made.ids()) & set(before)) == 1
    tick(cloud, 10)
    assert len(steps(made, 3)) == 4, "then nothing is replaced any more"


@pytest.mark.parametrize("maintenance", [None, LAUNCH_FIRST])
def test_without_such_a_policy_it_launches_before_it_terminates(
    cloud: Cloud, mixed: Make, maintenance: dict[str, int] | None
) -> None:
    made = mixed(**({"InstanceMaintenancePolicy": maintenance} if maintenance else {}))
    before = made.desire(3)
    cloud.mark("hold")
    change(made, base=1)
    eventually(lambda: counted(made) == 4)
    tick(cloud, 5)
    assert made.ids() == before, "no instance ends before the new one is in service"
    [new] = made.ids("Pending")
    cloud.machine(new, "running")
    assert await_on_demand(made, 1, size=3) == [new]
    assert steps(made, 3) == ["Launching", "Terminating"]
    assert made.show()["DesiredCapacity"] == 3


def test_a_lower_share_replaces_on_demand_instances(cloud: Cloud, mixed: Make) -> None:
    made = mixed(InstanceMaintenancePolicy=TERMINATE_FIRST)
    change(made, base=0, percentage=100)
    made.desire(2)
    assert len(on_demand(made)) == 2
    change(made, base=0, percentage=50)
    await_on_demand(made, 1, size=2)


def test_other_subnets_replace_the_instances_outside_them(cloud: Cloud, group: Make, network: Network) -> None:
    made = group(InstanceMaintenancePolicy=TERMINATE_FIRST)
    made.desire(2)
    kept, other = network.subnets
    stays = [one["InstanceId"] for one in members(made) if one["SubnetId"] == kept]
    assert len(stays) == 1
    made.call("update_auto_scaling_group", VPCZoneIdentifier=kept)
    eventually(lambda: len(made.ids()) == 2 and {one["SubnetId"] for one in members(made)} == {kept})
    assert set(stays) <= set(made.ids())
    assert steps(made, 2) == ["Terminating", "Launching"]
    assert other not in made.show()["VPCZoneIdentifier"]


def test_an_update_without_a_change_replaces_nothing(cloud: Cloud, mixed: Make, network: Network) -> None:
    made = mixed()
    before = made.desire(2)
    change(made, base=0)
    made.call("update_auto_scaling_group", VPCZoneIdentifier=",".join(reversed(network.subnets)))
    tick(cloud, 10)
    assert made.ids() == before


@pytest.mark.parametrize("maintenance", [TERMINATE_FIRST, LAUNCH_FIRST])
@pytest.mark.parametrize("process", ["Launch", "Terminate"])
def test_a_suspended_process_holds_the_replacement(
    cloud: Cloud, mixed: Make, process: str, maintenance: dict[str, int]
) -> None:
    made = mixed(InstanceMaintenancePolicy=maintenance)
    before = made.desire(1)
    made.call("suspend_processes", ScalingProcesses=[process])
    change(made, base=1)
    tick(cloud, 10)
    assert made.ids() == before
    made.call("resume_processes", ScalingProcesses=[process])
    await_on_demand(made, 1, size=1)


def test_a_protected_instance_is_passed_by(cloud: Cloud, mixed: Make) -> None:
    made = mixed(InstanceMaintenancePolicy=TERMINATE_FIRST)
    [first, second] = made.desire(2)
    made.call("set_instance_protection", InstanceIds=[first], ProtectedFromScaleIn=True)
    change(made, base=2)
    await_on_demand(made, 1, size=2)
    tick(cloud, 10)
    assert first in made.ids()
    assert second not in made.ids()


@pytest.mark.parametrize("maintenance", [TERMINATE_FIRST, LAUNCH_FIRST])
def test_a_group_that_is_scaled_to_zero_meanwhile_ends(cloud: Cloud, mixed: Make, maintenance: dict[str, int]) -> None:
    made = mixed(InstanceMaintenancePolicy=maintenance)
    made.desire(3)
    cloud.mark("hold")
    change(made, base=3)
    eventually(lambda: made.ids("Pending"))
    made.call("set_desired_capacity", DesiredCapacity=0)
    eventually(lambda: not made.show()["Instances"])


def test_a_smaller_size_meanwhile_ends_the_one_that_is_being_replaced(cloud: Cloud, mixed: Make) -> None:
    made = mixed(InstanceMaintenancePolicy=LAUNCH_FIRST)
    before = made.desire(3)
    cloud.mark("hold")
    change(made, base=1)
    eventually(lambda: made.ids("Pending"))
    made.call("set_desired_capacity", DesiredCapacity=2)
    [new] = made.ids("Pending")
    cloud.machine(new, "running")
    eventually(lambda: len(made.show()["Instances"]) == 2)
    assert new in made.ids()
    assert before[0] not in made.ids()


def test_a_maintenance_policy_is_validated_and_can_be_cleared(group: Make) -> None:
    made = group(InstanceMaintenancePolicy=LAUNCH_FIRST)
    for low, high in ((0, 101), (101, 110), (50, 99), (90, 201)):
        with pytest.raises(ClientError, match="MinHealthyPercentage must be 0 to 100"):
            wrong = {"MinHealthyPercentage": low, "MaxHealthyPercentage": high}
            made.call("update_auto_scaling_group", InstanceMaintenancePolicy=wrong)
    assert made.show()["InstanceMaintenancePolicy"] == LAUNCH_FIRST
    cleared = {"MinHealthyPercentage": -1, "MaxHealthyPercentage": -1}
    made.call("update_auto_scaling_group", InstanceMaintenancePolicy=cleared)
    assert "InstanceMaintenancePolicy" not in made.show()
