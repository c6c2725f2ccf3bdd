"""The recipe of an image: its parent, its components in order, its root volume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Fn, Stack, Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_imagebuilder as imagebuilder
from aws_cdk import aws_kms as kms
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from annex_constructs.errors import invalid_value
from annex_constructs.image.build_user_data import build_user_data
from annex_constructs.image.component_document import version_of
from annex_constructs.image.image_content import ImageContent
from annex_constructs.stock_image import StockImage
from annex_lease.built_forms import builder_name
from annex_lease.image_rules import architecture_conflict, family_of, image_region_conflict, parameter_of
from annex_lease.instance_types import architectures
from annex_lease.stock_images import ImageFamily


@dataclass(frozen=True)
class BuiltRecipe:
    """A recipe and its version.

    :param resource: the recipe.
    :param version: its version, which follows from its content.
    """

    resource: imagebuilder.CfnImageRecipe
    version: str


def image_recipe(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    content: ImageContent,
    components: Sequence[imagebuilder.CfnComponent],
    instance_types: list[str],
    key: kms.IKey | None,
) -> BuiltRecipe:
    """The recipe of an image.

    Nothing of a recipe can be changed, so each content has a version of its own, and CloudFormation replaces it.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param name: the image's name.
    :param content: the image's content.
    :param components: its components, in order.
    :param instance_types: types of the instances that build it.
    :param key: KMS key that encrypts its volume; None: the account's default key for EBS.
    :raises ValueError: the parent is not for the architecture of the types, or is not in the stack's Region.
    """
    _check_parent(Stack.of(scope).region, content.parent, instance_types)
    properties = imagebuilder.CfnImageRecipe
    user_data = build_user_data(content.parent, instance_types)
    settings: dict[str, Any] = {
        "name": builder_name(name),
        "description": f"Image {name} of HTCondor annexes: {content.parent}",
        "parent_image": parent_image(scope, content.parent, instance_types),
        "components": [properties.ComponentConfigurationProperty(component_arn=each.attr_arn) for each in components],
        "block_device_mappings": [_root_volume(content, key)],
        "additional_instance_configuration": None
        if user_data is None
        else properties.AdditionalInstanceConfigurationProperty(
            user_data_override=Fn.base64(user_data),
            # The instance that tests the finished image may not get the user data again.
            systems_manager_agent=properties.SystemsManagerAgentProperty(uninstall_after_build=False),
        ),
    }
    # The ARN of a component is not known before the deployment; its version stands for its content.
    resolved = Stack.of(scope).resolve({key: value for key, value in settings.items() if key != "components"})
    version = version_of(resolved, [each.version for each in components])
    return BuiltRecipe(properties(scope, construct_id, version=version, **settings), version)


def _root_volume(
    content: ImageContent, key: kms.IKey | None
) -> imagebuilder.CfnImageRecipe.InstanceBlockDeviceMappingProperty:
    properties = imagebuilder.CfnImageRecipe
    volume = properties.EbsInstanceBlockDeviceSpecificationProperty(
        encrypted=True,
        kms_key_id=None if key is None else key.key_arn,
        volume_size=int(content.volume_gib),
        volume_type="gp3",
        delete_on_termination=True,
    )
    return properties.InstanceBlockDeviceMappingProperty(device_name=content.device, ebs=volume)


def parent_image(scope: Construct, parent: str, instance_types: list[str]) -> str:
    """The parent as a recipe names it.

    Image Builder reads a parameter at every build (EC2 Image Builder API Reference, CreateImageRecipe, parentImage). It
    takes no version of one, so CloudFormation reads that at deployment.

    :param scope: a construct of the image's stack.
    :param parent: the parent, as declared.
    :param instance_types: types of the instances that build.
    """
    family, parameter = family_of(parent), parameter_of(parent)
    if family is not None:
        return _stock_parent(scope, family, instance_types)
    if parameter is not None and parameter.version is not None:
        return ssm.StringParameter.value_for_string_parameter(scope, parameter.name, parameter.version)
    return parent


def parent_parameter_arn(scope: Construct, parent: str) -> str | None:
    """ARN of the parameter that Image Builder reads at every build; None if it reads none, or a public one.

    :param scope: a construct of the image's stack.
    :param parent: the parent, as declared.
    """
    parameter = parameter_of(parent)
    if parameter is None or parameter.is_public or parameter.version is not None:
        return None
    if parameter.is_shared:
        return parameter.name
    name = parameter.name.removeprefix("/")
    return Stack.of(scope).format_arn(service="ssm", resource="parameter", resource_name=name)


def _stock_parent(scope: Construct, family: ImageFamily, instance_types: list[str]) -> str:
    """The public parameter of a stock image; the id of one that the CDK looked up if it has none."""
    (architecture,) = architectures(instance_types)
    if architecture in family.parameters:
        return f"ssm:{family.parameters[architecture]}"
    types = [ec2.InstanceType(each) for each in instance_types]
    return StockImage(family.name).for_types(scope, types).get_image(scope).image_id


def _check_parent(region: str, parent: str, instance_types: list[str]) -> None:
    conflict = architecture_conflict(parent, instance_types)
    if conflict is None and not Token.is_unresolved(region):
        conflict = image_region_conflict(parent, region)
    if conflict is not None:
        raise invalid_value("ImageContent parent", received=parent, allowed=conflict.allowed, fix=conflict.advice)
