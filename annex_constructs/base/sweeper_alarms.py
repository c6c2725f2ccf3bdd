"""Alarms about a sweeper that does not work, or has found what it may not repair."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from constructs import Construct

from annex_constructs.base.sweeper_metrics import SweeperMetrics

_MORE = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_LESS = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_MISSING = cloudwatch.TreatMissingData


def sweeper_alarms(
    scope: Construct, *, sweeper: SweeperMetrics, schedule: scheduler.ISchedule, topic: sns.ITopic
) -> dict[str, cloudwatch.Alarm]:
    """The alarms, by their construct ids.

    :param scope: parent construct.
    :param sweeper: the sweeper's function, interval and metrics.
    :param schedule: the schedule that runs it.
    :param topic: the topic that the alarms are published to.
    """

    def alarm(
        construct_id: str, meaning: str, metric: cloudwatch.IMetric, *, periods: int = 1, silence: bool = False
    ) -> None:
        made[construct_id] = cloudwatch.Alarm(
            scope,
            construct_id,
            alarm_description=f"The sweeper of HTCondor annexes {meaning}",
            metric=metric,
            threshold=1,
            comparison_operator=_LESS if silence else _MORE,
            evaluation_periods=periods,
            treat_missing_data=_MISSING.BREACHING if silence else _MISSING.NOT_BREACHING,
        )
        made[construct_id].add_alarm_action(actions.SnsAction(topic))
        # The topic with its policy, without which nothing is delivered. The schedule runs the sweeper as soon as it is
        # made, and is removed last: neither a deployment nor a `cdk destroy` is taken for silence.
        made[construct_id].node.add_dependency(topic, schedule)

    made: dict[str, cloudwatch.Alarm] = {}
    # A run may fall just before one period and the next just after it; two empty ones are silence.
    alarm("Silence", "did not run: leases have one enforcer less", sweeper.metric_runs(), periods=2, silence=True)
    alarm("Aborted", "found too many orphans and removed none: look at a dry run", sweeper.metric_aborted())
    # What is being deployed or deleted at the moment of one run is not worth a message.
    reported = "reported problems in every recent run that an operator must look at: see `reports` in its log"
    alarm("Reported", reported, sweeper.metric_reports(), periods=4)
    errors = sweeper.function.metric_errors(statistic="Sum", period=sweeper.interval)
    alarm("Failed", "failed, wholly or for one annex: look at its log", errors)
    return made
