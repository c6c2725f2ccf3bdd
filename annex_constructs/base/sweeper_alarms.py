"""What tells somebody that the sweeper does not work, or has found what it may not mend."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from constructs import Construct

from annex_lease.metrics import NAMESPACE
from annex_lease.sweep.sweep_report import ABORTED, DIMENSION, RAN, REPORTS

_MORE = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_LESS = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD
_MISSING = cloudwatch.TreatMissingData


def _count(function: lambda_.IFunction, name: str, period: Duration) -> cloudwatch.Metric:
    own = {DIMENSION: function.function_name}
    return cloudwatch.Metric(namespace=NAMESPACE, metric_name=name, dimensions_map=own, statistic="Sum", period=period)


def sweeper_alarms(
    scope: Construct,
    *,
    function: lambda_.IFunction,
    schedule: scheduler.ISchedule,
    topic: sns.ITopic,
    every: Duration,
) -> dict[str, cloudwatch.Alarm]:
    """The alarms, by their construct ids.

    :param scope: parent construct.
    :param function: the sweeper's function.
    :param schedule: what runs it.
    :param topic: whom to tell.
    :param every: period of the sweeper.
    """

    def count(name: str) -> cloudwatch.Metric:
        return _count(function, name, every)

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
    alarm("Silent", "did not run: leases have one enforcer less", count(RAN), periods=2, silence=True)
    alarm("Aborted", "found too many orphans and removed none: look at a dry run", count(ABORTED))
    # What is being deployed or deleted at the moment of one run is not worth a message.
    reported = "has found, in every run of late, something that a person must look at: see `reports` in its log"
    alarm("Reported", reported, count(REPORTS), periods=4)
    errors = function.metric_errors(statistic="Sum", period=every)
    alarm("Failed", "failed, wholly or for one annex: look at its log", errors)
    return made
