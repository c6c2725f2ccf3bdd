"""By which right EventBridge Scheduler runs a function."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct


def scheduler_role(
    scope: Construct,
    construct_id: str,
    *,
    function: lambda_.IFunction,
    dead_letter_queue: sqs.IQueue,
    description: str = "Runs the lease checker every minute",
) -> iam.Role:
    """The role by which EventBridge Scheduler runs the function, for schedules of this account's default group.

    A schedule group of its own would use up one of an account's 500. The trust is what the EventBridge Scheduler User
    Guide gives against the confused deputy: the account, and the ARN of the schedule group.

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param function: the function to run; its unqualified ARN is all that is allowed.
    :param dead_letter_queue: where EventBridge Scheduler puts what it could not deliver, by this same role
        ("Configuring a schedule's dead-letter queue in EventBridge Scheduler").
    :param description: what the role says of itself. Default: - that it runs the lease checker.
    """
    stack = Stack.of(scope)
    group = stack.format_arn(service="scheduler", resource="schedule-group", resource_name="default")
    principal = iam.ServicePrincipal(
        "scheduler.amazonaws.com",
        conditions={"StringEquals": {"aws:SourceAccount": stack.account, "aws:SourceArn": group}},
    )
    check = iam.PolicyStatement(sid="Check", actions=["lambda:InvokeFunction"], resources=[function.function_arn])
    failed = iam.PolicyStatement(
        sid="FailedDeliveries", actions=["sqs:SendMessage"], resources=[dead_letter_queue.queue_arn]
    )
    return iam.Role(
        scope,
        construct_id,
        assumed_by=principal,
        description=description,
        # In the role itself, so that there is no moment at which the role exists without them.
        inline_policies={"Check": iam.PolicyDocument(statements=[check, failed])},
    )
