"""A function that EventBridge Scheduler runs, with everything that it needs."""

from collections.abc import Mapping
from dataclasses import replace

from aws_cdk import ArnFormat, Duration, FileSystem, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from annex_constructs.function_code import function_code
from annex_constructs.function_role import Permissions, function_role
from annex_constructs.nag import RUNTIME_REASON, acknowledge
from annex_lease.invocation import RUN_SECONDS

_TIMEOUT = Duration.seconds(RUN_SECONDS)
# Memory also sets the share of a processor, which is what is needed: 10,000 instances take 124 MiB, and one listing of
# them about a minute. More would cost an annex at rest more, for nothing (`python -m bench.function_cost`).
_MEMORY_MB = 384
# A run that comes late or failed is not worth repeating: the next one sees the same world.
_OLDEST_EVENT = Duration.minutes(1)
_RETRIES = 0
_KEPT = Duration.days(14)  # the longest that Amazon SQS keeps a message (Amazon SQS Developer Guide, "message quotas")


class ScheduledFunction(Construct):
    """A Lambda function that runs at a fixed rate: code, role, log, schedule, and a queue for failed runs.

    A run is never repeated. The log and the queue are removed with the stack; the queue keeps what could not be
    delivered, or failed, for 14 days.

    :param name: what the function is, such as `sweeper of HTCondor annexes`: for descriptions.
    :param description: what the function does.
    :param handler: module and function, with a dot between them.
    :param environment: the function's environment.
    :param permissions: what the function may do, besides writing its log and to its queue.
    :param event: what each run is invoked with.
    :param rate: period of the schedule, whole minutes.
    :param timeout: most that a run may take. Default: that of the lease checker, 7 minutes.
    :param on_failure: function to which Lambda hands a failed asynchronous event. Default: - none; the queue has it.
    :param log_retention: how long the log is kept. Default: one month.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        handler: str,
        environment: Mapping[str, str],
        permissions: Permissions,
        event: Mapping[str, str],
        rate: Duration,
        timeout: Duration | None = None,
        on_failure: lambda_.IFunction | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        self._name, self._timeout = name, timeout or _TIMEOUT
        # Lambda and EventBridge Scheduler send with the roles they are given. No service principal is let in: it would
        # have to be allowed for every account that it acts for.
        self._queue = sqs.Queue(
            self,
            "FailedRuns",
            retention_period=_KEPT,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        log_group = logs.LogGroup(self, "Log", retention=log_retention, removal_policy=RemovalPolicy.DESTROY)
        role = function_role(
            self,
            "Role",
            description=f"The {name}",
            permissions=_with_failures(permissions, self._queue, on_failure),
            log_group=log_group,
        )
        self._function = self._make_function(description, handler, environment, role, log_group, on_failure)
        self._schedule = self._make_schedule(dict(event), rate)
        # No run before that is there which keeps a failed one. What the function itself refers to is there anyway.
        self._schedule.node.add_dependency(
            self._function.node.find_child("EventInvokeConfig"), self._queue.node.find_child("Policy")
        )

    def _make_function(
        self,
        description: str,
        handler: str,
        environment: Mapping[str, str],
        role: iam.Role,
        log_group: logs.ILogGroup,
        on_failure: lambda_.IFunction | None,
    ) -> lambda_.Function:
        with function_code(handler) as directory:
            self._code_hash = FileSystem.fingerprint(directory)
            function = lambda_.Function(
                self,
                "Function",
                description=description,
                runtime=lambda_.Runtime.PYTHON_3_13,
                architecture=lambda_.Architecture.ARM_64,
                code=lambda_.Code.from_asset(directory),
                handler=handler,
                timeout=self._timeout,
                memory_size=_MEMORY_MB,
                # As it is: the queue and the destination would add permissions, one for every version and alias.
                role=role.without_policy_updates(),
                log_group=log_group,
                retry_attempts=_RETRIES,
                max_event_age=_OLDEST_EVENT,
                dead_letter_queue=self._queue,
                on_failure=None if on_failure is None else destinations.LambdaDestination(on_failure),
                environment=dict(environment),
            )
        function.node.add_dependency(role)
        acknowledge(function, "AwsSolutions-L1", RUNTIME_REASON)
        return function

    def _make_schedule(self, event: dict[str, str], rate: Duration) -> scheduler.Schedule:
        target = targets.LambdaInvoke(
            self._function,
            input=scheduler.ScheduleTargetInput.from_object(event),
            retry_attempts=_RETRIES,
            max_event_age=_OLDEST_EVENT,
            dead_letter_queue=self._queue,
            # As it is: the target would add permission for every version and alias of the function.
            role=self._make_scheduler_role().without_policy_updates(),
        )
        return scheduler.Schedule(
            self,
            "Schedule",
            description=f"Runs the {self._name}",
            schedule=scheduler.ScheduleExpression.rate(rate),
            target=target,
        )

    def _make_scheduler_role(self) -> iam.Role:
        """IAM role that lets EventBridge Scheduler invoke the function, for schedules of the default group.

        A schedule group of its own would use up one of an account's 500. The trust is what the EventBridge Scheduler
        User Guide gives against the confused deputy: the account, and the ARN of the schedule group. By the same role
        the scheduler puts what it could not deliver into the queue ("Configuring a schedule's dead-letter queue in
        EventBridge Scheduler").
        """
        stack = Stack.of(self)
        group = stack.format_arn(
            service="scheduler",
            resource="schedule-group",
            resource_name="default",
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        principal = iam.ServicePrincipal(
            "scheduler.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": stack.account, "aws:SourceArn": group}},
        )
        invoke = iam.PolicyStatement(
            sid="Invoke", actions=["lambda:InvokeFunction"], resources=[self._function.function_arn]
        )
        failed = iam.PolicyStatement(
            sid="FailedDeliveries", actions=["sqs:SendMessage"], resources=[self._queue.queue_arn]
        )
        return iam.Role(
            self,
            "SchedulerRole",
            assumed_by=principal,
            description=f"Runs the {self._name}",
            # In the role itself, so that there is no moment at which the role exists without them.
            inline_policies={"Run": iam.PolicyDocument(statements=[invoke, failed])},
        )

    @property
    def function(self) -> lambda_.Function:
        """The function."""
        return self._function

    @property
    def code_hash(self) -> str:
        """Hash of the function's sources: another text for other code."""
        return self._code_hash

    @property
    def schedule(self) -> scheduler.Schedule:
        """The schedule that runs the function."""
        return self._schedule

    @property
    def dead_letter_queue(self) -> sqs.Queue:
        """The queue for runs that could not be delivered, or failed."""
        return self._queue


def _with_failures(permissions: Permissions, queue: sqs.IQueue, on_failure: lambda_.IFunction | None) -> Permissions:
    """The permissions by which Lambda itself delivers what failed, besides those given.

    It does so with the function's role ("Capturing records of Lambda asynchronous invocations" and "Dead-letter
    queues", Lambda Developer Guide).
    """
    added = [iam.PolicyStatement(sid="FailedRuns", actions=["sqs:SendMessage"], resources=[queue.queue_arn])]
    if on_failure is not None:
        invoke = iam.PolicyStatement(
            sid="OnFailure", actions=["lambda:InvokeFunction"], resources=[on_failure.function_arn]
        )
        added.append(invoke)
    return replace(permissions, statements=[*permissions.statements, *added])
