"""Alarms about a lease that is not enforced."""

from aws_cdk import Stack, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from annex_constructs.alarm_topic import annex_sender, given_or_own_topic
from annex_constructs.identity import annex_id
from annex_constructs.lease.lease_checker import LeaseChecker
from annex_constructs.lease.lease_metrics import CHECK_RATE
from annex_lease.tags import TAG_ID, TAG_NAME

# CloudWatch looks at more periods than these, and one heartbeat among them keeps the alarm quiet (CloudWatch User
# Guide, "How alarm state is evaluated when data is missing": 5 for 3). So 5 minutes of silence alarm in less than 15.
_SILENT_MINUTES = 5
_LATE_MINUTES = 2  # the check that finds an instance past its lease terminates it; the next one should find none


class LeaseAlarms(Construct):
    """Alarms about what a lease checker cannot repair or report by itself.

    - `Silence`: no check was done for minutes, for any reason: schedule, role, code, quota. It is made after the first
      check and removed before the fleet is emptied for good, so that neither a deployment nor a `cdk destroy` sets it
      off.
    - `PastLease`: instances are alive although the lease and its grace are over and two checks have terminated them.
    - `RecordIgnored`: a tag of the lease's record is invalid and ignored.
    - `FailedChecks`: the dead-letter queue is not empty; the alarm stays until the queue was emptied.

    The last three exist before the fleet is granted anything and until it is empty. In us-east-1 an alarm costs $0.10
    and the metric of the heartbeat $0.30 a month, so this is $0.70 a month for an annex; the other two metrics cost
    only while there is something to count. An account's first ten alarms and ten metrics are free.

    Example, alarms that are sent to one address::

        LeaseAlarms(stack, "Alarms", checker=checker, alarm_email="admin@example.edu")

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param checker: the lease checker to watch.
    :param alarm_topic: topic that alarms are published to; it must let CloudWatch publish.
        Default: - a new `AlarmTopic`.
    :param alarm_email: address to subscribe to the new topic; AWS asks it to confirm.
        Default: - no address is subscribed.
    :raises ValueError: both `alarm_topic` and `alarm_email` are given.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        checker: LeaseChecker,
        alarm_topic: sns.ITopic | None = None,
        alarm_email: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._annex_name = checker.annex_name
        self._topic = given_or_own_topic(
            self,
            "Topic",
            display_name=annex_sender(checker.annex_name),
            alarm_topic=alarm_topic,
            alarm_email=alarm_email,
        )
        self._silence = self._make_silence(checker)
        self._silence.node.add_dependency(checker.first_check)
        self._past_lease = self._make_past_lease(checker)
        self._record_ignored = self._make_record_ignored(checker)
        self._failed_checks = self._make_failed_checks(checker)
        checker.first_check.node.add_dependency(self._past_lease, self._record_ignored, self._failed_checks)
        Tags.of(self).add(TAG_NAME, checker.annex_name)
        # Not the name alone: the heartbeat of another stack's annex of that name would keep this one's alarm quiet.
        same_stack = Stack.of(self) is Stack.of(checker)
        Tags.of(self).add(TAG_ID, annex_id(checker.annex_name) if same_stack else checker.annex_id)

    def _make_silence(self, checker: LeaseChecker) -> cloudwatch.Alarm:
        return self._alarm(
            "Silence",
            f"the lease checker has not checked for {_SILENT_MINUTES} minutes: the lease is not enforced. Look at the "
            "function's log and at its schedule; the documentation describes how to stop an annex by hand.",
            checker.metric_checks(),
            minutes=_SILENT_MINUTES,
            missing=cloudwatch.TreatMissingData.BREACHING,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        )

    def _make_past_lease(self, checker: LeaseChecker) -> cloudwatch.Alarm:
        return self._alarm(
            "PastLease",
            "instances are alive although their lease and its grace are over. The function's log says what AWS "
            "refused; terminate them by hand if the checker does not succeed soon.",
            checker.metric_instances_past_lease(),
            minutes=_LATE_MINUTES,
        )

    def _make_record_ignored(self, checker: LeaseChecker) -> cloudwatch.Alarm:
        return self._alarm(
            "RecordIgnored",
            "a tag of the lease, on the Auto Scaling group, is invalid and ignored. The function's log names it; "
            "correct or delete the tag.",
            checker.metric_record_ignored(),
        )

    def _make_failed_checks(self, checker: LeaseChecker) -> cloudwatch.Alarm:
        return self._alarm(
            "FailedChecks",
            "checks of the lease failed or could not be delivered; they are in the dead-letter queue. The function's "
            "log says why; empty the queue when the cause is gone.",
            checker.dead_letter_queue.metric_approximate_number_of_messages_visible(
                period=CHECK_RATE, statistic=cloudwatch.Stats.MAXIMUM
            ),
        )

    def _alarm(
        self,
        construct_id: str,
        meaning: str,
        metric: cloudwatch.IMetric,
        *,
        minutes: int = 1,
        missing: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
        comparison: cloudwatch.ComparisonOperator = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            alarm_description=f"Annex {self._annex_name}: {meaning}",
            metric=metric,
            threshold=1,
            comparison_operator=comparison,
            evaluation_periods=minutes,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))
        # With its policy, without which nothing is delivered.
        alarm.node.add_dependency(self._topic)
        return alarm

    @property
    def alarm_topic(self) -> sns.ITopic:
        """The topic that the alarms are published to."""
        return self._topic

    @property
    def silence(self) -> cloudwatch.Alarm:
        """Alarm: no check was done for minutes."""
        return self._silence

    @property
    def past_lease(self) -> cloudwatch.Alarm:
        """Alarm: instances are alive although their lease and its grace are over."""
        return self._past_lease

    @property
    def record_ignored(self) -> cloudwatch.Alarm:
        """Alarm: a tag of the lease's record is invalid and ignored."""
        return self._record_ignored

    @property
    def failed_checks(self) -> cloudwatch.Alarm:
        """Alarm: the dead-letter queue is not empty."""
        return self._failed_checks
