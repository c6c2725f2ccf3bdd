"""Launch template of an execution point."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jsii
from aws_cdk import CfnParameter, ITaggableV2, Stack, TagManager, Tags, TagType, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from annex_boot.settings import EpSettings
from annex_constructs.errors import invalid_value
from annex_constructs.fleet.boot_archive import BootArchive
from annex_constructs.fleet.execution_point import ExecutionPoint
from annex_constructs.fleet.multipart_user_data import ExecutionPointUserData
from annex_constructs.stock_image import StockImage
from annex_lease.image_rules import architecture_conflict
from annex_lease.ownership import instance_name
from annex_lease.tags import TAG_ID, TAG_NAME

# Version 2, IPv4 and IPv6, one hop; the instance's lease is in its tags.
_METADATA_SERVICE: Mapping[str, Any] = {
    "require_imdsv2": True,
    "http_endpoint": True,
    "http_put_response_hop_limit": 1,
    "http_protocol_ipv6": True,
    "instance_metadata_tags": True,
}


@jsii.implements(ITaggableV2)
class _SameTags(Construct):
    """The tags of a launch template once more: its own are out of reach for everything but the L2."""

    def __init__(self, template: ec2.LaunchTemplate, construct_id: str) -> None:
        super().__init__(template, construct_id)
        self._tags = TagManager(TagType.KEY_VALUE, ec2.CfnLaunchTemplate.CFN_RESOURCE_TYPE_NAME)

    @property
    def cdk_tag_manager(self) -> TagManager:
        """Tags that every scope around the launch template adds to it."""
        return self._tags


def execution_point_template(
    scope: Construct,
    construct_id: str,
    *,
    annex_name: str,
    annex_id: str,
    execution_point: ExecutionPoint,
    instance_types: Sequence[ec2.InstanceType],
    credential: secretsmanager.ISecret,
    role: iam.IRole,
    security_group: ec2.ISecurityGroup,
    associate_public_ip_address: bool | None,
    protect_busy: bool,
    archive: BootArchive,
) -> ec2.LaunchTemplate:
    """The launch template of an execution point.

    Metadata service: version 2, one hop, with the instance's tags. An instance that powers itself off is terminated,
    with its volume and network interface, and not billed as stopped. No key pair.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param annex_name: the annex's name.
    :param annex_id: unique id of the annex; it may hold tokens.
    :param execution_point: properties of the instance.
    :param instance_types: types of the fleet, the first one for a launch from the template alone.
    :param credential: secret that holds the token with which the instance joins.
    :param role: role of the instance.
    :param security_group: security group of the instance.
    :param associate_public_ip_address: whether it gets a public IPv4 address; None is what the subnet says.
    :param protect_busy: let it protect itself from scale-in while a job runs on it.
    :param archive: the files that its user data has no space for.
    """
    template = ec2.LaunchTemplate(
        scope,
        construct_id,
        machine_image=execution_point.image(scope, instance_types),
        instance_type=instance_types[0],
        role=role,
        security_group=security_group,
        associate_public_ip_address=associate_public_ip_address,
        user_data=_user_data(scope, annex_name, execution_point, credential, protect_busy, archive),
        block_devices=[_root_device(execution_point)],
        instance_initiated_shutdown_behavior=ec2.InstanceInitiatedShutdownBehavior.TERMINATE,
        **_METADATA_SERVICE,
        detailed_monitoring=False,
    )
    _check_architecture(template, instance_types)
    return _completed(template, annex_name, annex_id, describes_interface=associate_public_ip_address is not None)


def _completed(
    template: ec2.LaunchTemplate, annex_name: str, annex_id: str, *, describes_interface: bool
) -> ec2.LaunchTemplate:
    """Add the properties that the L2 lacks.

    Tags go on instances, their volumes and their network interfaces: the tags of an Auto Scaling group reach instances
    only, and a volume that remains without tags could be any one of the account.
    """
    _check_system(template)
    tags = {"Name": instance_name(annex_name), TAG_NAME: annex_name, TAG_ID: annex_id}
    for key, value in tags.items():
        Tags.of(template).add(key, value)
    resource = template.node.default_child
    assert isinstance(resource, ec2.CfnLaunchTemplate)  # noqa: S101 - what the L2 is made of
    # After the specifications of instances and of volumes, which the L2 makes: all tags of the template, as those have
    # them, so that the tags of an app reach network interfaces too. EC2 takes a fourth type, spot-instances-request,
    # and then starts no instance that has no such request, which an on-demand one has not (API reference,
    # LaunchTemplateTagSpecificationRequest).
    resource.add_property_override(
        "LaunchTemplateData.TagSpecifications.2",
        {
            "ResourceType": "network-interface",
            "Tags": _SameTags(template, "InterfaceTags").cdk_tag_manager.rendered_tags,
        },
    )
    if describes_interface:
        resource.add_property_override("LaunchTemplateData.NetworkInterfaces.0.DeleteOnTermination", True)
    return template


def _check_architecture(template: ec2.LaunchTemplate, instance_types: Sequence[ec2.InstanceType]) -> None:
    """Refuse an image of a public parameter whose name has another architecture than that of the types.

    Such are the images of `ec2.MachineImage.latest_amazon_linux2023()`. Others are looked at before the first launch.
    """
    names = [name for each in instance_types if not Token.is_unresolved(name := each.to_string())]
    for parameter in _parameters(template) if names else ():
        conflict = architecture_conflict(f"ssm:{parameter}", names)
        if conflict is not None:
            received = f"the image of {parameter}"
            raise invalid_value(
                "ExecutionPoint machine_image", received=received, allowed=conflict.allowed, fix=conflict.advice
            )


def _parameters(template: ec2.LaunchTemplate) -> Iterator[str]:
    """The SSM parameter from which CloudFormation reads the image of a template; none if it reads it from none."""
    stack = Stack.of(template)
    image = stack.resolve(template.image_id)
    # The CDK makes a parameter of the template for each SSM parameter, in the stack itself.
    for each in stack.node.children:
        if isinstance(each, CfnParameter) and image == {"Ref": stack.resolve(each.logical_id)}:
            yield str(each.default)


def _check_system(template: ec2.LaunchTemplate) -> None:
    if template.os_type is ec2.OperatingSystemType.WINDOWS:
        raise invalid_value(
            "ExecutionPoint machine_image",
            received="an image of Windows",
            allowed="a Linux image: cloud-init, which Windows does not have, makes an execution point of the instance",
            fix=f"pass a StockImage, such as {StockImage.DEBIAN_13}",
        )


def _root_device(execution_point: ExecutionPoint) -> ec2.BlockDevice:
    volume = ec2.BlockDeviceVolume.ebs(
        execution_point.volume_gib,
        delete_on_termination=True,
        encrypted=True,
        kms_key=execution_point.volume_key,
        volume_type=ec2.EbsDeviceVolumeType.GP3,
    )
    return ec2.BlockDevice(device_name=execution_point.image_root_device, volume=volume)


def _user_data(
    scope: Construct,
    annex_name: str,
    execution_point: ExecutionPoint,
    credential: secretsmanager.ISecret,
    protect_busy: bool,
    archive: BootArchive,
) -> ExecutionPointUserData:
    return ExecutionPointUserData(
        EpSettings(
            annex=annex_name,
            credential_arn=credential.secret_arn,
            archive=archive.place,
            archive_digest=archive.digest,
            collector=execution_point.pool.address,
            trust_domain=execution_point.pool.trust_domain,
            root_device=execution_point.image_root_device,
            proxy=execution_point.proxy or "",
            times=execution_point.times,
            protect_busy=protect_busy,
            jobs=execution_point.job_policy.condition,
            project_id=execution_point.job_policy.project,
            htcondor=execution_point.htcondor_series,
            components=",".join(execution_point.components),
            htcondor_mirror=execution_point.htcondor_mirror or "",
            package_mirror=execution_point.package_mirror or "",
        )
    )
