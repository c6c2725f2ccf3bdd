"""Scenarios of the lease on the lab's cloud: the same histories and ends as on the model of AWS.

The model alone decides a scenario that the lab cannot play; `LabWorld.lacks` has the reason.
"""

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.world.cloudformation import answering
from tests.world.scenarios import SCENARIOS, Scenario
from tests.world.stage import Can, Stage

from .driving import Cloud
from .lab_world import ACCOUNT, LabWorld

ON_THE_LAB = [one for one in SCENARIOS if not one.needs & set(LabWorld.lacks)]


@pytest.fixture(scope="module")
def subnets(cloud: Cloud) -> list[str]:
    ec2 = cloud.client("ec2", ACCOUNT)
    vpc = ec2.create_vpc(CidrBlock="10.90.0.0/16")["Vpc"]["VpcId"]
    made = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.90.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")
        for number, zone in enumerate("abab")
    ]
    return [one["Subnet"]["SubnetId"] for one in made]


@pytest.fixture
def lab(cloud: Cloud, subnets: list[str]) -> Iterator[LabWorld]:
    world = LabWorld(cloud, subnets)
    with answering():
        yield world
    world.close()


@pytest.mark.parametrize("scenario", ON_THE_LAB, ids=lambda one: one.name)
def test_on_the_lab_s_cloud(scenario: Scenario, lab: LabWorld) -> None:
    stage = Stage(lab)
    scenario.act(stage)
    lab.settle()
    scenario.check(stage)


def test_what_the_lab_cannot_play_has_a_reason() -> None:
    left_out = [one for one in SCENARIOS if one not in ON_THE_LAB]
    assert all(one.needs & set(LabWorld.lacks) for one in left_out)
    counted = Counter(need for one in left_out for need in one.needs & set(LabWorld.lacks))
    assert counted == {Can.ANY_STATE: 2}
