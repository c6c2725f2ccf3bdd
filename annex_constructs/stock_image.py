"""Images of the publishers of Linux systems, as machine images of the CDK."""

from collections.abc import Sequence
from enum import Enum
from typing import Never

from aws_cdk import Stack, Token
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from annex_constructs.errors import invalid_value
from annex_lease.image_rules import architecture_conflict, image_region_conflict, nearest_families
from annex_lease.instance_types import architectures
from annex_lease.stock_images import DEFAULT_IMAGE, IMAGE_FAMILIES, ImageFamily
from annex_lease.terms import IMAGE, INSTANCE_TYPES

_PARAMETER = "ExecutionPoint machine_image"
_PLACEHOLDER = "ami-00000000"


class StockImage(Enum):
    """An image as its publisher provides it, without HTCondor: each instance installs it when it boots.

    Example::

        point = ExecutionPoint(pool=pool, machine_image=StockImage.UBUNTU_24_04)

    Debian, Ubuntu and Amazon Linux have a public SSM parameter with the newest image, which CloudFormation reads at
    each deployment. AlmaLinux and Rocky Linux have none: the CDK looks for the newest image of the publisher's account
    when the app is synthesised, and keeps it in `cdk.context.json`. So their stack needs an account and a Region.
    """

    DEBIAN_13 = "debian-13"
    """Debian 13, for x86_64."""
    UBUNTU_24_04 = "ubuntu-24.04"
    """Ubuntu 24.04, for x86_64 and arm64."""
    AMAZON_LINUX_2023 = "amazon-linux-2023"
    """Amazon Linux 2023, for x86_64."""
    ALMALINUX_9 = "almalinux-9"
    """AlmaLinux 9, for x86_64 and arm64; looked up."""
    ROCKY_9 = "rocky-9"
    """Rocky Linux 9, for x86_64 and arm64; looked up."""

    @classmethod
    def _missing_(cls, value: object) -> Never:
        """Refuse what is no stock image, and name those that are likely to be meant."""
        meant = nearest_families(value) if isinstance(value, str) else []
        raise invalid_value(
            "StockImage",
            received=value,
            allowed=", ".join(IMAGE_FAMILIES),
            fix=" or ".join(f'StockImage("{each}")' for each in meant or [DEFAULT_IMAGE]),
        )

    @property
    def family(self) -> ImageFamily:
        """The facts about the system and its images."""
        return IMAGE_FAMILIES[self.value]

    def for_types(self, scope: Construct, instance_types: Sequence[ec2.InstanceType]) -> ec2.IMachineImage:
        """The image for the architecture of instance types.

        :param scope: a construct in the stack of the instances.
        :param instance_types: the types, of one architecture.
        :raises ValueError: there is none for the types, or in the Region; or the stack's account or Region is not
            known, and the image is looked up.
        """
        names = [name for each in instance_types if not Token.is_unresolved(name := each.to_string())]
        if not names:
            raise invalid_value(
                "AnnexFleet instance_types",
                received=[each.to_string() for each in instance_types],
                allowed="a type that is known when the app is synthesised, because a StockImage is of its architecture",
                fix=f'pass instance_types=[ec2.InstanceType("{INSTANCE_TYPES.form.example}")]',
            )
        conflict = architecture_conflict(self.value, names)
        if conflict is not None:
            raise invalid_value(_PARAMETER, received=self, allowed=conflict.allowed, fix=conflict.advice)
        (architecture,) = architectures(names)
        if not self.family.owner:
            parameter = self.family.parameters[architecture]
            return ec2.MachineImage.from_ssm_parameter(parameter, os=ec2.OperatingSystemType.LINUX)
        self._check_place(scope)
        return ec2.MachineImage.generic_linux({Stack.of(scope).region: self._found(scope, architecture)})

    def _found(self, scope: Construct, architecture: str) -> str:
        """The id of the newest image, or a placeholder until the CDK has looked for it.

        The CDK's own placeholder has not the form of an id. Its check of templates would refuse it before the look-up.
        """
        found = ec2.MachineImage.lookup(
            name=self.family.image_name,
            owners=[self.family.owner],
            filters={
                "architecture": [architecture],
                "root-device-type": ["ebs"],
                "virtualization-type": ["hvm"],
            },
        )
        image = found.get_image(scope).image_id
        return image if IMAGE.form.matches(image) else _PLACEHOLDER

    def _check_place(self, scope: Construct) -> None:
        """Refuse a look-up that has no place, or a place of AWS in which the publisher has no account."""
        stack = Stack.of(scope)
        if Token.is_unresolved(stack.account) or Token.is_unresolved(stack.region):
            raise invalid_value(
                _PARAMETER,
                received=f"{self} in the stack {stack.stack_name}",
                allowed="a stack whose account and Region are known: the newest image is looked up there",
                fix=f"pass env=Environment(account=..., region=...) to the stack, or use {_with_parameters()}",
            )
        conflict = image_region_conflict(self.value, stack.region)
        if conflict is not None:
            raise invalid_value(_PARAMETER, received=self, allowed=conflict.allowed, fix=conflict.advice)


def _with_parameters() -> str:
    """The members that need no look-up."""
    return ", ".join(str(each) for each in StockImage if not each.family.owner)
