"""Launch templates, resolved to the settings of an instance.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RequestLaunchTemplateData.html
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lab.cloud.emulator import ec2, ssm
from lab.cloud.query import ApiError, flag


@dataclass(frozen=True)
class MetadataOptions:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsResponse.html."""

    enabled: bool = True
    tags: bool = False
    hop_limit: int = 2


@dataclass(frozen=True)
class LaunchSpec:
    """Settings of one launch, by a group or by RunInstances."""

    image_id: str
    instance_type: str
    subnet_id: str = ""
    user_data: bytes = b""
    key_name: str = ""
    security_groups: tuple[str, ...] = ()
    profile: Mapping[str, str] = field(default_factory=dict)
    shutdown_behavior: str = "stop"  # EC2's default for an instance that shuts itself down
    metadata: MetadataOptions = MetadataOptions()
    volumes: tuple[Mapping[str, Any], ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    volume_tags: Mapping[str, str] = field(default_factory=dict)
    interface_tags: Mapping[str, str] = field(default_factory=dict)
    interface_deleted: bool = True
    api_termination_disabled: bool = False
    spot: bool = False

    def with_tags(self, tags: Mapping[str, str]) -> "LaunchSpec":
        """The same launch with more tags on the instance."""
        return replace(self, tags={**self.tags, **tags})


@dataclass(frozen=True)
class Template:
    """A resolved launch template version."""

    template_id: str
    name: str
    version: int
    data: Mapping[str, Any]


def resolve(specification: Mapping[str, Any]) -> Template:
    """Find the version of a LaunchTemplateSpecification (by id or name; without a version, ``$Default``).

    Raises:
        ApiError: the template or the version does not exist.
    """
    wanted_id = specification.get("LaunchTemplateId") or ""
    wanted_name = specification.get("LaunchTemplateName") or ""
    records = ec2._launch_templates
    record = (
        records.get(wanted_id)
        if wanted_id
        else next((one for one in records.values() if one["LaunchTemplateName"] == wanted_name), None)
    )
    if record is None:
        raise ApiError(
            "InvalidLaunchTemplateId.NotFound",
            f"The specified launch template, with template ID {wanted_id or wanted_name}, does not exist.",
        )
    text = str(specification.get("Version") or "$Default")
    symbolic = {"$Default": record["DefaultVersionNumber"], "$Latest": record["LatestVersionNumber"]}
    for version in record["Versions"]:
        if str(version["VersionNumber"]) == str(symbolic.get(text, text)):
            return Template(
                record["LaunchTemplateId"],
                record["LaunchTemplateName"],
                int(version["VersionNumber"]),
                version["LaunchTemplateData"] or {},
            )
    raise ApiError(
        "InvalidLaunchTemplateId.VersionNotFound", f"Could not find launch template version {text} of {wanted_id}"
    )


def launch_spec(data: Mapping[str, Any]) -> LaunchSpec:
    """A template version's data as a launch.

    Raises:
        ApiError: the template names no image, or its user data is not base64.
    """
    interface: Mapping[str, Any] = next(iter(data.get("NetworkInterfaces") or []), {})
    options = data.get("MetadataOptions") or {}
    return LaunchSpec(
        image_id=_image(str(data.get("ImageId") or "")),
        instance_type=str(data.get("InstanceType") or ""),
        subnet_id=str(interface.get("SubnetId") or ""),
        user_data=decode_user_data(str(data.get("UserData") or "")),
        key_name=str(data.get("KeyName") or ""),
        security_groups=tuple(data.get("SecurityGroupIds") or interface.get("Groups") or ()),
        profile={key: str(value) for key, value in (data.get("IamInstanceProfile") or {}).items()},
        shutdown_behavior=str(data.get("InstanceInitiatedShutdownBehavior") or "stop"),
        metadata=MetadataOptions(
            enabled=str(options.get("HttpEndpoint") or "enabled") == "enabled",
            tags=str(options.get("InstanceMetadataTags") or "disabled") == "enabled",
            hop_limit=int(options.get("HttpPutResponseHopLimit") or 2),
        ),
        volumes=tuple(data.get("BlockDeviceMappings") or ()),
        tags=_tags(data, "instance"),
        volume_tags=_tags(data, "volume"),
        interface_tags=_tags(data, "network-interface"),
        interface_deleted=flag(interface.get("DeleteOnTermination"), True),
        api_termination_disabled=flag(data.get("DisableApiTermination")),
        spot=(data.get("InstanceMarketOptions") or {}).get("MarketType") == "spot",
    )


def decode_user_data(text: str) -> bytes:
    """User data as the instance sees it. Raises ``ApiError`` for text that is not base64."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ApiError("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.") from None


def _image(image_id: str) -> str:
    # "resolve:ssm:" parameters are read at launch:
    # https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-launch-template.html#use-an-ssm-parameter-instead-of-an-ami-id
    if not image_id.startswith("resolve:ssm:"):
        return image_id
    name = image_id.removeprefix("resolve:ssm:").split(":")[0]
    parameter = ssm._parameters.get(name)
    if parameter is None:
        raise ApiError("InvalidParameterValue", f"The parameter {name} named by {image_id} does not exist")
    return str(parameter["Value"])


def _tags(data: Mapping[str, Any], kind: str) -> dict[str, str]:
    return {
        str(tag["Key"]): str(tag.get("Value", ""))
        for part in data.get("TagSpecifications") or []
        if part.get("ResourceType") == kind
        for tag in part.get("Tags") or []
    }
