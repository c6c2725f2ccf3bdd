"""Everything in AWS that belongs to a built image: machine images, snapshots, the parameter, and what builds them.

CloudFormation removes what it made. The machine images and their snapshots, the parameter, Image Builder's records of
the images and what a failed removal left are found here, by the image's tag or by their exact names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from annex_lease.built_forms import builder_name, image_log_group, image_parameter, image_stack_name
from annex_lease.components import COMPONENTS
from annex_lease.observed import DEAD_INSTANCE_STATES
from annex_lease.tags import TAG_IMAGE, TAG_NAME
from annex_pool.leftovers.listing import listed_instances, pages, unless_gone
from annex_pool.region import RegionClients

_MADE_BY = "Ec2ImageBuilderArn"  # tag that Image Builder puts on what it makes: the ARN of its record of the image
_OWN: Mapping[str, str] = {"owner": "Self"}
# In the order in which they can be removed (EC2 Image Builder User Guide, "Delete outdated or unused resources").
# Kind, operation, key of the list, request, option of `aws imagebuilder`.
_RESOURCES: tuple[tuple[str, str, str, Mapping[str, str], str], ...] = (
    ("pipeline", "list_image_pipelines", "imagePipelineList", {}, "delete-image-pipeline --image-pipeline-arn"),
    ("recipe", "list_image_recipes", "imageRecipeSummaryList", _OWN, "delete-image-recipe --image-recipe-arn"),
    (
        "infrastructure configuration",
        "list_infrastructure_configurations",
        "infrastructureConfigurationSummaryList",
        {},
        "delete-infrastructure-configuration --infrastructure-configuration-arn",
    ),
    (
        "distribution configuration",
        "list_distribution_configurations",
        "distributionConfigurationSummaryList",
        {},
        "delete-distribution-configuration --distribution-configuration-arn",
    ),
    (
        "lifecycle policy",
        "list_lifecycle_policies",
        "lifecyclePolicySummaryList",
        {},
        "delete-lifecycle-policy --lifecycle-policy-arn",
    ),
)


@dataclass(frozen=True)
class ImageRemain:
    """A resource of a built image.

    Attributes:
        kind: kind of resource, such as "snapshot".
        id: its id, name or ARN.
        remove: shell command that removes it.
        state: its state as the service reports it; empty if it has none.
        used_by: what boots it: ids of instances and of launch templates of annexes; for machine images only.
    """

    kind: str
    id: str
    remove: str
    state: str = ""
    used_by: tuple[str, ...] = ()


def _stacks(aws: RegionClients, image: str) -> Iterator[ImageRemain]:
    name, client = image_stack_name(image), aws.cloudformation
    # A stack that was deleted has no name any more, only an id (CloudFormation API Reference, DescribeStacks).
    for item in unless_gone(lambda: list(pages(client, "describe_stacks", "Stacks", StackName=name))) or ():
        yield ImageRemain("stack", name, f"cdk destroy {name}", str(item["StackStatus"]))


def _builder_resources(aws: RegionClients, image: str) -> Iterator[ImageRemain]:
    name, client = builder_name(image), aws.client("imagebuilder")
    # By kind: the pipeline of an image `base-newest` has the name of a policy of the image `base`.
    policies = {f"{name}-newest", f"{name}-superseded"}
    for kind, operation, key, request, command in _RESOURCES:
        for item in pages(client, operation, key, **request):
            if item["name"] in (policies if kind == "lifecycle policy" else {name}):
                arn = str(item["arn"])
                yield ImageRemain(kind, arn, f"aws imagebuilder {command} {arn} --region {aws.region}")


def _components(aws: RegionClients, image: str) -> Iterator[ImageRemain]:
    client = aws.client("imagebuilder")
    parts = "|".join([r"files-\d+", "htcondor", "script", "end", *COMPONENTS])
    ours = re.compile(f"{re.escape(builder_name(image))}-({parts})")
    for item in pages(client, "list_components", "componentVersionList", owner="Self"):
        if ours.fullmatch(str(item["name"])):
            versions = pages(
                client, "list_component_build_versions", "componentSummaryList", componentVersionArn=item["arn"]
            )
            for arn in (str(each["arn"]) for each in versions):
                command = f"aws imagebuilder delete-component --component-build-version-arn {arn} --region {aws.region}"
                yield ImageRemain("component", arn, command)


def _records(aws: RegionClients, image: str) -> Iterator[ImageRemain]:
    client = aws.client("imagebuilder")
    for item in pages(client, "list_images", "imageVersionList", owner="Self"):
        if item["name"] != builder_name(image):
            continue
        for each in pages(client, "list_image_build_versions", "imageSummaryList", imageVersionArn=item["arn"]):
            arn, state = str(each["arn"]), str(each.get("state", {}).get("status", ""))
            command = f"aws imagebuilder delete-image --image-build-version-arn {arn} --region {aws.region}"
            yield ImageRemain("Image Builder image", arn, command, state)


def _images_and_snapshots(aws: RegionClients, image: str) -> Iterator[ImageRemain]:
    """The machine images with the image's tag, and the snapshots of them or of those that are gone."""
    tagged = [{"Name": f"tag:{TAG_IMAGE}", "Values": [image]}]
    # Deprecated ones are listed for their owner in any case (EC2 API Reference, DescribeImages).
    listed: Any = {"Owners": ["self"], "Filters": tagged, "IncludeDisabled": True}
    images = list(pages(aws.ec2, "describe_images", "Images", **listed))
    ids = [str(each["ImageId"]) for each in images]
    used = _users(aws, ids) if ids else {}
    for each, image_id in zip(images, ids, strict=True):
        command = f"aws ec2 deregister-image --image-id {image_id} --region {aws.region}"
        users = tuple(used.get(image_id, ()))
        yield ImageRemain("machine image", image_id, command, str(each.get("State", "")), users)
    devices = [device.get("Ebs", {}) for each in images for device in each.get("BlockDeviceMappings", ())]
    found = {str(each["SnapshotId"]) for each in devices if each.get("SnapshotId")}
    for snapshot in sorted(found | set(_made_snapshots(aws, image))):
        yield ImageRemain(
            "snapshot", snapshot, f"aws ec2 delete-snapshot --snapshot-id {snapshot} --region {aws.region}"
        )


def _made_snapshots(aws: RegionClients, image: str) -> Iterator[str]:
    made = [{"Name": f"tag:{_MADE_BY}", "Values": [f"arn:*:image/{builder_name(image)}/*"]}]
    for item in pages(aws.ec2, "describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=made):
        yield str(item["SnapshotId"])


def _users(aws: RegionClients, images: list[str]) -> dict[str, list[str]]:
    """Instances that run from each image, and launch templates of annexes that boot it."""
    found: dict[str, list[str]] = {}
    for instance in listed_instances(aws, Filters=[{"Name": "image-id", "Values": images}]):
        if instance["State"]["Name"] not in DEAD_INSTANCE_STATES:
            found.setdefault(str(instance["ImageId"]), []).append(str(instance["InstanceId"]))
    annexes = [{"Name": "tag-key", "Values": [TAG_NAME]}]
    for template in pages(aws.ec2, "describe_launch_templates", "LaunchTemplates", Filters=annexes):
        name = str(template["LaunchTemplateId"])
        request: Any = {"LaunchTemplateId": name, "Versions": ["$Latest", "$Default"]}
        versions = pages(aws.ec2, "describe_launch_template_versions", "LaunchTemplateVersions", **request)
        for image in {str(each["LaunchTemplateData"].get("ImageId", "")) for each in versions}:
            found.setdefault(image, []).append(name)
    return found


def _instances(aws: RegionClients, image: str) -> Iterator[ImageRemain]:
    """Instances that build or test, or that a build left."""
    tagged = [{"Name": f"tag:{TAG_IMAGE}", "Values": [image]}]
    for instance in listed_instances(aws, Filters=tagged):
        state, name = str(instance["State"]["Name"]), str(instance["InstanceId"])
        if state != "terminated":
            command = f"aws ec2 terminate-instances --instance-ids {name} --region {aws.region}"
            yield ImageRemain("instance", name, command, state)


def _volumes(aws: RegionClients, image: str) -> Iterator[ImageRemain]:
    tagged = [{"Name": f"tag:{TAG_IMAGE}", "Values": [image]}]
    for item in pages(aws.ec2, "describe_volumes", "Volumes", Filters=tagged):
        name = str(item["VolumeId"])
        command = f"aws ec2 delete-volume --volume-id {name} --region {aws.region}"
        yield ImageRemain("volume", name, command, str(item["State"]))


def _parameters(aws: RegionClients, image: str) -> Iterator[ImageRemain]:
    name = image_parameter(image)
    named = [{"Key": "Name", "Option": "Equals", "Values": [name]}]
    for _ in pages(aws.client("ssm"), "describe_parameters", "Parameters", ParameterFilters=named):
        yield ImageRemain("parameter", name, f"aws ssm delete-parameter --name {name} --region {aws.region}")


def _log_groups(aws: RegionClients, image: str) -> Iterator[ImageRemain]:
    name = image_log_group(image)
    for item in pages(aws.logs, "describe_log_groups", "logGroups", logGroupNamePrefix=name):
        if item["logGroupName"] == name:
            command = f"aws logs delete-log-group --log-group-name {name} --region {aws.region}"
            yield ImageRemain("log group", name, command)


def _roles(aws: RegionClients, image: str) -> Iterator[ImageRemain]:
    for item in pages(aws.client("iam"), "list_roles", "Roles"):
        name = str(item["RoleName"])
        if _of_stack(name, image):
            yield ImageRemain("role", name, f"aws iam delete-role --role-name {name}")


def _profiles(aws: RegionClients, image: str) -> Iterator[ImageRemain]:
    for item in pages(aws.client("iam"), "list_instance_profiles", "InstanceProfiles"):
        name = str(item["InstanceProfileName"])
        if _of_stack(name, image):
            command = f"aws iam delete-instance-profile --instance-profile-name {name}"
            yield ImageRemain("instance profile", name, command)


def _of_stack(name: str, image: str) -> bool:
    """True for a name that CloudFormation made of the stack's name and a logical id, which has an upper-case letter."""
    return re.match(rf"{re.escape(image_stack_name(image))}-Image[A-Z]", name) is not None


ListImage = Callable[[RegionClients, str], Iterator[ImageRemain]]
"""Lists resources of an image; raises errors of botocore."""
REGIONAL_IMAGE_KINDS: Mapping[str, ListImage] = {
    "stack": _stacks,
    "Image Builder resource": _builder_resources,
    "component": _components,
    "Image Builder image": _records,
    "machine image and snapshot": _images_and_snapshots,
    "instance": _instances,
    "volume": _volumes,
    "parameter": _parameters,
    "log group": _log_groups,
}
"""Listings of resources of a Region, by what they list."""
GLOBAL_IMAGE_KINDS: Mapping[str, ListImage] = {"role": _roles, "instance profile": _profiles}
"""Listings of resources that belong to no Region."""
