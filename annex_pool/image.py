"""Image of an annex's instances: reasons why none of them could become an execution point, before any is started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.instance_types import architectures
from annex_pool.region import RegionClients

if TYPE_CHECKING:
    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from mypy_boto3_ec2.type_defs import ImageTypeDef

_NOT_FOUND = "InvalidAMIID"  # .NotFound, .Unavailable, .Malformed (EC2 API Reference, "Error codes")
_WINDOWS = "windows"  # the only value of `Platform`; for Linux there is none (EC2 API Reference, Image)


def image_defects(aws: RegionClients, group: str) -> tuple[str, ...]:
    """List why an annex cannot work with the image of its launch template; empty if it can, or if that is not known.

    The spec names an image by its id alone, and only EC2 knows what it is. An operator without permission to look, and
    an image that AWS does not describe, are no defects.

    Args:
        aws: the clients of the annex's Region.
        group: name of its Auto Scaling group.
    """
    try:
        described = aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
        template, types = launched(described)
        if not template:
            return ()
        data = aws.ec2.describe_launch_template_versions(
            LaunchTemplateId=str(template["LaunchTemplateId"]), Versions=[str(template.get("Version", "$Default"))]
        )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        wanted: Mapping[str, Any] = data
        images = aws.ec2.describe_images(ImageIds=[str(wanted.get("ImageId", ""))])["Images"]
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        missing = f"the image of its launch template does not exist in {aws.region}, or this account may not use it"
        return (missing,) if code.startswith(_NOT_FOUND) else ()
    except (BotoCoreError, LookupError):
        return ()
    return tuple(
        defect for image in images for defect in _defects(image, wanted, types or [str(wanted.get("InstanceType", ""))])
    )


def launched(groups: Iterable[AutoScalingGroupTypeDef]) -> tuple[Mapping[str, Any], list[str]]:
    """Launch template, as a request names one, and instance types of the one group; empty if it has none."""
    for group in groups:
        policy: Mapping[str, Any] = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
        types = [str(each["InstanceType"]) for each in policy.get("Overrides", []) if "InstanceType" in each]
        return policy.get("LaunchTemplateSpecification", group.get("LaunchTemplate", {})), types
    return {}, []


def _defects(image: ImageTypeDef, data: Mapping[str, Any], types: Iterable[str]) -> Iterable[str]:
    name = f"image {image.get('ImageId', '')}"
    if str(image.get("Platform", "")).lower() == _WINDOWS:
        yield f"{name} is of Windows: an execution point needs a Linux image with HTCondor"
    state = image.get("State", "available")
    if state != "available":
        yield f"{name} is {state}, and EC2 starts an instance only from an image that is available"
    wanted, has = architectures(each for each in types if each), str(image.get("Architecture", ""))
    if has and wanted and has not in wanted:
        yield f"{name} is for {has}, and the instance types are of {' and '.join(wanted)}"
    yield from _volume_defects(name, image, data)


def _volume_defects(name: str, image: ImageTypeDef, data: Mapping[str, Any]) -> Iterable[str]:
    root = image.get("RootDeviceName", "")
    devices = [each for each in data.get("BlockDeviceMappings", []) if "Ebs" in each]
    if not root or not devices:
        return
    declared = [str(each["DeviceName"]) for each in devices]
    if root not in declared:
        yield f"{name} has its root volume at {root}, and root_device is {', '.join(declared)}"
        return
    needed = [each["Ebs"].get("VolumeSize", 0) for each in image.get("BlockDeviceMappings", []) if "Ebs" in each
              and each.get("DeviceName") == root]  # fmt: skip
    given = next(int(each["Ebs"].get("VolumeSize", 0)) for each in devices if each["DeviceName"] == root)
    if needed and given and given < needed[0]:
        yield f"{name} needs a root volume of {needed[0]} GiB, and volume_gib is {given}"
