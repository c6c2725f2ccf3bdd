import base64
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from lab.cloud import alarms, emulator, shared_state, world
from lab.cloud.emulator import cloudwatch, cloudwatch_logs, sqs, sts

from .driving import Cloud, await_ready, eventually, start
from .rivals import ACCOUNT, REGION
from .stacks import Stack

IMAGE = "ami-0123456789abcdef0"


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    running = start(tmp_path_factory.mktemp("cloud"))
    try:
        await_ready(running)
        yield running
    finally:
        running.stop()
    assert (running.state / "closed").exists(), "the cloud must close its machine host"
    assert "Traceback" not in (running.state / "log").read_text()


@pytest.fixture(autouse=True)
def machines_behave(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "cloud" in request.fixturenames:
        running: Cloud = request.getfixturevalue("cloud")
        running.mark("hold", False)
        running.mark("deaf", False)


@dataclass(frozen=True)
class Network:
    vpc: str
    subnets: list[str]


_octets = itertools.count(100)


@pytest.fixture(scope="session")
def network(cloud: Cloud) -> Network:
    ec2 = cloud.client("ec2")
    octet = next(_octets)
    vpc = ec2.create_vpc(CidrBlock=f"10.{octet}.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{octet}.{n}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for n, zone in enumerate("ab")
    ]
    return Network(vpc, subnets)


_names = itertools.count(1)


@pytest.fixture
def template(cloud: Cloud) -> Callable[..., str]:
    def make(**data: Any) -> str:
        content = {
            "ImageId": IMAGE,
            "InstanceType": "c6a.large",
            "UserData": base64.b64encode(b"#!/bin/sh\n").decode(),
            "InstanceInitiatedShutdownBehavior": "terminate",
            "MetadataOptions": {"HttpTokens": "required", "InstanceMetadataTags": "enabled"},
            **data,
        }
        made = cloud.client("ec2").create_launch_template(
            LaunchTemplateName=f"template-{next(_names)}", LaunchTemplateData=content
        )
        return str(made["LaunchTemplate"]["LaunchTemplateId"])

    return make


@dataclass
class Group:
    cloud: Cloud
    name: str

    def show(self) -> dict[str, Any]:
        found = self.cloud.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])
        shown: dict[str, Any] = found["AutoScalingGroups"][0]
        return shown

    def ids(self, lifecycle: str = "InService") -> list[str]:
        return [one["InstanceId"] for one in self.show()["Instances"] if one["LifecycleState"] == lifecycle]

    def await_ids(self, count: int, lifecycle: str = "InService") -> list[str]:
        eventually(lambda: len(self.ids(lifecycle)) == count, f"{count} members {lifecycle} in {self.show()}")
        return self.ids(lifecycle)

    def call(self, action: str, **arguments: Any) -> dict[str, Any]:
        called: dict[str, Any] = getattr(self.cloud.client("autoscaling"), action)(
            AutoScalingGroupName=self.name, **arguments
        )
        return called

    def desire(self, count: int) -> list[str]:
        self.call("set_desired_capacity", DesiredCapacity=count)
        return self.await_ids(count)


@pytest.fixture
def group(cloud: Cloud, network: Network, template: Callable[..., str]) -> Iterator[Callable[..., Group]]:
    made: list[str] = []

    def make(**arguments: Any) -> Group:
        name = f"group-{next(_names)}"
        settings = {"MinSize": 0, "MaxSize": 4, "VPCZoneIdentifier": ",".join(network.subnets), **arguments}
        if "LaunchTemplate" not in settings and "MixedInstancesPolicy" not in settings:
            settings["LaunchTemplate"] = {"LaunchTemplateId": template(), "Version": "$Latest"}
        cloud.client("autoscaling").create_auto_scaling_group(AutoScalingGroupName=name, **settings)
        made.append(name)
        return Group(cloud, name)

    yield make
    autoscaling = cloud.client("autoscaling")
    left = {one["AutoScalingGroupName"] for one in autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]}
    for name in left & set(made):
        autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)


@pytest.fixture
def stack(cloud: Cloud) -> Iterator[Stack]:
    made = Stack(cloud)
    yield made
    made.client.delete_stack(StackName=made.name)


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """MiniStack as the lab's cloud has it, with stores that are empty."""
    for module, names in shared_state.GUARDED.items():
        for name in names:
            monkeypatch.setattr(getattr(emulator, module), name, getattr(getattr(emulator, module), name))
    monkeypatch.setattr(sqs, "_HANDLERS", dict(sqs._HANDLERS))
    monkeypatch.setattr(cloudwatch, "_evaluate_alarm", cloudwatch._evaluate_alarm)
    monkeypatch.setattr(cloudwatch, "_evaluate_all_alarms", cloudwatch._evaluate_all_alarms)
    monkeypatch.setattr(sts, "_sessions", {})
    shared_state.install()
    alarms.install()
    for module in (cloudwatch, sqs, cloudwatch_logs):
        module.reset()
    with world.scope(ACCOUNT, REGION):
        yield
    for module in (cloudwatch, sqs, cloudwatch_logs):
        module.reset()
