"""What tells somebody that the sweeper does not work: silence, an error, and a run that stopped itself."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from annex_lease.metrics import NAMESPACE
from annex_lease.sweep.metrics import ABORTED, DIMENSION, RAN

_MORE = cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD
_LESS = cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD


def sweeper_alarms(
    scope: Construct, *, function: lambda_.IFunction, topic: sns.ITopic, every: Duration
) -> dict[str, cloudwatch.Alarm]:
    """The alarms, by their construct ids.

    :param scope: parent construct.
    :param function: the sweeper's function.
    :param topic: whom to tell.
    :param every: period of the sweeper.
    """
    own = {DIMENSION: function.function_name}

    def count(name: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=NAMESPACE, metric_name=name, dimensions_map=own, statistic="Sum", period=every
        )

    missing = cloudwatch.TreatMissingData
    alarms = {
        "Silent": cloudwatch.Alarm(
            scope,
            "Silent",
            alarm_description="The sweeper of HTCondor annexes did not run: leases have one enforcer less",
            metric=count(RAN),
            threshold=1,
            comparison_operator=_LESS,
            # A run may fall just before one period and the next just after it; two empty ones are silence.
            evaluation_periods=2,
            treat_missing_data=missing.BREACHING,
        ),
        "Aborted": cloudwatch.Alarm(
            scope,
            "Aborted",
            alarm_description="The sweeper of HTCondor annexes found too many orphans, and removed none: look at them",
            metric=count(ABORTED),
            threshold=1,
            comparison_operator=_MORE,
            evaluation_periods=1,
            treat_missing_data=missing.NOT_BREACHING,
        ),
        "Failed": cloudwatch.Alarm(
            scope,
            "Failed",
            alarm_description="The sweeper of HTCondor annexes failed, wholly or for one annex: look at its log",
            metric=function.metric_errors(statistic="Sum", period=every),
            threshold=1,
            comparison_operator=_MORE,
            evaluation_periods=1,
            treat_missing_data=missing.NOT_BREACHING,
        ),
    }
    for alarm in alarms.values():
        # With its policy, without which nothing is delivered.
        alarm.node.add_dependency(topic)
        alarm.add_alarm_action(actions.SnsAction(topic))
        alarm.add_ok_action(actions.SnsAction(topic))
    return alarms
