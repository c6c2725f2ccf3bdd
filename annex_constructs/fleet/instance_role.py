"""What an execution point may do in AWS: read its own credential, leave its own group, stay in it while busy."""

from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_iam as iam
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from annex_constructs.nag import GROUP_ARN_REASON, acknowledge_wildcard


class AnnexInstanceRole(iam.Role):
    """The role of an annex's instances. It can read one secret, and nothing else until more is granted.

    Jobs never act with this role: the instance closes the metadata service to everyone but root before HTCondor
    starts. What an execution point's own software should be allowed is granted as to any role:
    `bucket.grant_read(fleet)`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, credential: secretsmanager.ISecret) -> None:
        """Make the role.

        :param scope: parent construct.
        :param construct_id: id in that scope.
        :param credential: the secret that holds the annex's token.
        """
        # By hand and not by credential.grant_read, which would also allow secretsmanager:DescribeSecret.
        read = iam.PolicyStatement(
            sid="OwnCredential", actions=["secretsmanager:GetSecretValue"], resources=[credential.secret_arn]
        )
        super().__init__(
            scope,
            construct_id,
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
            description="Execution points of an HTCondor annex: read the annex's own credential",
            inline_policies={"Credential": iam.PolicyDocument(statements=[read])},
        )


def retirement_policy(
    scope: Construct, construct_id: str, *, role: iam.IRole, group: autoscaling.IAutoScalingGroup
) -> iam.Policy:
    """Let instances leave their group for good: an idle execution point terminates itself without being replaced.

    No condition key can restrict the call to the caller's own instance, or force the decrement of the desired
    capacity (Service Authorization Reference, "Amazon EC2 Auto Scaling"); the group's ARN is the limit there is.

    :param scope: parent construct; not the role, or else the launch template, which waits for the role and all its
        policies, would wait for a policy that needs the group made of that launch template.
    :param construct_id: id in that scope.
    :param role: role of the instances.
    :param group: their Auto Scaling group.
    """
    statement = iam.PolicyStatement(
        sid="LeaveOwnGroup",
        actions=["autoscaling:TerminateInstanceInAutoScalingGroup"],
        resources=[group.auto_scaling_group_arn],
    )
    policy = iam.Policy(scope, construct_id, statements=[statement], roles=[role])
    acknowledge_wildcard(policy, group.auto_scaling_group_arn, GROUP_ARN_REASON)
    return policy


def busy_policy(
    scope: Construct, construct_id: str, *, role: iam.IRole, group: autoscaling.IAutoScalingGroup
) -> iam.Policy:
    """Let instances of their group protect themselves from scale-in while they are busy, and take that back.

    No condition key can restrict the call to the caller's own instance (Service Authorization Reference, "Amazon EC2
    Auto Scaling"); the group's ARN is the limit there is. What protection can do wrong is bounded by the lease
    checker, which clears it at the end of the lease.

    :param scope: parent construct; not the role, for the reason given at :func:`retirement_policy`.
    :param construct_id: id in that scope.
    :param role: role of the instances.
    :param group: their Auto Scaling group.
    """
    statement = iam.PolicyStatement(
        sid="ProtectWhileBusy",
        actions=["autoscaling:SetInstanceProtection"],
        resources=[group.auto_scaling_group_arn],
    )
    policy = iam.Policy(scope, construct_id, statements=[statement], roles=[role])
    acknowledge_wildcard(policy, group.auto_scaling_group_arn, GROUP_ARN_REASON)
    return policy
