"""`annex credential push` looks at the image first: what cannot become an execution point is not started."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from annex_pool.image import LaunchFindings, look_at_launch
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


ZONES = ["us-east-1a", "us-east-1b"]
TYPES = ("c6a.large", "c6i.large")
NOW = datetime(2030, 1, 1, tzinfo=UTC)


class Described:
    """Answers of AWS about one group, as its API documents them; a text is the code of a refusal."""

    def __init__(
        self, image: dict[str, Any] | str | None, offered: Sequence[str] | str = TYPES, said: str = "", **data: Any
    ) -> None:
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        self.aws = RegionClients("us-east-1")
        self.aws.autoscaling, self.aws.ec2 = session.client("autoscaling"), session.client("ec2")
        overrides = [{"InstanceType": each} for each in TYPES]
        template = {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1", "Version": "3"}, "Overrides": overrides}
        group: dict[str, Any] = {
            **{"AutoScalingGroupName": "G", "MinSize": 0, "MaxSize": 1, "DesiredCapacity": 0, "DefaultCooldown": 1},
            **{"AvailabilityZones": ZONES, "HealthCheckType": "EC2", "CreatedTime": "2030-01-01T00:00:00Z"},
            "MixedInstancesPolicy": {"LaunchTemplate": template},
        }
        self.scaling, self.ec2 = Stubber(self.aws.autoscaling), Stubber(self.aws.ec2)
        self.scaling.add_response(
            "describe_auto_scaling_groups", {"AutoScalingGroups": [group]}, {"AutoScalingGroupNames": ["G"]}
        )
        self.ec2.add_response(
            "describe_launch_template_versions",
            {"LaunchTemplateVersions": [{"LaunchTemplateData": {"ImageId": "ami-1", **data}}]},
            {"LaunchTemplateId": "lt-1", "Versions": ["3"]},
        )
        if isinstance(image, str):
            self.ec2.add_client_error("describe_images", image, said)
        elif "ImageId" not in data:
            images = [] if image is None else [{"ImageId": "ami-1", "State": "available", **image}]
            self.ec2.add_response("describe_images", {"Images": images}, {"ImageIds": ["ami-1"]})
        self._answer_types(offered)
        self.scaling.activate()
        self.ec2.activate()

    def _answer_types(self, offered: Sequence[str] | str) -> None:
        if isinstance(offered, str):
            self.ec2.add_client_error("describe_instance_type_offerings", offered)
            return
        filters = [{"Name": "instance-type", "Values": list(TYPES)}, {"Name": "location", "Values": ZONES}]
        # Each in one zone alone: that is enough for an instance.
        found = [{"InstanceType": each, "Location": ZONES[0]} for each in offered]
        self.ec2.add_response(
            "describe_instance_type_offerings",
            {"InstanceTypeOfferings": found},
            {"LocationType": "availability-zone", "Filters": filters},
        )

    def look(self) -> LaunchFindings:
        found = look_at_launch(self.aws, "G", NOW)
        self.scaling.assert_no_pending_responses()
        self.ec2.assert_no_pending_responses()
        return found


BIG = {"RootDeviceName": "/dev/xvda", "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30}}]}
UNSEEN = "image ami-1 does not exist in us-east-1, is not shared with this account, or its settings of Allowed AMIs"

DATA = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 500}}
BESIDE = {"RootDeviceName": "/dev/xvda", "BlockDeviceMappings": [DATA, *ROOT]}


@pytest.mark.parametrize(
    ("image", "data", "said"),
    [
        ({}, {}, []),
        ({"Architecture": "x86_64", "RootDeviceName": "/dev/xvda"}, {"BlockDeviceMappings": ROOT}, []),
        ({"Platform": "windows"}, {}, ["image ami-1 is of Windows: an execution point needs a Linux image"]),
        ({"State": "deregistered"}, {}, ["image ami-1 is deregistered, and EC2 starts an instance only from an image"]),
        ({"State": "disabled"}, {}, ["image ami-1 is disabled, and EC2 starts an instance only from an image"]),
        ({"Architecture": "arm64"}, {}, ["image ami-1 is for arm64, and the instance types are of x86_64"]),
        (BIG, {"BlockDeviceMappings": ROOT}, ["image ami-1 needs a root volume of 30 GiB, and volume_gib is 20"]),
        (BESIDE, {"BlockDeviceMappings": ROOT}, []),  # a disk beside the root has a size of its own
        (BIG, {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30}}]}, []),
        ("InvalidAMIID.NotFound", {}, [UNSEEN]),
        ("InvalidAMIID.Unavailable", {}, [UNSEEN]),
        (None, {}, [UNSEEN]),
        ({"Platform": "Windows", "State": "pending"}, {}, ["is of Windows", "is pending"]),
    ],
)
def test_the_image_of_a_launch_template(
    image: dict[str, Any] | str | None, data: dict[str, Any], said: list[str]
) -> None:
    found = Described(image, **data).look()
    assert len(found.defects) == len(said), found
    assert all(part in defect for part, defect in zip(said, found.defects, strict=True))
    assert found.notes == []


def test_an_image_that_is_not_shared() -> None:
    found = Described("AuthFailure", said="Not authorized for images: [ami-1]").look()
    assert [each.startswith(UNSEEN) for each in found.defects] == [True]


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "AccessDenied", "AuthFailure", "InternalError"])
def test_what_aws_does_not_let_be_asked_is_noted_and_is_no_defect(code: str) -> None:
    found = Described(code, said="no").look()
    assert found.defects == []
    (note,) = found.notes
    assert note == f"not checked before the first launch: AWS was asked for image ami-1 and refused: {code}: no"
    found = Described({"Platform": "windows"}, code).look()
    assert len(found.defects) == 1, "the image is judged all the same"
    (note,) = found.notes
    assert note.startswith(
        "not checked before the first launch: AWS was asked which types the zones us-east-1a, us-eas"
    )


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (
            {"DeprecationTime": "2029-12-31T23:59:00.000Z"},
            "is deprecated since 2029-12-31T23:59:00.000Z: instances still",
        ),
        ({"DeprecationTime": "2030-01-01T00:01:00.000Z"}, ""),
        ({"ImageAllowed": False}, "does not meet the account's criteria of Allowed AMIs"),
        ({"ImageAllowed": True}, ""),
    ],
)
def test_an_image_that_works_for_now_is_noted(image: dict[str, Any], said: str) -> None:
    found = Described(image).look()
    assert found.defects == []
    assert [said in each for each in found.notes] == [True] * bool(said)


def test_an_image_that_is_no_id_cannot_be_checked() -> None:
    found = Described({}, ImageId="resolve:ssm:/images/condor").look()
    assert found.defects == []
    assert found.notes == [
        "the image was not checked: the launch template names resolve:ssm:/images/condor, which is no id"
    ]


@pytest.mark.parametrize(
    ("offered", "defects", "notes"),
    [
        (TYPES, [], []),
        (
            TYPES[:1],
            [],
            ["no zone of the annex (us-east-1a, us-east-1b) offers c6i.large: instances start as the other types only"],
        ),
        ((), ["no zone of the annex (us-east-1a, us-east-1b) offers c6a.large, c6i.large, its only types"], []),
    ],
)
def test_types_that_the_zones_do_not_offer(offered: tuple[str, ...], defects: list[str], notes: list[str]) -> None:
    found = Described({}, offered).look()
    assert (found.defects, found.notes) == (defects, notes)


def test_a_group_that_is_not_listed_has_no_defect(world: World) -> None:
    assert look_at_launch(aws(), "none", NOW) == LaunchFindings()


def test_a_launch_template_that_cannot_be_asked_for_is_noted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    deploy("demo")
    real = BaseClient._make_api_call  # type: ignore[attr-defined]

    def call(client: object, operation: str, params: object) -> Any:
        if operation == "DescribeLaunchTemplateVersions":
            raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, operation)
        return real(client, operation, params)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    done = world.annex("credential", "push", "demo", "--token-command", world.issuer())
    assert done.exit_code == 0, "a token is stored all the same"
    assert done.err == (
        "note: not checked before the first launch: AWS was asked for the launch template of group Group-demo and "
        "refused: UnauthorizedOperation: no\n"
    )
