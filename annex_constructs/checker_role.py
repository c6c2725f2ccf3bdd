"""What the lease checker may do: look at everything it must, touch nothing but its own annex, start nothing.

Every statement is written out, so that a change of a library's `grant` cannot widen it. Describe calls of EC2 and EC2
Auto Scaling know no resources (Service Authorization Reference), the others are held to one group by its name.
"""

from aws_cdk import Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from annex_constructs.acknowledgement import GROUP_ARN_REASON, acknowledge, acknowledge_wildcard
from annex_lease.contract import TAG_END


def checker_role(
    scope: Construct,
    construct_id: str,
    *,
    group: autoscaling.IAutoScalingGroup,
    credential: secretsmanager.ISecret,
    log_group: logs.ILogGroup,
) -> iam.Role:
    """The role of the lease checker's function.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param group: the annex's Auto Scaling group.
    :param credential: the annex's secret: whether it has a value may be asked, the value may not be read.
    :param log_group: where the function logs.
    """
    instances = Stack.of(scope).format_arn(service="ec2", resource="instance", resource_name="*")
    statements = _statements(group, credential, log_group, instances)
    role = iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description="Lease checker of one HTCondor annex",
        # In the role itself, so that there is no moment at which the role exists without them.
        inline_policies={"Check": iam.PolicyDocument(statements=statements)},
    )
    reason = "The calls that describe groups, lifecycle hooks and instances know no resources."
    acknowledge(role, "AwsSolutions-IAM5[Resource::*]", reason)
    acknowledge_wildcard(role, group.auto_scaling_group_arn, GROUP_ARN_REASON)
    reason = "The ids of instances are not known beforehand; a condition holds the calls to those of this group."
    acknowledge_wildcard(role, instances, reason)
    return role


def _statements(
    group: autoscaling.IAutoScalingGroup,
    credential: secretsmanager.ISecret,
    log_group: logs.ILogGroup,
    instances: str,
) -> list[iam.PolicyStatement]:
    # EC2 Auto Scaling alone can write this tag: the prefix aws: is reserved.
    own = {"StringEquals": {"ec2:ResourceTag/aws:autoscaling:groupName": group.auto_scaling_group_name}}
    return [
        iam.PolicyStatement(
            sid="Look",
            actions=[
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeLifecycleHooks",
                "ec2:DescribeInstances",
            ],
            resources=["*"],
        ),
        iam.PolicyStatement(
            sid="OwnGroup",
            actions=[
                "autoscaling:CompleteLifecycleAction",
                "autoscaling:CreateOrUpdateTags",
                "autoscaling:SetInstanceProtection",
                "autoscaling:SuspendProcesses",
                "autoscaling:UpdateAutoScalingGroup",
            ],
            resources=[group.auto_scaling_group_arn],
        ),
        iam.PolicyStatement(
            sid="TerminateOwnInstances", actions=["ec2:TerminateInstances"], resources=[instances], conditions=own
        ),
        iam.PolicyStatement(
            sid="TellOwnInstances",
            actions=["ec2:CreateTags"],
            resources=[instances],
            conditions={**own, "ForAllValues:StringEquals": {"aws:TagKeys": [TAG_END]}},
        ),
        iam.PolicyStatement(
            sid="CredentialIsThere", actions=["secretsmanager:DescribeSecret"], resources=[credential.secret_arn]
        ),
        iam.PolicyStatement(
            sid="OwnLog",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[log_group.log_group_arn],
        ),
    ]
