"""An image of execution points that EC2 Image Builder builds, tests, distributes, rebuilds and removes."""

from collections.abc import Mapping

from aws_cdk import RemovalPolicy, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_imagebuilder as imagebuilder
from aws_cdk import aws_logs as logs
from constructs import Construct

from annex_constructs.errors import LOG_RETENTION, Kind, check_form, check_kind, invalid_value
from annex_constructs.identity import check_only_image
from annex_constructs.image.build_place import BuildPlace, infrastructure_configuration
from annex_constructs.image.image_components import image_components
from annex_constructs.image.image_content import ImageContent
from annex_constructs.image.image_distribution import ImageDistribution, distribution_configuration
from annex_constructs.image.image_recipe import BuiltRecipe, image_recipe, parent_parameter_arn
from annex_constructs.image.image_removal import removal_policies
from annex_constructs.image.image_roles import build_instance_role, execution_role, removal_role
from annex_constructs.image.image_upkeep import ImageUpkeep
from annex_lease.built_forms import builder_name, image_log_group, image_parameter
from annex_lease.built_terms import IMAGE_NAME
from annex_lease.rules import tag_conflict
from annex_lease.tags import TAG_IMAGE, TAG_RECIPE


class _Tags(Kind):
    def includes(self, value: object) -> bool:
        """True for texts by their keys, which are texts too."""
        return isinstance(value, Mapping) and all(isinstance(each, str) for pair in value.items() for each in pair)


_TAGS = _Tags("texts by their keys", '{"team": "physics"}')


class AnnexImage(Construct):
    """A pipeline of EC2 Image Builder, and its first image.

    The deployment builds and tests the first image and ends when it is distributed; a changed image is built by the
    deployment that changes it. The id of the newest good image is in the SSM parameter `parameter_name`, in each Region
    of the image. Image Builder itself costs nothing; instances run while it builds and tests, and snapshots are kept.

    AWS's own constructs for Image Builder are experimental: "its API may change in any release" (AWS CDK API
    Reference, `@aws-cdk/aws-imagebuilder-alpha`). So this one is made of the CloudFormation resources.

    Example, built monthly if Debian has a new image, with a copy in a second Region::

        AnnexImage(
            stack,
            "Base",
            content=ImageContent(components=["docker"]),
            distribution=ImageDistribution(copies={"eu-west-1": None}),
        )

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param image_name: name of the image: lower-case letters, digits and single inner hyphens, a letter first, at most
        32 characters. One of a name in an account and Region. Default: - the id in lower case.
    :param content: what the image is made of. Default: - HTCondor's long-term series on Debian 13.
    :param place: where it is built. Default: - small instances in the default VPC.
    :param distribution: Regions and accounts that need it. Default: - the stack's own.
    :param image_tags: tags of an organisation on the images, and on the instances and volumes that build them.
        Default: - none; `Tags.of` reaches the other resources.
    :param upkeep: when it is built again, and which images are kept. Default: - monthly if something changed, the
        newest three and those in use.
    :param log_retention: how long the log of the builds is kept. Default: one month.
    :raises ValueError: a value is not allowed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        image_name: str | None = None,
        content: ImageContent | None = None,
        place: BuildPlace | None = None,
        distribution: ImageDistribution | None = None,
        image_tags: Mapping[str, str] | None = None,
        upkeep: ImageUpkeep | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name = construct_id.lower() if image_name is None else image_name
        check_form("AnnexImage image_name", self._name, IMAGE_NAME.form, known=True)
        check_only_image(AnnexImage, self, self._name)
        self._content = ImageContent() if content is None else content
        self._place = BuildPlace() if place is None else place
        self._distribution = ImageDistribution() if distribution is None else distribution
        self._upkeep = ImageUpkeep() if upkeep is None else upkeep
        _check_kinds(self._content, self._place, self._distribution, self._upkeep)
        check_kind("AnnexImage log_retention", log_retention, LOG_RETENTION)
        self._image_tags = _checked_tags(image_tags)
        self._recipe = self._made_recipe()
        self._log_group = self._made_log_group(log_retention)
        self._pipeline = self._made_pipeline()
        self._first = self._made_image()
        removal_policies(
            self,
            name=self._name,
            recipe_version=self._recipe.version,
            role=removal_role(self, "RemovalRole", self._name),
            keep=int(self._upkeep.keep),
            keep_launched_days=self._upkeep.days,
        )
        # Not the tags of an annex: the account-wide sweeper removes what carries those.
        Tags.of(self).add(TAG_IMAGE, self._name)

    @property
    def image_name(self) -> str:
        """Name of the image."""
        return self._name

    @property
    def parameter_name(self) -> str:
        """Name of the SSM parameter with the id of the newest image, in each Region of the image."""
        return image_parameter(self._name)

    @property
    def pipeline_arn(self) -> str:
        """ARN of the pipeline, for `aws imagebuilder start-image-pipeline-execution --image-pipeline-arn ARN`."""
        return self._pipeline.attr_arn

    @property
    def image_id(self) -> str:
        """Id of the image that the deployment built; a later one of the schedule is in the parameter only."""
        return self._first.attr_image_id

    @property
    def log_group(self) -> logs.ILogGroup:
        """Log of the builds and tests."""
        return self._log_group

    def _made_recipe(self) -> BuiltRecipe:
        return image_recipe(
            self,
            "Recipe",
            name=self._name,
            content=self._content,
            components=image_components(self, self._name, self._content),
            instance_types=self._place.types,
            key=self._distribution.key,
        )

    def _made_log_group(self, retention: logs.RetentionDays) -> logs.LogGroup:
        return logs.LogGroup(
            self,
            "Log",
            log_group_name=image_log_group(self._name),
            retention=retention,
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _made_pipeline(self) -> imagebuilder.CfnImagePipeline:
        tags = {**self._image_tags, TAG_IMAGE: self._name}
        role = build_instance_role(self, "InstanceRole", self._name)
        infrastructure = infrastructure_configuration(
            self, "Infrastructure", name=self._name, place=self._place, role=role, tags=tags
        )
        distribution = distribution_configuration(
            self, "Distribution", name=self._name, distribution=self._distribution, tags=tags
        )
        properties = imagebuilder.CfnImagePipeline
        group = self._log_group.log_group_name
        return properties(
            self,
            "Pipeline",
            name=builder_name(self._name),
            description=f"Builds image {self._name} of HTCondor annexes",
            image_recipe_arn=self._recipe.resource.attr_arn,
            infrastructure_configuration_arn=infrastructure.attr_arn,
            distribution_configuration_arn=distribution.attr_arn,
            execution_role=self._made_execution_role(role).role_arn,
            # The inventory of packages, which would need further rights of the instances.
            enhanced_image_metadata_enabled=False,
            image_tests_configuration=properties.ImageTestsConfigurationProperty(
                image_tests_enabled=True, timeout_minutes=60
            ),
            logging_configuration=properties.PipelineLoggingConfigurationProperty(
                image_log_group_name=group, pipeline_log_group_name=group
            ),
            schedule=self._upkeep.plan,
            status="ENABLED",
            image_tags=self._record_tags(),
        )

    def _made_execution_role(self, instance_role: iam.IRole) -> iam.IRole:
        return execution_role(
            self,
            "BuilderRole",
            name=self._name,
            instance_role=instance_role,
            regions=self._distribution.keys_by_region(self),
            parent_parameter=parent_parameter_arn(self, self._content.parent),
        )

    def _made_image(self) -> imagebuilder.CfnImage:
        """The image that the deployment builds: again whenever the pipeline has changed.

        It is kept when it is replaced and when the stack is removed: annexes may boot it. The removal of old images
        counts it, and `annex leftovers --image` names it.
        """
        settings = imagebuilder.CfnImage.ImagePipelineExecutionSettingsProperty(
            deployment_id=self._pipeline.attr_deployment_id, on_update=True
        )
        image = imagebuilder.CfnImage(
            self, "Image", image_pipeline_execution_settings=settings, tags=self._record_tags()
        )
        image.apply_removal_policy(RemovalPolicy.RETAIN)
        return image

    def _record_tags(self) -> dict[str, str]:
        return {**self._image_tags, TAG_IMAGE: self._name, TAG_RECIPE: self._recipe.version}


def _check_kinds(content: object, place: object, distribution: object, upkeep: object) -> None:
    for name, value, kind in (
        ("content", content, Kind("an ImageContent", "ImageContent(...)", ImageContent)),
        ("place", place, Kind("a BuildPlace", "BuildPlace(...)", BuildPlace)),
        ("distribution", distribution, Kind("an ImageDistribution", "ImageDistribution(...)", ImageDistribution)),
        ("upkeep", upkeep, Kind("an ImageUpkeep", "ImageUpkeep(...)", ImageUpkeep)),
    ):
        check_kind(f"AnnexImage {name}", value, kind)


def _checked_tags(image_tags: Mapping[str, str] | None) -> dict[str, str]:
    check_kind("AnnexImage image_tags", image_tags, _TAGS, optional=True)
    tags = dict(image_tags or {})
    conflict = tag_conflict(tags)
    if conflict is not None:
        raise invalid_value(
            "AnnexImage image_tags", received=conflict.received, allowed=conflict.allowed, fix=conflict.advice
        )
    return tags
