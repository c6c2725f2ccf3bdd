"""What the lease checker may do: look at everything it must, touch nothing but its own annex, start nothing.

Every statement is written out, so that a change of a library's `grant` cannot widen it. Describe calls of EC2 and EC2
Auto Scaling know no resources (Service Authorization Reference), the others are held to one group by its name.

The trust has no `aws:SourceArn` or `aws:SourceAccount`. IAM's advice against the confused deputy is for the services
that support the keys (IAM User Guide, "The confused deputy problem"); the Lambda Developer Guide ("Defining Lambda
function permissions with an execution role") names none of them for this trust, nor does the EC2 User Guide for
instances ("IAM roles for Amazon EC2"), and AWS publishes no list of the services that send them
(https://github.com/prowler-cloud/prowler/issues/2810). A key that is not sent makes the role one that nobody can
assume, and the lease one that nobody enforces. There is no deputy to confuse either: Lambda and EC2 take roles of
their own account only (IAM User Guide, "Grant a user permissions to pass a role to an AWS service").
"""

from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_autoscaling as autoscaling
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from annex_constructs.fleet.annex_credential import policy_arn
from annex_constructs.nag import GROUP_ARN_REASON, acknowledge_wildcard
from annex_lease.tags import TAG_END, TAG_ID


@dataclass(frozen=True, kw_only=True)
class CheckerAccess:
    """Everything a lease checker's function may touch.

    :param annex_id: the annex's id.
    :param group: its Auto Scaling group.
    :param credential: its secret: whether it has a value may be asked, the value may not be read.
    :param log_group: where the function logs.
    :param dead_letter_queue: where Lambda puts checks that failed.
    :param responder: function to which Lambda hands checks that failed.
    :param topic: where warnings are published; None publishes none.
    """

    annex_id: str
    group: autoscaling.IAutoScalingGroup
    credential: secretsmanager.ISecret
    log_group: logs.ILogGroup
    dead_letter_queue: sqs.IQueue
    responder: lambda_.IFunction
    topic: sns.ITopic | None


def checker_role(scope: Construct, construct_id: str, *, access: CheckerAccess) -> iam.Role:
    """The role of the lease checker's function.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param access: what the function may touch.
    """
    instances = Stack.of(scope).format_arn(service="ec2", resource="instance", resource_name="*")
    statements = [
        *_looking(access),
        *_acting(access, instances),
        # By these two, Lambda itself delivers what failed: with the function's role ("Capturing records of Lambda
        # asynchronous invocations" and "Dead-letter queues", Lambda Developer Guide).
        iam.PolicyStatement(
            sid="FailedChecks", actions=["sqs:SendMessage"], resources=[access.dead_letter_queue.queue_arn]
        ),
        iam.PolicyStatement(
            sid="Responder", actions=["lambda:InvokeFunction"], resources=[access.responder.function_arn]
        ),
        iam.PolicyStatement(
            sid="OwnLog",
            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
            resources=[access.log_group.log_group_arn],
        ),
    ]
    role = iam.Role(
        scope,
        construct_id,
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        description="LeaseTerms checker of one HTCondor annex",
        # In the role itself, so that there is no moment at which the role exists without them.
        inline_policies={"Check": iam.PolicyDocument(statements=statements)},
    )
    reason = "The calls that describe groups, lifecycle hooks and instances know no resources."
    acknowledge_wildcard(role, "*", reason)
    acknowledge_wildcard(role, access.group.auto_scaling_group_arn, GROUP_ARN_REASON)
    reason = "The ids of instances are not known beforehand; a condition holds the calls to those of this annex."
    acknowledge_wildcard(role, instances, reason)
    return role


def _looking(access: CheckerAccess) -> list[iam.PolicyStatement]:
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
            sid="CredentialIsThere",
            actions=["secretsmanager:DescribeSecret"],
            resources=[policy_arn(access.credential)],
        ),
    ]


def _acting(access: CheckerAccess, instances: str) -> list[iam.PolicyStatement]:
    # EC2 Auto Scaling alone can write this tag: the prefix aws: is reserved.
    own = {"StringEquals": {"ec2:ResourceTag/aws:autoscaling:groupName": access.group.auto_scaling_group_name}}
    # It takes its tag from an instance that is detached; ours stays.
    detached = {"StringEquals": {f"ec2:ResourceTag/{TAG_ID}": access.annex_id}}
    terminate = ["ec2:TerminateInstances"]
    statements = [
        iam.PolicyStatement(
            sid="OwnGroup",
            actions=[
                "autoscaling:CompleteLifecycleAction",
                "autoscaling:CreateOrUpdateTags",
                "autoscaling:DeleteWarmPool",
                "autoscaling:ResumeProcesses",
                "autoscaling:SetInstanceProtection",
                "autoscaling:SuspendProcesses",
                "autoscaling:UpdateAutoScalingGroup",
            ],
            resources=[access.group.auto_scaling_group_arn],
        ),
        iam.PolicyStatement(sid="TerminateOwnInstances", actions=terminate, resources=[instances], conditions=own),
        iam.PolicyStatement(
            sid="TerminateDetachedInstances", actions=terminate, resources=[instances], conditions=detached
        ),
        iam.PolicyStatement(
            sid="NotifyOwnInstances",
            actions=["ec2:CreateTags"],
            resources=[instances],
            conditions={**own, "ForAllValues:StringEquals": {"aws:TagKeys": [TAG_END]}},
        ),
    ]
    if access.topic is not None:
        warn = iam.PolicyStatement(sid="Warn", actions=["sns:Publish"], resources=[access.topic.topic_arn])
        statements.append(warn)
    return statements
