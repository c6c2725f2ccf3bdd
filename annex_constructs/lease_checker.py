"""The one who gives a fleet its capacity, and takes it away when the lease ends."""

from aws_cdk import CustomResource, Duration, RemovalPolicy, Tags, Token, Tokenization
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from annex_constructs.acknowledgement import acknowledge
from annex_constructs.checker_code import HANDLER, CheckerCode
from annex_constructs.checker_role import checker_role
from annex_constructs.fleet import AnnexFleet
from annex_constructs.fleet_checks import LARGEST_SIZE
from annex_constructs.lease import Lease
from annex_constructs.misuse import check_whole_number
from annex_constructs.scheduler_role import scheduler_role
from annex_lease.contract import TAG_NAME, policy_tags

_TIMEOUT = Duration.minutes(2)
# Longer than a crash at once, Lambda's minute before it tries again, and a second run; CloudFormation would wait 1 h.
_SERVICE_TIMEOUT = Duration.minutes(4)


class LeaseChecker(Construct):
    """Grants a fleet its size while the lease lasts, and empties it when the lease ends.

    A function that looks every minute and makes the world match the lease. The lease itself is a few tags on the
    fleet's group, which this construct declares. The same function serves a custom resource of the stack: at
    deployment the fleet is granted at once, and before anything is removed the fleet is emptied. Nothing is granted
    before the schedule and all permissions exist, nor before the credential holds a value.

    :param fleet: the fleet; it can have one checker.
    :param lease: until when the fleet may have instances.
    :param size: how many instances to grant, 0 to the fleet's `max_size`. Default: - `max_size`.
    :param credential: secret that must hold a value before anything is granted. Default: - the fleet's.
    :param log_retention: how long the function's log is kept while the annex exists. Default: one month.
    :raises ValueError: a value is not allowed, or the fleet has a checker already.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        fleet: AnnexFleet,
        lease: Lease,
        size: float | None = None,
        credential: secretsmanager.ISecret | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        declared = self._declare(fleet, lease, fleet.max_size if size is None else size)
        credential = credential or fleet.credential
        log_group = logs.LogGroup(self, "Log", retention=log_retention, removal_policy=RemovalPolicy.DESTROY)
        group = fleet.auto_scaling_group
        role = checker_role(self, "Role", group=group, credential=credential, log_group=log_group)
        with CheckerCode() as code:
            self._function = lambda_.Function(
                self,
                "Function",
                description=f"Lease checker of annex {fleet.annex_name}",
                runtime=lambda_.Runtime.PYTHON_3_13,
                architecture=lambda_.Architecture.ARM_64,
                code=code,
                handler=HANDLER,
                timeout=_TIMEOUT,
                memory_size=256,
                role=role,
                log_group=log_group,
                environment={
                    "ANNEX_GROUP": group.auto_scaling_group_name,
                    "ANNEX_CREDENTIAL": credential.secret_arn,
                },
            )
        reason = "3.13 is tested and supported until 2029; a newer runtime is a decision, not an effect of an update."
        acknowledge(self._function, "AwsSolutions-L1", reason)
        self._schedule = self._make_schedule()
        self._make_custom_resource(fleet, role, declared)
        Tags.of(self).add(TAG_NAME, fleet.annex_name)

    def _declare(self, fleet: AnnexFleet, lease: Lease, size: float) -> dict[str, str]:
        """Write the lease on the group, as its record."""
        known = not Token.is_unresolved(fleet.max_size)
        most = int(fleet.max_size) if known else LARGEST_SIZE
        fix = "pass a size within the fleet's max_size"
        check_whole_number("LeaseChecker size", size, least=0, most=most, fix=fix)
        unresolved = Token.is_unresolved(size)
        policy = lease.to_policy(fleet.annex_name, 0 if unresolved else int(size))
        tags = policy_tags(policy, size=Tokenization.stringify_number(size) if unresolved else None)
        fleet.declare_lease(tags)
        return {tag.key: tag.value for tag in tags}

    def _make_schedule(self) -> scheduler.Schedule:
        role = scheduler_role(self, "SchedulerRole", function=self._function)
        target = targets.LambdaInvoke(
            self._function,
            input=scheduler.ScheduleTargetInput.from_object({"check": "scheduled"}),
            # A check that comes late is worth nothing: the next one sees the same world.
            retry_attempts=0,
            max_event_age=Duration.minutes(1),
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

    def _make_custom_resource(self, fleet: AnnexFleet, role: iam.Role, declared: dict[str, str]) -> None:
        resource = CustomResource(
            self,
            "Lease",
            service_token=self._function.function_arn,
            service_timeout=_SERVICE_TIMEOUT,
            resource_type="Custom::AnnexLease",
            # A changed lease or size is checked by the deployment that changed it.
            properties={"Declared": declared},
        )
        # No check before all that can start or stop an instance, and its way to the outside, is there.
        self._schedule.node.add_dependency(fleet, fleet.vpc, role)
        # Made last and removed first: all that can start or stop an instance, and its way to the outside, is there
        # before the first grant and until the fleet is empty.
        resource.node.add_dependency(fleet, fleet.vpc, self._schedule, role)

    @property
    def function(self) -> lambda_.IFunction:
        """The function; invoke it with any event that has no RequestType for a check at once."""
        return self._function

    @property
    def schedule(self) -> scheduler.ISchedule:
        """What runs the function every minute."""
        return self._schedule
