"""What tells somebody that a lease is not enforced."""

from aws_cdk import Duration, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from annex_constructs.alarm_topic import AlarmTopic
from annex_constructs.lease.lease_checker import LeaseChecker
from annex_lease import invocation
from annex_lease.metrics import NAMESPACE
from annex_lease.tags import TAG_ID, TAG_NAME

_MINUTE = Duration.minutes(1)  # of the schedule: one data point for each check
# CloudWatch looks at more periods than these, and one heartbeat among them keeps the alarm quiet (CloudWatch User
# Guide, "How alarm state is evaluated when data is missing": 5 for 3). So 5 minutes of silence alarm in less than 15.
_SILENT_MINUTES = 5
_LATE_MINUTES = 2  # the check that finds an instance past its lease terminates it; the next one should find none


class LeaseAlarms(Construct):
    """Alarms for what a lease checker cannot mend by itself, or cannot say any more.

    - `Silence`: no check was done for minutes, whatever kept it: schedule, role, code, quota. It is made after the
      first check and removed before the fleet is emptied for good, so that neither a deployment nor a `cdk destroy`
      sets it off.
    - `PastLease`: instances live on although the lease and its grace are over and two checks have terminated them.
    - `RecordIgnored`: something in the lease's record makes no sense, so it does not count.
    - `FailedChecks`: the dead-letter queue is not empty; the alarm stays until somebody has emptied it.

    The last three exist before the fleet is granted anything and until it is empty. In us-east-1 an alarm costs $0.10
    and the metric of the heartbeat $0.30 a month, so this is $0.70 a month for an annex; the other two metrics cost
    only while there is something to count. An account's first ten alarms and ten metrics are free.

    :param checker: the lease checker to watch.
    :param topic: where alarms are published; it must let CloudWatch publish. Default: - a new `AlarmTopic`.
    :param email: address to subscribe to the topic; AWS sends it a link that somebody must follow before anything else
        is sent. Default: - nobody is subscribed.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        checker: LeaseChecker,
        topic: sns.ITopic | None = None,
        email: str | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._annex_name = checker.annex_name
        # Not the name: the heartbeat of another stack's annex of that name would keep this one's alarm quiet.
        self._annex_id = checker.annex_id
        if topic is None:
            topic = AlarmTopic(self, "Topic", display_name=f"HTCondor annex {checker.annex_name}", email=email)
        elif email is not None:
            topic.add_subscription(subscriptions.EmailSubscription(email))
        self._topic = topic
        self._silence = self._make_silence()
        self._silence.node.add_dependency(checker.first_check)
        self._past_lease = self._make_past_lease()
        self._record_ignored = self._make_record_ignored()
        self._failed_checks = self._make_failed_checks(checker)
        checker.wait_for(self._past_lease, self._record_ignored, self._failed_checks)
        Tags.of(self).add(TAG_NAME, checker.annex_name)
        Tags.of(self).add(TAG_ID, checker.annex_id)

    def _make_silence(self) -> cloudwatch.Alarm:
        return self._alarm(
            "Silence",
            f"the lease checker has not checked for {_SILENT_MINUTES} minutes: the lease is not enforced. Look at the "
            "function's log and at its schedule; README.md tells how to stop everything by hand.",
            self._metric(invocation.CHECKS, "Sum"),
            minutes=_SILENT_MINUTES,
            missing=cloudwatch.TreatMissingData.BREACHING,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        )

    def _make_past_lease(self) -> cloudwatch.Alarm:
        return self._alarm(
            "PastLease",
            "instances live on although their lease and its grace are over. The function's log says what AWS refused; "
            "terminate them by hand if it does not succeed soon.",
            self._metric(invocation.PAST_LEASE, "Maximum"),
            minutes=_LATE_MINUTES,
        )

    def _make_record_ignored(self) -> cloudwatch.Alarm:
        return self._alarm(
            "RecordIgnored",
            "part of the lease's record, the tags of the Auto Scaling group, makes no sense and does not count. The "
            "function's log names it; write the tag anew, or delete it.",
            self._metric(invocation.RECORD_IGNORED, "Maximum"),
        )

    def _make_failed_checks(self, checker: LeaseChecker) -> cloudwatch.Alarm:
        return self._alarm(
            "FailedChecks",
            "checks of the lease failed or could not be delivered; they are in the dead-letter queue. The function's "
            "log says why; empty the queue when the cause is gone.",
            checker.dead_letter_queue.metric_approximate_number_of_messages_visible(
                period=_MINUTE, statistic=cloudwatch.Stats.MAXIMUM
            ),
        )

    def _metric(self, name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE,
            metric_name=name,
            dimensions_map={invocation.DIMENSION: self._annex_id},
            period=_MINUTE,
            statistic=statistic,
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
    def topic(self) -> sns.ITopic:
        """Where the alarms are published."""
        return self._topic

    @property
    def silence(self) -> cloudwatch.Alarm:
        """Alarm: no check was done for minutes."""
        return self._silence

    @property
    def past_lease(self) -> cloudwatch.Alarm:
        """Alarm: instances live on although their lease and its grace are over."""
        return self._past_lease

    @property
    def record_ignored(self) -> cloudwatch.Alarm:
        """Alarm: part of the lease's record does not count."""
        return self._record_ignored

    @property
    def failed_checks(self) -> cloudwatch.Alarm:
        """Alarm: the dead-letter queue is not empty."""
        return self._failed_checks
