"""A metric that a function of ours sends, as the alarms and dashboards of an app use it."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from annex_lease.log_line import NAMESPACE


def custom_metric(
    name: str,
    dimensions: dict[str, str],
    *,
    period: Duration,
    statistic: str,
    label: str | None = None,
) -> cloudwatch.Metric:
    """A metric of our namespace.

    :param name: name of the metric.
    :param dimensions: its dimensions.
    :param period: length of a period.
    :param statistic: how the values of a period become one, such as `Sum`.
    :param label: its name in graphs. Default: - the metric's name.
    """
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map=dimensions,
        period=period,
        statistic=statistic,
        label=label,
    )
