"""Architecture of the images of the CDK: a public parameter says it in its name."""

from __future__ import annotations

import pytest
from aws_cdk import App, Aws, CfnParameter, Stack
from aws_cdk import aws_ec2 as ec2

from annex_constructs import BuildPlace, ExecutionPoint, Pool
from tests.synth.test_fleet_terms import POOL, fleet_with

X86_64, ARM64 = "c6a.large", "c6g.large"
AMAZON_X86_64 = ec2.MachineImage.latest_amazon_linux2023()
AMAZON_ARM64 = ec2.MachineImage.latest_amazon_linux2023(cpu_type=ec2.AmazonLinuxCpuType.ARM_64)
UBUNTU_ARM64 = ec2.MachineImage.from_ssm_parameter(
    "/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id"
)


def boot(image: ec2.IMachineImage, instance_type: str, stack: Stack | None = None) -> None:
    stack = stack or Stack(App(), "Other")
    point = ExecutionPoint(pool=Pool(**POOL), machine_image=image, htcondor="25.0")
    vpc = ec2.Vpc(stack, "Vpc", max_azs=2)
    fleet_with(stack, vpc, execution_point=point, instance_types=[ec2.InstanceType(instance_type)])


@pytest.mark.parametrize(
    ("image", "instance_type", "architecture"),
    [(AMAZON_X86_64, ARM64, "arm64"), (AMAZON_ARM64, X86_64, "x86_64"), (UBUNTU_ARM64, X86_64, "x86_64")],
)
def test_another_architecture_than_that_of_the_types(
    image: ec2.IMachineImage, instance_type: str, architecture: str
) -> None:
    message = (
        rf"ExecutionPoint machine_image: received 'the image of /aws/service/.*allowed an image for {architecture}"
    )
    with pytest.raises(ValueError, match=message):
        boot(image, instance_type)


@pytest.mark.parametrize(
    ("image", "instance_type"),
    [
        (AMAZON_X86_64, X86_64),
        (AMAZON_ARM64, ARM64),
        (UBUNTU_ARM64, ARM64),
        # What is not known is looked at before the first launch.
        (ec2.MachineImage.from_ssm_parameter("/images/annex-arm64"), X86_64),
        (ec2.MachineImage.generic_linux({"us-east-1": "ami-0123456789abcdef0"}), ARM64),
        # A token has another text in each process.
        pytest.param(AMAZON_ARM64, Aws.REGION, id="token"),
    ],
)
def test_the_same_one_or_one_that_is_not_known(image: ec2.IMachineImage, instance_type: str) -> None:
    stack = Stack(App(), "Other", env={"region": "us-east-1"})
    # Another parameter of the stack says nothing about the image.
    CfnParameter(stack, "Unused", type="String", default="/aws/service/debian/release/13/latest/riscv64")
    boot(image, instance_type, stack)


def test_two_architectures_need_two_annexes_or_two_images() -> None:
    types = [ec2.InstanceType(each) for each in (X86_64, ARM64)]
    with pytest.raises(ValueError, match=r"BuildPlace instance_types: .*fix: make a second image for the other"):
        BuildPlace(instance_types=types)
    stack = Stack(App(), "Other")
    with pytest.raises(ValueError, match=r"AnnexFleet instance_types: .*fix: make a second annex for the other"):
        fleet_with(stack, ec2.Vpc(stack, "Vpc", max_azs=2), instance_types=types)
