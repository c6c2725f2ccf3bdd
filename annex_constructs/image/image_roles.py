"""Roles of an image's builds: of the instances, of Image Builder, and of the removal of old images.

The trust has no `aws:SourceAccount`, for the reason that `annex_constructs.function_role` gives. AWS's own trust of
such a role has none (EC2 Image Builder User Guide, "Create an IAM role for Image Builder lifecycle management").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from annex_constructs.nag import acknowledge_managed_policy, acknowledge_wildcard
from annex_lease.built_forms import builder_name, image_log_group, image_parameter
from annex_lease.tags import TAG_IMAGE

_EC2, _BUILDER = "ec2.amazonaws.com", "imagebuilder.amazonaws.com"
_EXECUTION_POLICY = "service-role/EC2ImageBuilderExecutionPolicy"
_CREATED_BY = {"aws:ResourceTag/CreatedBy": "EC2 Image Builder"}
# The part of AmazonSSMManagedInstanceCore that runs commands: no values of parameters, no patches, no packages.
_AGENT = (
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
    "ssm:DescribeAssociation",
    "ssm:DescribeDocument",
    "ssm:GetDocument",
    "ssm:GetManifest",
    "ssm:ListAssociations",
    "ssm:ListInstanceAssociations",
    "ssm:UpdateAssociationStatus",
    "ssm:UpdateInstanceAssociationStatus",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
_ANY = "The actions know no resource (Service Authorization Reference), or none that is known before the build."
_VERSION = "The end of the ARN is a version that Image Builder counts; the name is the image's own."
_NOT_BUILT = "Ids and Regions are those of images that are not built yet; the condition names the image by its tags."


@dataclass(frozen=True, kw_only=True)
class _Allowed:
    actions: Iterable[str]
    resource: str
    why_wildcard: str = ""
    conditions: Mapping[str, object] = field(default_factory=dict)


def build_instance_role(scope: Construct, construct_id: str, name: str) -> iam.Role:
    """Role of the instances that build and test an image.

    AWS documents `EC2InstanceProfileForImageBuilder` and `AmazonSSMManagedInstanceCore` for it (EC2 Image Builder User
    Guide, "Use AWS managed policies for EC2 Image Builder"). These statements are the part of the two that a build of
    this image needs. The managed ones read every component, every ISO file and every parameter of the account too.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param name: the image's name.
    """
    stack = Stack.of(scope)
    components = stack.format_arn(service="imagebuilder", resource="component", resource_name=f"{builder_name(name)}-*")
    group = stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=image_log_group(name),
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )
    allowed = {
        "OwnComponents": _Allowed(actions=["imagebuilder:GetComponent"], resource=components, why_wildcard=_VERSION),
        "BuildAgent": _Allowed(
            actions=["s3:GetObject"],
            resource=f"arn:{stack.partition}:s3:::ec2imagebuilder*",
            why_wildcard="AWS's own bucket with the program that runs components; the managed policy names it so.",
        ),
        "SystemsManagerAgent": _Allowed(actions=_AGENT, resource="*", why_wildcard=_ANY),
        "OwnLog": _Allowed(
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            resource=f"{group}:*",
            why_wildcard="The end of the ARN stands for the log streams of the one group.",
        ),
    }
    description = f"Instances that build image {name} of HTCondor annexes"
    return _role(scope, construct_id, service=_EC2, description=description, allowed=allowed)


def execution_role(
    scope: Construct,
    construct_id: str,
    *,
    name: str,
    instance_role: iam.IRole,
    regions: Iterable[str],
    parent_parameter: str | None,
) -> iam.Role:
    """Role with which Image Builder builds, tests and distributes an image.

    Its service-linked role would do, but for the parameter: that role may write parameters below `/imagebuilder/` only
    (EC2 Image Builder User Guide, "Prerequisites for SSM output parameters"). AWS's managed policy has what the
    service-linked role has, and grows with the service. It may pass any role to EC2, so a denial leaves it one.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param name: the image's name.
    :param instance_role: role of the instances that build the image.
    :param regions: Regions of the image.
    :param parent_parameter: ARN of the parameter with the parent's id; None: there is none, or a public one, which
        the managed policy covers.
    """
    stack = Stack.of(scope)
    parameters = [_parameter_arn(stack, name, region) for region in regions]
    statements = [
        iam.PolicyStatement(
            sid="OnlyOwnInstances",
            effect=iam.Effect.DENY,
            actions=["iam:PassRole"],
            not_resources=[instance_role.role_arn],
        ),
        iam.PolicyStatement(sid="NewestImage", actions=["ssm:GetParameter", "ssm:PutParameter"], resources=parameters),
    ]
    if parent_parameter is not None:
        read = iam.PolicyStatement(sid="Parent", actions=["ssm:GetParameter"], resources=[parent_parameter])
        statements.append(read)
    role = iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal(_BUILDER),
        description=f"EC2 Image Builder builds image {name} of HTCondor annexes",
        managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_EXECUTION_POLICY)],
        inline_policies={"Run": iam.PolicyDocument(statements=statements)},
    )
    reason = "AWS maintains it with the service; the widest right in it, to pass any role, is denied here."
    acknowledge_managed_policy(role, _EXECUTION_POLICY, reason)
    return role


def removal_role(scope: Construct, construct_id: str, name: str) -> iam.Role:
    """Role with which Image Builder removes old images of this name, and their snapshots.

    It is the part of `EC2ImageBuilderLifecycleExecutionPolicy` that deletes (AWS Managed Policy Reference), held to
    images with the tag of this one.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param name: the image's name.
    """
    stack = Stack.of(scope)
    records = stack.format_arn(service="imagebuilder", resource="image", resource_name=f"{builder_name(name)}/*")
    tagged = {"StringEquals": {**_CREATED_BY, f"aws:ResourceTag/{TAG_IMAGE}": name}}
    allowed = {
        "OldImages": _Allowed(
            actions=["ec2:DeregisterImage", "ec2:DescribeImageAttribute"],
            resource=f"arn:{stack.partition}:ec2:*::image/*",
            why_wildcard=_NOT_BUILT,
            conditions=tagged,
        ),
        # Image Builder gives a snapshot its own tags, and not those of the image.
        "OldSnapshots": _Allowed(
            actions=["ec2:DeleteSnapshot"],
            resource=f"arn:{stack.partition}:ec2:*::snapshot/*",
            why_wildcard=_NOT_BUILT,
            conditions={"StringEquals": _CREATED_BY},
        ),
        "OldRecords": _Allowed(actions=["imagebuilder:DeleteImage"], resource=records, why_wildcard=_VERSION),
        "Find": _Allowed(actions=["ec2:DescribeImages", "tag:GetResources"], resource="*", why_wildcard=_ANY),
    }
    description = f"EC2 Image Builder removes old images {name} of HTCondor annexes"
    return _role(scope, construct_id, service=_BUILDER, description=description, allowed=allowed)


def _role(
    scope: Construct, construct_id: str, *, service: str, description: str, allowed: Mapping[str, _Allowed]
) -> iam.Role:
    statements = [
        iam.PolicyStatement(
            sid=sid, actions=list(each.actions), resources=[each.resource], conditions=dict(each.conditions)
        )
        for sid, each in allowed.items()
    ]
    role = iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal(service),
        description=description,
        inline_policies={"Run": iam.PolicyDocument(statements=statements)},
    )
    for each in allowed.values():
        acknowledge_wildcard(role, each.resource, each.why_wildcard)
    return role


def _parameter_arn(stack: Stack, name: str, region: str) -> str:
    parameter = image_parameter(name).removeprefix("/")
    return stack.format_arn(service="ssm", region=region, resource="parameter", resource_name=parameter)
