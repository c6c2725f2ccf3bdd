"""What an account has once per Region, whatever annexes it has: the sweeper, and whom its alarms tell."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from annex_constructs.alarm_topic import AlarmTopic
from annex_constructs.base.sweeper_alarms import sweeper_alarms
from annex_constructs.base.sweeper_role import sweeper_role
from annex_constructs.dead_letter_queue import dead_letter_queue
from annex_constructs.errors import check_whole_number, invalid_value, seconds
from annex_constructs.function_code import function_code
from annex_constructs.nag import RUNTIME_REASON, acknowledge
from annex_constructs.scheduler_role import scheduler_role
from annex_lease.sweep.sweep_settings import SweepSettings
from annex_lease.terms import INTERVAL, MAX_REMOVALS

_HANDLER = "annex_lease.sweep.sweep_handler.handler"
# Shorter than the shortest period, so that one run has ended when the next begins.
_TIMEOUT = Duration.minutes(4)
_EVERY = Duration.minutes(15)


class AnnexBase(Construct):
    """The sweeper of one Region: it ends annexes that are over and removes what no annex owns any more.

    It depends on nothing of an annex, and no annex depends on it: an annex whose lease checker is broken, disabled or
    deleted ends all the same. It looks at what carries the tag `annex:name`, acts on what a lease on its own group, or
    two sources together, say is over, and reports the rest. An administrator deploys it once per account and Region.

    :param alarm_topic: standard Amazon SNS topic of this Region that the alarms tell. Default: - a new one.
    :param alarm_email: address that the new topic tells; AWS asks it to confirm. Default: - nobody subscribes.
    :param max_removals: with more orphans than this to remove in one run, none is removed and an alarm is raised; a
        group whose lease cannot be read counts all its instances; 0 to 10000. Default: 50.
    :param dry_run: only report what would be done, in the function's log. Orphans are not marked then, so none is ever
        due: the report tells in `would_remove_later` what marks would lead to, and those count against
        `max_removals`. Default: False.
    :param every: period of the sweeper; 5 minutes to 1 hour, in whole minutes. Default: - 15 minutes.
    :param log_retention: how long the sweeper's log is kept. Default: one month.
    :raises ValueError: a value is not allowed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alarm_topic: sns.ITopic | None = None,
        alarm_email: str | None = None,
        max_removals: float = 50,
        dry_run: bool = False,
        every: Duration | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        check_whole_number("AnnexBase max_removals", max_removals, MAX_REMOVALS)
        every = _checked_period(every or _EVERY)
        self._topic = self._make_topic(alarm_topic, alarm_email)
        self._queue = dead_letter_queue(self, "FailedRuns")
        log_group = logs.LogGroup(self, "Log", retention=log_retention, removal_policy=RemovalPolicy.DESTROY)
        role = sweeper_role(self, "Role", log_group=log_group, dead_letter_queue=self._queue)
        environment = SweepSettings(max_removals=int(max_removals), dry_run=dry_run).to_environ()
        self._function = self._make_function(role, log_group, environment)
        self._schedule = self._make_schedule(every)
        self._alarms = sweeper_alarms(
            self, function=self._function, schedule=self._schedule, topic=self._topic, every=every
        )

    def _make_function(
        self, role: iam.Role, log_group: logs.ILogGroup, environment: dict[str, str]
    ) -> lambda_.Function:
        with function_code(_HANDLER) as code:
            function = lambda_.Function(
                self,
                "Sweeper",
                description="Sweeper of HTCondor annexes: ends what is over, removes what nobody owns",
                runtime=lambda_.Runtime.PYTHON_3_13,
                architecture=lambda_.Architecture.ARM_64,
                code=lambda_.Code.from_asset(code),
                handler=_HANDLER,
                timeout=_TIMEOUT,
                memory_size=256,
                # As it is: the queue would add a permission that the role has already.
                role=role.without_policy_updates(),
                log_group=log_group,
                environment=environment,
                # A run that failed is not worth repeating: the next one sees the same world.
                retry_attempts=0,
                max_event_age=Duration.minutes(1),
                dead_letter_queue=self._queue,
            )
        acknowledge(function, "AwsSolutions-L1", RUNTIME_REASON)
        return function

    def _make_topic(self, topic: sns.ITopic | None, email: str | None) -> sns.ITopic:
        if topic is not None:
            if email is not None:
                allowed = "at most one of alarm_topic and alarm_email"
                fix = "remove one of the two; the address can subscribe to the topic"
                raise invalid_value(
                    "AnnexBase alarm_topic, alarm_email", received="both of them", allowed=allowed, fix=fix
                )
            return topic
        return AlarmTopic(self, "Alarms", display_name="HTCondor annexes", email=email)

    def _make_schedule(self, every: Duration) -> scheduler.Schedule:
        scheduled = scheduler_role(
            self,
            "SchedulerRole",
            function=self._function,
            dead_letter_queue=self._queue,
            description="Runs the sweeper of HTCondor annexes",
        )
        target = targets.LambdaInvoke(
            self._function,
            input=scheduler.ScheduleTargetInput.from_object({"sweep": "scheduled"}),
            retry_attempts=0,
            max_event_age=Duration.minutes(1),
            dead_letter_queue=self._queue,
            # As it is: the target would add permission for every version and alias of the function.
            role=scheduled.without_policy_updates(),
        )
        return scheduler.Schedule(
            self,
            "Schedule",
            description="Runs the sweeper of HTCondor annexes",
            schedule=scheduler.ScheduleExpression.rate(every),
            target=target,
        )

    @property
    def topic(self) -> sns.ITopic:
        """Whom the alarms tell; an annex of the same Region may name it as its `alarm_topic`."""
        return self._topic

    @property
    def function(self) -> lambda_.IFunction:
        """The function; invoke it with `{"sweep": "dry-run"}` to see what it would do.

        `{"sweep": "scheduled"}` acts; any other event is an error.
        """
        return self._function

    @property
    def schedule(self) -> scheduler.ISchedule:
        """What runs the function."""
        return self._schedule

    @property
    def dead_letter_queue(self) -> sqs.IQueue:
        """Where runs are kept that could not be delivered, or failed."""
        return self._queue

    @property
    def alarms(self) -> Mapping[str, cloudwatch.Alarm]:
        """The alarms by their ids: `Silent`, `Aborted`, `Reported`, `Failed`."""
        return dict(self._alarms)


def _checked_period(every: Duration) -> Duration:
    fix = "pass every=Duration.minutes(15)"
    whole = seconds("AnnexBase every", every, INTERVAL)
    if whole % 60:
        received = every.to_human_string()
        raise invalid_value("AnnexBase every", received=received, allowed="whole minutes from 5 to 60", fix=fix)
    return Duration.minutes(whole // 60)
