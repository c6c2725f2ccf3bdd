"""The instances that build and test an image: their types, their network, and who hears of the result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Token
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_imagebuilder as imagebuilder
from aws_cdk import aws_sns as sns
from constructs import Construct

from annex_constructs.declared_values import check_conflicts, check_types
from annex_constructs.errors import (
    INSTANCE_TYPE,
    SECURITY_GROUP,
    TOPIC,
    Kind,
    check_kind,
    check_list,
    check_region,
    invalid_value,
)
from annex_lease.built_forms import builder_name
from annex_lease.built_rules import build_network_conflict, build_types_conflict
from annex_lease.built_terms import BUILD_TYPES, DEFAULT_BUILD_TYPES

SUBNET = Kind("an ec2.ISubnet", "ec2.Subnet.from_subnet_id(...)", member="subnet_id")


@dataclass(frozen=True, kw_only=True)
class BuildPlace:
    """Instances and network in which an image is built and tested.

    Example, builds in a subnet of one's own::

        place = BuildPlace(
            instance_types=[ec2.InstanceType("c7g.large")],
            subnet=ec2.Subnet.from_subnet_id(stack, "Subnet", "subnet-0123456789abcdef0"),
            security_group=ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-0123456789abcdef0"),
        )

    :param instance_types: types of one processor architecture, that of the image, in order of preference.
        Default: `c6a.large` and `c6i.large`.
    :param subnet: subnet of the instances, from which they reach AWS and the package sources.
        Default: - one of the default VPC.
    :param security_group: their security group. It needs no inbound rule, and outbound 443/tcp; 80/tcp too if package
        sources of the parent are plain HTTP. Default: - the default group of the default VPC; required with a subnet.
    :param results_topic: topic of the stack's Region that receives the result of every build. Default: - none.
    :raises ValueError: a value is not allowed.
    """

    instance_types: Sequence[ec2.InstanceType] = ()
    subnet: ec2.ISubnet | None = None
    security_group: ec2.ISecurityGroup | None = None
    results_topic: sns.ITopic | None = None

    def __post_init__(self) -> None:
        """Refuse a place in which nothing could be built."""
        check_list("BuildPlace instance_types", self.instance_types, INSTANCE_TYPE)
        if self.instance_types:
            check_types("BuildPlace instance_types", self.instance_types, BUILD_TYPES, build_types_conflict)
            self._check_known()
        check_kind("BuildPlace subnet", self.subnet, SUBNET, optional=True)
        check_kind("BuildPlace security_group", self.security_group, SECURITY_GROUP, optional=True)
        check_kind("BuildPlace results_topic", self.results_topic, TOPIC, optional=True)
        check_conflicts(self, [build_network_conflict(self.subnet, self.security_group)])

    def _check_known(self) -> None:
        """Refuse a type that only CloudFormation knows: the parent is of its architecture."""
        names = [each.to_string() for each in self.instance_types]
        if any(map(Token.is_unresolved, names)):
            raise invalid_value(
                "BuildPlace instance_types",
                received=names,
                allowed="types that are known when the app is synthesised, because the parent is of their architecture",
                fix=f'pass instance_types=[ec2.InstanceType("{BUILD_TYPES.form.example}")]',
            )

    @property
    def types(self) -> list[str]:
        """The instance types by their names, with the default applied."""
        return [each.to_string() for each in self.instance_types] or list(DEFAULT_BUILD_TYPES)


def infrastructure_configuration(
    scope: Construct, construct_id: str, *, name: str, place: BuildPlace, role: iam.IRole, tags: Mapping[str, str]
) -> imagebuilder.CfnInfrastructureConfiguration:
    """The settings of the instances that build and test: IMDSv2 only, and no instance stays after a failure.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param name: the image's name.
    :param place: types, network and topic.
    :param role: role of the instances.
    :param tags: tags of the instances and their volumes.
    """
    check_region("BuildPlace results_topic", place.results_topic, scope)
    profile = iam.CfnInstanceProfile(scope, "InstanceProfile", roles=[role.role_name])
    group, topic = place.security_group, place.results_topic
    return imagebuilder.CfnInfrastructureConfiguration(
        scope,
        construct_id,
        name=builder_name(name),
        description=f"Instances that build image {name} of HTCondor annexes",
        instance_profile_name=profile.ref,
        instance_types=place.types,
        instance_metadata_options=imagebuilder.CfnInfrastructureConfiguration.InstanceMetadataOptionsProperty(
            http_tokens="required", http_put_response_hop_limit=1
        ),
        subnet_id=None if place.subnet is None else place.subnet.subnet_id,
        security_group_ids=None if group is None else [group.security_group_id],
        sns_topic_arn=None if topic is None else topic.topic_arn,
        terminate_instance_on_failure=True,
        resource_tags=dict(tags),
    )
