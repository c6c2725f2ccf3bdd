"""Execution role of a Lambda function, from statements that are written out.

A change of a library's `grant` cannot widen such a role. The statements are in the role itself, so that there is no
moment at which the role exists without them.

The trust has no `aws:SourceArn` or `aws:SourceAccount`. IAM's advice against the confused deputy is for the services
that support the keys (IAM User Guide, "The confused deputy problem"). The Lambda Developer Guide ("Defining Lambda
function permissions with an execution role") names none of them for this trust, nor does the EC2 User Guide for
instances ("IAM roles for Amazon EC2"). AWS publishes no list of the services that send them
(https://github.com/prowler-cloud/prowler/issues/2810). With a key that is not sent, no service could assume the role,
and the lease would not be enforced. There is no deputy to confuse either: Lambda and EC2 take roles of their own
account only (IAM User Guide, "Grant a user permissions to pass a role to an AWS service").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from annex_constructs.nag import acknowledge_wildcard


@dataclass(frozen=True, kw_only=True)
class Permissions:
    """Permissions of a function.

    :param statements: the statements.
    :param wildcards: each resource of them that holds a wildcard, with the reason why it cannot be narrower.
    """

    statements: Sequence[iam.PolicyStatement]
    wildcards: Mapping[str, str] = field(default_factory=dict)


def function_role(
    scope: Construct, construct_id: str, *, description: str, permissions: Permissions, log_group: logs.ILogGroup
) -> iam.Role:
    """The execution role of a function: what it may do, and writing its own log.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param description: description of the role.
    :param permissions: what the function may do.
    :param log_group: log group of the function.
    """
    own_log = iam.PolicyStatement(
        sid="OwnLog", actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
    )
    document = iam.PolicyDocument(statements=[*permissions.statements, own_log])
    role = iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description=description,
        inline_policies={"Run": document},
    )
    for resource, reason in permissions.wildcards.items():
        acknowledge_wildcard(role, resource, reason)
    return role
