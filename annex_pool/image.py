"""Image and types of an annex's instances: reasons why none of them could become an execution point, before any starts.

AWS accepts a launch template and a group with most of these. Its refusal would be that of each launch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from annex_lease.instance_types import architectures
from annex_pool.command_error import AnnexError
from annex_pool.region import RegionClients, asking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef
    from mypy_boto3_ec2.type_defs import ImageTypeDef

_NOT_FOUND = "InvalidAMIID"  # .NotFound, .Unavailable, .Malformed (EC2 API Reference, "Error codes")
_NOT_SHARED = "Not authorized for image"  # of AuthFailure, whose other messages are about credentials
_WINDOWS = "windows"  # the only value of `Platform`; for Linux there is none (EC2 API Reference, Image)
_ID = "ami-"  # a launch template can name a parameter of Systems Manager instead


@dataclass
class LaunchFindings:
    """Findings about what an annex would launch.

    Attributes:
        defects: reasons why no instance could work.
        notes: what an operator should know, and what could not be asked of AWS.
    """

    defects: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def asking(self, what: str) -> Iterator[None]:
        """Note a refusal, or a failure, of AWS: without permission to ask there is no check and no defect."""
        try:
            with asking(what):
                yield
        except AnnexError as error:
            self.notes.append(f"not checked before the first launch: {error}")


def look_at_launch(aws: RegionClients, group: str, now: datetime) -> LaunchFindings:
    """Look at the image and the types of an annex's launch template, as far as AWS lets this operator ask.

    The spec names them by their names alone, and only EC2 knows what they are.

    Args:
        aws: the clients of the annex's Region.
        group: name of its Auto Scaling group.
        now: current time, aware.
    """
    found = LaunchFindings()
    with found.asking(f"for the launch template of group {group}"):
        described = aws.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
        template, types = launched(described)
        if not template:
            return found
        versions = aws.ec2.describe_launch_template_versions(
            LaunchTemplateId=str(template["LaunchTemplateId"]), Versions=[str(template.get("Version", "$Default"))]
        )["LaunchTemplateVersions"]
        for data in (each["LaunchTemplateData"] for each in versions):
            started = types or [str(each) for each in [data.get("InstanceType")] if each]
            _look_at_image(found, aws, data, started, now)
            _look_at_types(found, aws, started, [zone for each in described for zone in each["AvailabilityZones"]])
    return found


def launched(groups: Iterable[AutoScalingGroupTypeDef]) -> tuple[Mapping[str, Any], list[str]]:
    """Launch template, as a request names one, and instance types of the one group; empty if it has none."""
    for group in groups:
        policy: Mapping[str, Any] = group.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
        types = [str(each["InstanceType"]) for each in policy.get("Overrides", []) if "InstanceType" in each]
        return policy.get("LaunchTemplateSpecification", group.get("LaunchTemplate", {})), types
    return {}, []


def _look_at_image(
    found: LaunchFindings, aws: RegionClients, data: Mapping[str, Any], types: list[str], now: datetime
) -> None:
    name = str(data.get("ImageId", ""))
    if not name.startswith(_ID):
        found.notes.append(f"the image was not checked: the launch template names {name or 'none'}, which is no id")
        return
    unseen = (
        f"image {name} does not exist in {aws.region}, is not shared with this account, or its settings of Allowed "
        "AMIs exclude it"
    )
    with found.asking(f"for image {name}"):
        try:
            images = aws.ec2.describe_images(ImageIds=[name])["Images"]
        except ClientError as error:
            refusal = error.response.get("Error", {})
            if not refusal.get("Code", "").startswith(_NOT_FOUND) and _NOT_SHARED not in refusal.get("Message", ""):
                raise
            images = []
        # A deregistered image is listed for a while, and then not at all (EC2 API Reference, DescribeImages).
        found.defects.extend(() if images else (unseen,))
        for image in images:
            found.defects.extend(_defects(image, data, types))
            found.notes.extend(_notes(image, now))


def _look_at_types(found: LaunchFindings, aws: RegionClients, types: list[str], zones: list[str]) -> None:
    """A type that no zone of the subnets offers starts nowhere; one of several is left out by EC2 Auto Scaling."""
    if not types or not zones:
        return
    with found.asking(f"which types the zones {', '.join(sorted(zones))} offer"):
        pages = aws.ec2.get_paginator("describe_instance_type_offerings").paginate(
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": types}, {"Name": "location", "Values": zones}],
        )
        offered = {each.get("InstanceType", "") for page in pages for each in page["InstanceTypeOfferings"]}
        missing = [each for each in types if each not in offered]
        if not missing:
            return
        text = f"no zone of the annex ({', '.join(sorted(zones))}) offers {', '.join(missing)}"
        if offered:
            found.notes.append(f"{text}: instances start as the other types only")
        else:
            found.defects.append(f"{text}, its only {'type' if len(types) == 1 else 'types'}")


def _notes(image: ImageTypeDef, now: datetime) -> Iterable[str]:
    name = f"image {image.get('ImageId', '')}"
    deprecated = image.get("DeprecationTime", "")
    # "You can continue to launch instances" from it (EC2 User Guide, "Deprecate an AMI").
    if deprecated and datetime.fromisoformat(deprecated) <= now:
        yield f"{name} is deprecated since {deprecated}: instances still start, until its owner removes it"
    if image.get("ImageAllowed") is False:
        yield f"{name} does not meet the account's criteria of Allowed AMIs: nothing starts once their audit mode ends"


def _defects(image: ImageTypeDef, data: Mapping[str, Any], types: Iterable[str]) -> Iterable[str]:
    name = f"image {image.get('ImageId', '')}"
    if str(image.get("Platform", "")).lower() == _WINDOWS:
        yield f"{name} is of Windows: an execution point needs a Linux image"
    state = image.get("State", "available")
    if state != "available":
        yield f"{name} is {state}, and EC2 starts an instance only from an image that is available"
    wanted, has = architectures(types), str(image.get("Architecture", ""))
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
