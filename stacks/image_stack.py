"""An image of the spec file as a CloudFormation stack."""

from collections.abc import Iterable
from pathlib import Path

from aws_cdk import CfnOutput, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from annex_constructs import AnnexImage, BuildPlace, ImageContent, ImageDistribution, ImageUpkeep, RoleSettings
from annex_lease.built_forms import image_stack_name
from annex_lease.forms import arn_region
from annex_spec import ImageSpec, read_script
from stacks.base_stack import tag_resources
from stacks.network_stack import imported_subnet


class AnnexImageStack(Stack):
    """One image: `cdk deploy AnnexImage-<name>` builds, tests and distributes it.

    No annex depends on the stack. An annex with `image = "built:<name>"` reads the image's parameter when it is
    deployed, so a changed image holds up no annex, and the stack can be removed while annexes run.

    :param image: the image of the spec file.
    :param directory: directory of the spec file: the image's scripts are there or below it.
    :raises OSError: a script cannot be read.
    :raises ValueError: a script is no text, or is too long.
    """

    def __init__(self, scope: Construct, *, image: ImageSpec, directory: Path) -> None:
        super().__init__(
            scope,
            image_stack_name(image.name),
            description=f"HTCondor annexes: builds image {image.name} of execution points",
            env=Environment(account=image.account, region=image.region),
            termination_protection=False,
            suppress_template_indentation=True,
        )
        self._image = AnnexImage(
            self,
            "Image",
            image_name=image.name,
            content=_content(image, directory),
            place=self._place(image),
            distribution=self._distribution(image),
            image_tags=image.tags,
            upkeep=ImageUpkeep(
                schedule=image.schedule,
                build_unchanged=image.build_unchanged,
                keep=image.keep,
                keep_launched=Duration.seconds(int(image.keep_launched.total_seconds())),
            ),
        )
        RoleSettings.apply(self, permissions_boundary=image.permissions_boundary, role_path=image.role_path)
        tag_resources(self, image.tags)
        self._print_names()

    @property
    def image(self) -> AnnexImage:
        """The image."""
        return self._image

    def _place(self, image: ImageSpec) -> BuildPlace:
        subnet, group, topic = image.subnet, image.security_group, image.results_topic
        return BuildPlace(
            instance_types=[ec2.InstanceType(each) for each in image.instance_types],
            subnet=None if subnet is None else imported_subnet(self, "Subnet", subnet),
            security_group=None
            if group is None
            else ec2.SecurityGroup.from_security_group_id(self, "SecurityGroup", group, mutable=False),
            results_topic=None if topic is None else sns.Topic.from_topic_arn(self, "ResultsTopic", topic),
        )

    def _distribution(self, image: ImageSpec) -> ImageDistribution:
        keys = {arn_region(arn): kms.Key.from_key_arn(self, f"Key-{arn_region(arn)}", arn) for arn in image.volume_keys}
        return ImageDistribution(
            key=keys.get(image.region),
            copies={region: keys.get(region) for region in image.regions},
            accounts=image.accounts,
            share_with=image.share_with,
        )

    def _print_names(self) -> None:
        """Names for AWS commands: the pipeline to start, the parameter to read, the image that was built."""
        names = {
            "Pipeline": self._image.pipeline_arn,
            "Parameter": self._image.parameter_name,
            "ImageId": self._image.image_id,
            "BuildNow": f"aws imagebuilder start-image-pipeline-execution --region {self.region} "
            f"--image-pipeline-arn {self._image.pipeline_arn}",
        }
        for construct_id, value in names.items():
            CfnOutput(self, construct_id, value=value)


def image_stacks(scope: Construct, images: Iterable[ImageSpec], directory: Path) -> list[AnnexImageStack]:
    """The stack of each image.

    :param scope: parent construct.
    :param images: the images of the spec file.
    :param directory: directory of the spec file.
    """
    return [AnnexImageStack(scope, image=image, directory=directory) for image in images]


def _content(image: ImageSpec, directory: Path) -> ImageContent:
    script, test = image.script, image.test_script
    return ImageContent(
        parent=image.parent,
        htcondor=image.htcondor,
        components=image.components,
        script=None if script is None else read_script(directory, script),
        test_script=None if test is None else read_script(directory, test),
        htcondor_mirror=image.htcondor_mirror,
        package_mirror=image.package_mirror,
        volume_gib=image.volume_gib,
        root_device=image.root_device,
    )
