"""The lease checker: grants a fleet its capacity and removes it when the lease ends."""

from aws_cdk import CustomResource, Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from annex_constructs.alarm_topic import given_or_own_topic
from annex_constructs.errors import LOG_RETENTION, SECRET, Kind, check_kinds, invalid_value
from annex_constructs.fleet.annex_fleet import AnnexFleet
from annex_constructs.identity import life_scope, portable_annex_id, tag_annex
from annex_constructs.lease.checker_permissions import OwnAnnex, checker_permissions
from annex_constructs.lease.checker_responder import CheckerResponder
from annex_constructs.lease.lease_declaration import LeaseDeclaration
from annex_constructs.lease.lease_metrics import CHECK_RATE, LeaseMetrics
from annex_constructs.lease.lease_terms import LeaseTerms
from annex_constructs.scheduled_function import ScheduledFunction
from annex_lease.invocation import SCHEDULED_CHECK, CheckerSettings

_HANDLER = "annex_lease.handler.handler"
# A request may wait for a minute, a run times out after 7 minutes, and the responder's after 5; the rest is slack.
# CloudFormation itself would wait for an hour.
_SERVICE_TIMEOUT = Duration.minutes(15)

_KINDS = {
    "fleet": Kind("an AnnexFleet", "AnnexFleet(...)", AnnexFleet),
    "lease": Kind("LeaseTerms", "LeaseTerms(duration=Duration.hours(8))", LeaseTerms),
    "credential": SECRET,
    "log_retention": LOG_RETENTION,
}


class LeaseChecker(LeaseMetrics, Construct):
    """Grants a fleet its size while the lease lasts, and empties it when the lease ends.

    A function that looks every minute and makes the fleet match the lease. The lease itself is a few tags on the
    fleet's group, which this construct declares. The same function serves a custom resource of the stack: at
    deployment the fleet is granted at once, and before anything is removed the fleet is emptied. Nothing is granted
    before the schedule and all permissions exist, nor before the credential holds a value. Checks that could not be
    delivered, or failed, are kept in a dead-letter queue for 14 days. What the checker finds, the end that comes near
    and a lease that is not in order, it publishes to a topic.

    Example, a fleet of your own with a lease of eight hours::

        fleet = AnnexFleet(stack, "Muon", vpc=vpc, instance_types=types, max_size=20, execution_point=point)
        checker = LeaseChecker(stack, "Lease", fleet=fleet, lease=LeaseTerms(duration=Duration.hours(8)))
        LeaseAlarms(stack, "Alarms", checker=checker)

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param fleet: the fleet; it can have one checker.
    :param lease: until when the fleet may have instances.
    :param size: how many instances to grant, 0 to the fleet's `max_size`. Default: - `max_size`.
    :param credential: secret that must hold a value before anything is granted. Default: - the fleet's.
    :param alarm_topic: topic of the same Region for the messages of the checker, and for alarms about it; it must let
        CloudWatch publish. Default: - a new `AlarmTopic`.
    :param alarm_email: address to subscribe to the new topic; AWS asks it to confirm.
        Default: - no address is subscribed.
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
        alarm_topic: sns.ITopic | None = None,
        alarm_email: str | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        check_kinds("LeaseChecker", locals(), _KINDS, {"credential"})
        _check_stack(self, fleet)
        self._fleet = fleet
        self._topic = given_or_own_topic(
            self,
            "Topic",
            display_name=f"HTCondor annex {fleet.annex_name}",
            alarm_topic=alarm_topic,
            alarm_email=alarm_email,
        )
        declaration = LeaseDeclaration(fleet, lease=lease, size=fleet.max_size if size is None else size)
        group, secret = fleet.auto_scaling_group, credential or fleet.credential
        life = life_scope(self, fleet.annex_name, fleet.vpc, fleet)
        settings = self._settings(secret, declaration).to_environ()
        responder = CheckerResponder(
            life, "Responder", group=group, annex_name=fleet.annex_name, annex_id=fleet.annex_id
        )
        self._scheduled = ScheduledFunction(
            life,
            "Function",
            name=f"lease checker of annex {fleet.annex_name}",
            description=f"Grants annex {fleet.annex_name} its size and ends it with its lease",
            handler=_HANDLER,
            environment=settings,
            permissions=checker_permissions(OwnAnnex.of(self, group, fleet.annex_id), secret, self._topic),
            event=SCHEDULED_CHECK,
            rate=CHECK_RATE,
            on_failure=responder.function,
            log_retention=log_retention,
        )
        # No check before all that can start or stop an instance, and its way to the Internet, is there.
        self._scheduled.schedule.node.add_dependency(fleet, fleet.vpc)
        self._resource = self._make_custom_resource(declaration, settings)
        # The topic with its subscription: what the first check finds is for its readers too.
        self._resource.node.add_dependency(self._scheduled.schedule, self._topic)
        tag_annex(self, fleet.annex_name, fleet.annex_id)

    def _settings(self, secret: secretsmanager.ISecret, declaration: LeaseDeclaration) -> CheckerSettings:
        pool = self._fleet.execution_point.pool
        return CheckerSettings(
            group=self._fleet.auto_scaling_group.auto_scaling_group_name,
            credential=secret.secret_arn,
            name=self._fleet.annex_name,
            id=self._fleet.annex_id,
            topic=self._topic.topic_arn,
            collector=pool.address,
            trust_domain=pool.trust_domain,
            **declaration.caps,
        )

    def _make_custom_resource(self, declaration: LeaseDeclaration, settings: dict[str, str]) -> CustomResource:
        fleet = self._fleet
        parent = fleet.node.scope
        assert parent is not None  # noqa: S101 - a fleet is in a stack
        return CustomResource(
            # Beside the fleet, so that a checker with another path is refused on a live annex ("Modifying service token
            # is not allowed"). If this resource were replaced, the old checker would empty the fleet of the new one.
            life_scope(parent, fleet.annex_name, fleet.vpc, fleet),
            "LeaseChecker",
            service_token=self._scheduled.function.function_arn,
            service_timeout=_SERVICE_TIMEOUT,
            resource_type="Custom::AnnexLease",
            # A lease, a size or a group that changed is checked by the deployment that changed it, with the new tags,
            # the new environment and the new code: CloudFormation updates what the resource refers to, group and
            # function, before. A release that cannot answer fails here, and is rolled back.
            properties={
                "Group": self._fleet.auto_scaling_group.auto_scaling_group_name,
                "Declared": dict(declaration.tags),
                "Settings": settings,
                "Code": self._scheduled.code_hash,
            },
        )

    @property
    def annex_name(self) -> str:
        """The annex's name."""
        return self._fleet.annex_name

    @property
    def annex_id(self) -> str:
        """Unique id of the annex, `<stack UUID>.<name>`; also right in another stack of the app."""
        return portable_annex_id(Stack.of(self._fleet), self._fleet.annex_name)

    @property
    def function(self) -> lambda_.IFunction:
        """The function; invoke it with any event that has no RequestType for a check at once."""
        return self._scheduled.function

    @property
    def checker_name(self) -> str:
        """Name of the function."""
        return self._scheduled.function.function_name

    @property
    def alarm_topic(self) -> sns.ITopic:
        """The topic that the checker publishes to."""
        return self._topic

    @property
    def schedule(self) -> scheduler.ISchedule:
        """The schedule that runs the function every minute."""
        return self._scheduled.schedule

    @property
    def lease_found(self) -> str:
        """One sentence about the end of the lease and what decided it, as the last deployment of the lease found it.

        For an output of the stack: it says what a deployment did to an end that was moved by a command.
        """
        return self._resource.get_att_string("Lease")

    @property
    def first_check(self) -> Construct:
        """The check of a deployment, made last and removed first.

        Constructs that depend on it are made after the first check, and removed before the fleet is emptied.
        Constructs that it depends on exist before anything is granted, and until the fleet is empty.
        """
        return self._resource

    @property
    def dead_letter_queue(self) -> sqs.IQueue:
        """The queue for checks that could not be delivered, or failed."""
        return self._scheduled.dead_letter_queue


def _check_stack(checker: LeaseChecker, fleet: AnnexFleet) -> None:
    if Stack.of(checker) is not Stack.of(fleet):
        raise invalid_value(
            "LeaseChecker fleet",
            received=f"{fleet.node.path}, of another stack",
            allowed="a fleet of the checker's own stack, which empties it before either is removed",
            fix="make the LeaseChecker in the stack of its fleet",
        )
