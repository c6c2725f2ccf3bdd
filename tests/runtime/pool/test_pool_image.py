"""`annex credential push` looks at the image first: what cannot become an execution point is not started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from annex_pool.image import image_defects
from annex_pool.region import RegionClients
from tests.runtime.pool.pool_world import World, aws, deploy

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import LaunchTemplateBlockDeviceMappingRequestTypeDef

ROOT = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 20}}]


def use(name: str, root: str, device: str) -> None:
    """Let the newest version of the annex's launch template name an image with this root volume, and this device."""
    ec2 = aws().ec2
    made = ec2.register_image(Name=f"changed-{name}", RootDeviceName=root)
    volume: LaunchTemplateBlockDeviceMappingRequestTypeDef = {"DeviceName": device, "Ebs": {"VolumeSize": 20}}
    ec2.create_launch_template_version(
        LaunchTemplateName=f"template-{name}",
        LaunchTemplateData={"ImageId": made["ImageId"], "BlockDeviceMappings": [volume]},
    )


def test_an_image_that_cannot_work_gets_no_token(world: World) -> None:
    deploy("demo")
    use("demo", "/dev/sda1", "/dev/xvda")
    done = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert done.exit_code == 1
    assert "nothing was stored, so that nothing starts: image ami-" in done.err
    assert "has its root volume at /dev/sda1, and root_device is /dev/xvda" in done.err
    assert "Correct the spec, run `cdk deploy Annex-demo`, then push" in done.err
    assert "VersionIdsToStages" not in aws().secretsmanager.describe_secret(SecretId="secret-demo")
    assert world.group("demo")["Instances"] == []


def test_an_image_that_can_work(world: World) -> None:
    deploy("demo")
    use("demo", "/dev/sda1", "/dev/sda1")
    done = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert (done.exit_code, done.err) == (0, "")


class Described:
    """Answers of AWS about one group, as its API documents them."""

    def __init__(self, image: dict[str, Any] | str, **data: Any) -> None:
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        self.aws = RegionClients("us-east-1")
        self.aws.autoscaling, self.aws.ec2 = session.client("autoscaling"), session.client("ec2")
        overrides = [{"InstanceType": "c6a.large"}, {"InstanceType": "c6i.large"}]
        template = {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "3"}, "Overrides": overrides}
        group: dict[str, Any] = {
            **{"AutoScalingGroupName": "G", "MinSize": 0, "MaxSize": 1, "DesiredCapacity": 0, "DefaultCooldown": 1},
            **{"AvailabilityZones": ["us-east-1a"], "HealthCheckType": "EC2", "CreatedTime": "2030-01-01T00:00:00Z"},
            "MixedInstancesPolicy": {"LaunchTemplate": template},
        }
        scaling, ec2 = Stubber(self.aws.autoscaling), Stubber(self.aws.ec2)
        scaling.add_response(
            "describe_auto_scaling_groups", {"AutoScalingGroups": [group]}, {"AutoScalingGroupNames": ["G"]}
        )
        ec2.add_response(
            "describe_launch_template_versions",
            {"LaunchTemplateVersions": [{"LaunchTemplateData": {"ImageId": "ami-1", **data}}]},
            {"LaunchTemplateId": "lt-1", "Versions": ["3"]},
        )
        if isinstance(image, str):
            ec2.add_client_error("describe_images", image)
        else:
            images = [{"ImageId": "ami-1", "State": "available", **image}]
            ec2.add_response("describe_images", {"Images": images}, {"ImageIds": ["ami-1"]})
        scaling.activate()
        ec2.activate()


BIG = {"RootDeviceName": "/dev/xvda", "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30}}]}

DATA = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 500}}
BESIDE = {"RootDeviceName": "/dev/xvda", "BlockDeviceMappings": [DATA, *ROOT]}


@pytest.mark.parametrize(
    ("image", "data", "said"),
    [
        ({}, {}, []),
        ({"Architecture": "x86_64", "RootDeviceName": "/dev/xvda"}, {"BlockDeviceMappings": ROOT}, []),
        ({"Platform": "windows"}, {}, ["image ami-1 is of Windows: an execution point needs a Linux image"]),
        ({"State": "deregistered"}, {}, ["image ami-1 is deregistered, and EC2 starts an instance only from an image"]),
        ({"Architecture": "arm64"}, {}, ["image ami-1 is for arm64, and the instance types are of x86_64"]),
        (BIG, {"BlockDeviceMappings": ROOT}, ["image ami-1 needs a root volume of 30 GiB, and volume_gib is 20"]),
        (BESIDE, {"BlockDeviceMappings": ROOT}, []),  # a disk beside the root has a size of its own
        ("InvalidAMIID.NotFound", {}, ["the image of its launch template does not exist in us-east-1"]),
        ("InvalidAMIID.Unavailable", {}, ["the image of its launch template does not exist in us-east-1"]),
        ("UnauthorizedOperation", {}, []),
        ({"Platform": "Windows", "State": "pending"}, {}, ["is of Windows", "is pending"]),
    ],
)  # fmt: skip
def test_the_image_of_a_launch_template(image: dict[str, Any] | str, data: dict[str, Any], said: list[str]) -> None:
    found = image_defects(Described(image, **data).aws, "G")
    assert len(found) == len(said), found
    assert all(part in defect for part, defect in zip(said, found, strict=True))


def test_a_group_that_is_not_listed_has_no_defect(world: World) -> None:
    assert image_defects(aws(), "none") == ()
