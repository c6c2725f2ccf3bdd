"""The base: what an account has once per Region for all its annexes, a sweeper and its alarms."""

from collections.abc import Mapping
from datetime import timedelta

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from annex_constructs.alarm_topic import given_or_own_topic
from annex_constructs.base.sweeper_alarms import sweeper_alarms
from annex_constructs.base.sweeper_metrics import SweeperMetrics
from annex_constructs.base.sweeper_permissions import sweeper_permissions
from annex_constructs.errors import (
    FLAG,
    LOG_RETENTION,
    check_kind,
    check_whole_number,
    duration_code,
    invalid_value,
    seconds,
)
from annex_constructs.scheduled_function import ScheduledFunction
from annex_lease.sweep.sweep_settings import SCHEDULED_SWEEP, SweepSettings
from annex_lease.terms import INTERVAL, MAX_REMOVALS

_HANDLER = "annex_lease.sweep.sweep_handler.handler"
_MINUTE = timedelta(minutes=1)
# One run is over when the next one begins, also at the shortest interval.
_TIMEOUT = Duration.minutes(4)


class AnnexBase(SweeperMetrics, Construct):
    """The sweeper of one Region: it ends annexes that are over and removes what belongs to no annex any more.

    It does not depend on any annex, and no annex depends on it: an annex whose lease checker is broken, disabled or
    deleted ends all the same. It looks at what carries the tag `annex:name`. It acts on what a lease on its own group,
    or two sources together, show to be over, and reports the rest. An administrator deploys it once per account and
    Region.

    Example, a base that only reports, and sends its alarms to one address::

        AnnexBase(stack, "Base", alarm_email="admin@example.edu", dry_run=True)

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param alarm_topic: standard Amazon SNS topic of this Region that alarms are published to. Default: - a new one.
    :param alarm_email: address to subscribe to the new topic; AWS asks it to confirm.
        Default: - no address is subscribed.
    :param max_removals: with more orphans than this to remove in one run, none is removed and an alarm is raised; a
        group whose lease cannot be read counts all its instances; 0 to 10000. Default: 50.
    :param dry_run: only report what would be done, in the function's log. Orphans are not marked then, so none is ever
        due: the report shows in `would_remove_later` what marks would lead to, and those count against
        `max_removals`. Default: False.
    :param interval: period of the sweeper; 5m to 1h, in whole minutes. Default: 15m.
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
        max_removals: float | None = None,
        dry_run: bool = False,
        interval: Duration | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
    ) -> None:
        super().__init__(scope, construct_id)
        check_kind("AnnexBase dry_run", dry_run, FLAG)
        check_kind("AnnexBase log_retention", log_retention, LOG_RETENTION)
        maximum = _checked_removals(max_removals)
        self._interval = _checked_interval(interval)
        self._topic = given_or_own_topic(
            self, "AlarmTopic", display_name="HTCondor annexes", alarm_topic=alarm_topic, alarm_email=alarm_email
        )
        self._sweeper = ScheduledFunction(
            self,
            "Sweeper",
            name="sweeper of HTCondor annexes",
            description="Sweeper of HTCondor annexes: ends what is over, removes what belongs to no annex",
            handler=_HANDLER,
            environment=SweepSettings(max_removals=maximum, dry_run=dry_run).to_environ(),
            permissions=sweeper_permissions(self),
            event=SCHEDULED_SWEEP,
            rate=self._interval,
            timeout=_TIMEOUT,
            log_retention=log_retention,
        )
        self._alarms = sweeper_alarms(self, sweeper=self, schedule=self._sweeper.schedule, topic=self._topic)

    @property
    def alarm_topic(self) -> sns.ITopic:
        """The topic that the alarms are published to; an annex of the same Region may use it as its `alarm_topic`."""
        return self._topic

    @property
    def function(self) -> lambda_.IFunction:
        """The function; invoke it with `{"sweep": "dry-run"}` to see what it would do.

        `{"sweep": "scheduled"}` acts; any other event is an error.
        """
        return self._sweeper.function

    @property
    def interval(self) -> Duration:
        """Period of the sweeper."""
        return self._interval

    @property
    def schedule(self) -> scheduler.ISchedule:
        """The schedule that runs the function."""
        return self._sweeper.schedule

    @property
    def dead_letter_queue(self) -> sqs.IQueue:
        """The queue for runs that could not be delivered, or failed."""
        return self._sweeper.dead_letter_queue

    @property
    def alarms(self) -> Mapping[str, cloudwatch.Alarm]:
        """The alarms by their ids: `Silence`, `Aborted`, `Reported`, `Failed`."""
        return dict(self._alarms)


def _checked_removals(max_removals: float | None) -> int:
    maximum = MAX_REMOVALS.default_value if max_removals is None else max_removals
    check_whole_number("AnnexBase max_removals", maximum, MAX_REMOVALS, known=True)
    return int(maximum)


def _checked_interval(interval: Duration | None) -> Duration:
    if interval is None:
        return Duration.minutes(INTERVAL.default_value // _MINUTE)
    whole = timedelta(seconds=seconds("AnnexBase interval", interval, INTERVAL))
    if whole % _MINUTE:
        raise invalid_value(
            "AnnexBase interval",
            received=interval.to_human_string(),
            allowed=f"whole minutes from {INTERVAL.minimum // _MINUTE} to {INTERVAL.maximum // _MINUTE}",
            fix=f"pass interval={duration_code(whole - whole % _MINUTE)}",
        )
    return Duration.minutes(whole // _MINUTE)
