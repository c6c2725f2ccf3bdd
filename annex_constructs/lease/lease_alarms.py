"""Alarm about a lease that is not enforced."""

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from annex_constructs.errors import Kind, check_kind
from annex_constructs.identity import annex_id, tag_annex
from annex_constructs.lease.lease_checker import LeaseChecker

# CloudWatch looks at more periods than these, and one check that was done among them keeps the alarm quiet, if checks
# are missing (CloudWatch User Guide, "How alarm state is evaluated when data is missing": 5 for 3). So 5 minutes of
# silence alarm in less than 15. One failed check is no alarm: the next one does what it left.
# Silence is the state INSUFFICIENT_DATA. If missing data counted as breaching, each deployment would begin with a false
# alarm: CloudWatch has the metric of the first check only minutes later. An alarm is made in that state, and publishes
# when its state changes.
_MINUTES = 5
_MEANING = (
    "Annex {annex} of stack {stack}: no check of the lease was done for {minutes} minutes, so the lease is not "
    "enforced. The log of the function says why a check failed; if it has no new lines, look at the schedule. Failed "
    "checks are in the dead-letter queue. The documentation describes how to stop an annex by hand."
)


def _meaning(checker: LeaseChecker) -> str:
    return _MEANING.format(annex=checker.annex_name, stack=Stack.of(checker).stack_name, minutes=_MINUTES)


class LeaseAlarms(Construct):
    """The alarm about what a lease checker cannot repair or report by itself: the lease is not enforced.

    - `Unenforced`: for 5 minutes no check was done, for any reason: schedule, role, code, quota, or each one failed. It
      is made after the first check and removed before the fleet is emptied for good, so that a `cdk destroy` does not
      raise it.

    It watches Lambda's metric of the function's errors, which has no data point where there was no run. It publishes in
    two states: `ALARM` if checks fail, `INSUFFICIENT_DATA` if there are none. The checker
    itself publishes what it finds while it works to the same topic: instances past their lease, more instances than
    declared, ignored tags of the record. In us-east-1 an alarm costs $0.10 a month. An account's first ten are free.

    Example, alarms and messages that are sent to one address::

        checker = LeaseChecker(stack, "Lease", fleet=fleet, lease=lease, alarm_email="admin@example.edu")
        LeaseAlarms(stack, "Alarms", checker=checker)

    :param scope: parent construct.
    :param construct_id: id in that scope.
    :param checker: the lease checker to watch; its topic gets the alarm.
    """

    def __init__(self, scope: Construct, construct_id: str, *, checker: LeaseChecker) -> None:
        super().__init__(scope, construct_id)
        check_kind("LeaseAlarms checker", checker, Kind("a LeaseChecker", "LeaseChecker(...)", LeaseChecker))
        self._topic = checker.alarm_topic
        self._unenforced = cloudwatch.Alarm(
            self,
            "Unenforced",
            alarm_description=_meaning(checker),
            metric=checker.metric_failed_checks(),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=_MINUTES,
            treat_missing_data=cloudwatch.TreatMissingData.MISSING,
        )
        self._unenforced.add_alarm_action(actions.SnsAction(self._topic))
        self._unenforced.add_insufficient_data_action(actions.SnsAction(self._topic))
        # The topic with its policy, without which nothing is delivered.
        self._unenforced.node.add_dependency(self._topic, checker.first_check)
        same_stack = Stack.of(self) is Stack.of(checker)
        tag_annex(self, checker.annex_name, annex_id(checker.annex_name) if same_stack else checker.annex_id)

    @property
    def alarm_topic(self) -> sns.ITopic:
        """The topic that the alarm is published to."""
        return self._topic

    @property
    def unenforced(self) -> cloudwatch.Alarm:
        """Alarm: no check was done for minutes, or each one failed."""
        return self._unenforced
