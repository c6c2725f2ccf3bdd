"""Annexes as templates: a fresh app each, all in one process, because every Node takes seconds to start."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2

from annex_constructs import AnnexFleet, ExecutionPoint, Pool
from tests.synth import image_template
from tests.synth.templates import OWN_NETWORK, SPECS, Resources, feature_flags, template_of


@pytest.fixture(scope="session")
def flags() -> dict[str, Any]:
    return feature_flags()


@pytest.fixture
def app(flags: dict[str, Any]) -> App:
    return App(context=flags)


@pytest.fixture
def stack(app: App) -> Stack:
    """Stack of another app."""
    return Stack(app, "Other")


@pytest.fixture(scope="session", params=SPECS)
def resources(request: pytest.FixtureRequest, flags: dict[str, Any]) -> Resources:
    """The resources of each kind of annex; for reading."""
    return dict(template_of(flags, SPECS[request.param])["Resources"])


@pytest.fixture(scope="session")
def own_network(flags: dict[str, Any]) -> Resources:
    """The resources of an annex in a network of its own; for reading."""
    return dict(template_of(flags, OWN_NETWORK)["Resources"])


@pytest.fixture
def point() -> ExecutionPoint:
    image = ec2.MachineImage.generic_linux({"us-east-1": "ami-0123456789abcdef0"})
    return ExecutionPoint(pool=Pool(collector="cm.example.edu", trust_domain="example.edu"), machine_image=image)


@pytest.fixture
def vpc(stack: Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(
        stack,
        "Vpc",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["us-east-1a"],
        private_subnet_ids=["subnet-0123456789abcdef0"],
        private_subnet_route_table_ids=["rtb-0123456789abcdef0"],
    )


@pytest.fixture
def fleet(stack: Stack, vpc: ec2.IVpc, point: ExecutionPoint) -> AnnexFleet:
    types = [ec2.InstanceType("c6a.large")]
    return AnnexFleet(stack, "Muon", vpc=vpc, instance_types=types, max_size=20, execution_point=point)


@pytest.fixture(scope="session")
def smallest(flags: dict[str, Any]) -> Resources:
    """The resources of the smallest image; for reading."""
    return dict(image_template.image_template(flags, image_template.SMALLEST)["Resources"])


@pytest.fixture(scope="session")
def everything(flags: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """The resources of an image with every key; for reading."""
    directory = image_template.with_scripts(tmp_path_factory.mktemp("spec"))
    return dict(image_template.image_template(flags, image_template.EVERYTHING, directory)["Resources"])
