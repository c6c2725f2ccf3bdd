"""The one who gives a fleet its capacity, and takes it away when the lease ends."""

from aws_cdk import CustomResource, Duration, RemovalPolicy, Tags, Token, Tokenization
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IDependable

from annex_constructs.dead_letter_queue import dead_letter_queue
from annex_constructs.errors import check_whole_number, invalid_value
from annex_constructs.fleet.annex_fleet import AnnexFleet, declare_lease
from annex_constructs.function_code import function_code
from annex_constructs.lease.checker_responder import CheckerResponder
from annex_constructs.lease.checker_role import CheckerAccess, checker_role
from annex_constructs.lease.lease_terms import LeaseTerms
from annex_constructs.nag import RUNTIME_REASON, acknowledge
from annex_constructs.scheduler_role import scheduler_role
from annex_lease.invocation import CheckerSettings
from annex_lease.policy import policy_tags
from annex_lease.tags import TAG_ID, TAG_NAME
from annex_lease.terms import SIZE

_HANDLER = "annex_lease.handler.handler"
_TIMEOUT = Duration.minutes(4)
# Longer than a run that times out, and then the responder's; CloudFormation itself would wait for an hour.
_SERVICE_TIMEOUT = Duration.minutes(10)
# A check that comes late is worth nothing: the next one, a minute later, sees the same world.
_OLDEST_EVENT = Duration.minutes(1)


class LeaseChecker(Construct):
    """Grants a fleet its size while the lease lasts, and empties it when the lease ends.

    A function that looks every minute and makes the world match the lease. The lease itself is a few tags on the
    fleet's group, which this construct declares. The same function serves a custom resource of the stack: at
    deployment the fleet is granted at once, and before anything is removed the fleet is emptied. Nothing is granted
    before the schedule and all permissions exist, nor before the credential holds a value. Checks that could not be
    delivered, or failed, are kept in a dead-letter queue for 14 days.

    :param fleet: the fleet; it can have one checker.
    :param lease: until when the fleet may have instances.
    :param size: how many instances to grant, 0 to the fleet's `max_size`. Default: - `max_size`.
    :param credential: secret that must hold a value before anything is granted. Default: - the fleet's.
    :param topic: where the lease's warning is published. Default: - nowhere.
    :param log_retention: how long the function's log is kept while the annex exists. Default: one month.
    :raises ValueError: a value is not allowed, the fleet has a checker already, or the lease does not go with the
        fleet's execution points.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        fleet: AnnexFleet,
        lease: LeaseTerms,
        size: float | None = None,
        credential: secretsmanager.ISecret | None = None,
        topic: sns.ITopic | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        declared = self._declare(fleet, lease, fleet.max_size if size is None else size)
        self._annex_name = fleet.annex_name
        self._annex_id = fleet.annex_id
        self._dead_letter_queue = dead_letter_queue(self, "FailedChecks")
        self._responder = CheckerResponder(
            self,
            "Responder",
            group=fleet.auto_scaling_group,
            annex_name=fleet.annex_name,
            annex_id=fleet.annex_id,
        )
        access = CheckerAccess(
            annex_id=fleet.annex_id,
            group=fleet.auto_scaling_group,
            credential=credential or fleet.credential,
            log_group=logs.LogGroup(self, "Log", retention=log_retention, removal_policy=RemovalPolicy.DESTROY),
            dead_letter_queue=self._dead_letter_queue,
            responder=self._responder.function,
            topic=topic,
        )
        self._function = self._make_function(access)
        self._schedule = self._make_schedule()
        self._resource = self._make_custom_resource(access.group.auto_scaling_group_name, declared)
        # No check before all that can start or stop an instance, and its way to the outside, is there. What the
        # function and its role refer to is there before them anyway; what becomes of a check that fails is not.
        failing = [
            self._function.node.find_child("EventInvokeConfig"),
            self._dead_letter_queue.node.find_child("Policy"),
        ]
        self._schedule.node.add_dependency(fleet, fleet.vpc, *failing)
        self.wait_for(self._schedule)
        Tags.of(self).add(TAG_NAME, fleet.annex_name)
        Tags.of(self).add(TAG_ID, fleet.annex_id)

    def wait_for(self, *dependencies: IDependable) -> None:
        """Grant nothing at deployment before these exist, and remove them only when the fleet is empty.

        :param dependencies: for example what tells somebody that the lease is not enforced.
        """
        # The custom resource is made last and removed first.
        self._resource.node.add_dependency(*dependencies)

    def _declare(self, fleet: AnnexFleet, lease: LeaseTerms, size: float) -> dict[str, str]:
        """Write the lease on the group, as its record."""
        known = not Token.is_unresolved(fleet.max_size)
        most = int(fleet.max_size) if known else None
        check_whole_number("LeaseChecker size", size, SIZE, minimum=0, maximum=most)
        lease.check_drain(fleet.execution_point.drain_before_end_seconds)
        if lease.renew_while_busy is not None and not fleet.protect_busy:
            raise invalid_value(
                "LeaseChecker lease",
                received="a lease that is renewed while busy",
                allowed="such a lease with a fleet whose instances protect themselves while busy: nothing else tells",
                fix="pass protect_busy=True to the AnnexFleet, or leave renew_while_busy out",
            )
        unresolved = Token.is_unresolved(size)
        policy = lease.to_policy(fleet.annex_name, 0 if unresolved else int(size))
        text = Tokenization.stringify_number(size) if unresolved else None
        tags = policy_tags(policy, size=text, annex_id=fleet.annex_id)
        declare_lease(fleet, tags)
        return {tag.key: tag.value for tag in tags}

    def _make_function(self, access: CheckerAccess) -> lambda_.Function:
        role = checker_role(self, "Role", access=access)
        with function_code(_HANDLER) as code:
            function = lambda_.Function(
                self,
                "Function",
                description=f"LeaseTerms checker of annex {self._annex_name}",
                runtime=lambda_.Runtime.PYTHON_3_13,
                architecture=lambda_.Architecture.ARM_64,
                code=lambda_.Code.from_asset(code),
                handler=_HANDLER,
                timeout=_TIMEOUT,
                memory_size=256,
                # As it is: the queue and the responder would add permissions, one for every version and alias.
                role=role.without_policy_updates(),
                log_group=access.log_group,
                retry_attempts=0,
                max_event_age=_OLDEST_EVENT,
                dead_letter_queue=access.dead_letter_queue,
                on_failure=destinations.LambdaDestination(access.responder),
                environment=CheckerSettings(
                    group=access.group.auto_scaling_group_name,
                    credential=access.credential.secret_arn,
                    name=self._annex_name,
                    id=access.annex_id,
                    topic="" if access.topic is None else access.topic.topic_arn,
                ).to_environ(),
            )
        function.node.add_dependency(role)
        acknowledge(function, "AwsSolutions-L1", RUNTIME_REASON)
        return function

    def _make_schedule(self) -> scheduler.Schedule:
        queue = self._dead_letter_queue
        role = scheduler_role(self, "SchedulerRole", function=self._function, dead_letter_queue=queue)
        target = targets.LambdaInvoke(
            self._function,
            input=scheduler.ScheduleTargetInput.from_object({"check": "scheduled"}),
            retry_attempts=0,
            max_event_age=_OLDEST_EVENT,
            dead_letter_queue=queue,
            # As it is: the target would add permission for every version and alias of the function.
            role=role.without_policy_updates(),
        )
        return scheduler.Schedule(
            self,
            "Schedule",
            description="Looks at the annex's lease every minute",
            schedule=scheduler.ScheduleExpression.rate(Duration.minutes(1)),
            target=target,
        )

    def _make_custom_resource(self, group: str, declared: dict[str, str]) -> CustomResource:
        return CustomResource(
            self,
            "Lease",
            service_token=self._function.function_arn,
            service_timeout=_SERVICE_TIMEOUT,
            resource_type="Custom::AnnexLease",
            # A lease, a size or a group that changed is checked by the deployment that changed it.
            properties={"Group": group, "Declared": declared},
        )

    @property
    def annex_name(self) -> str:
        """The annex's name."""
        return self._annex_name

    @property
    def annex_id(self) -> str:
        """What no other annex has, be it of the same name in another stack."""
        return self._annex_id

    @property
    def function(self) -> lambda_.IFunction:
        """The function; invoke it with any event that has no RequestType for a check at once."""
        return self._function

    @property
    def schedule(self) -> scheduler.ISchedule:
        """What runs the function every minute."""
        return self._schedule

    @property
    def first_check(self) -> IDependable:
        """The check of a deployment: what depends on it is made after it, and removed before the fleet is emptied."""
        return self._resource

    @property
    def dead_letter_queue(self) -> sqs.IQueue:
        """Where checks are kept that could not be delivered, or failed."""
        return self._dead_letter_queue
