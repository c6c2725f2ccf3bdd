"""The metrics of an annex's lease: those that its checker sends, and those of Lambda about the checker's function."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from annex_constructs.custom_metric import custom_metric
from annex_lease import invocation
from annex_lease.terms import CHECK_PERIOD, seconds

CHECK_RATE = Duration.seconds(seconds(CHECK_PERIOD))
"""Period of the schedule, and of the metrics: one data point for each check."""


class LeaseMetrics:
    """The metrics of an annex, for classes that know its id and the name of its lease checker's function."""

    @property
    def annex_id(self) -> str:
        """Unique id of the annex: `<stack UUID>.<name>`."""
        raise NotImplementedError

    @property
    def checker_name(self) -> str:
        """Name of the lease checker's function."""
        raise NotImplementedError

    def metric_checks(
        self, *, period: Duration = CHECK_RATE, statistic: str = "Sum", label: str | None = None
    ) -> cloudwatch.Metric:
        """Number of runs of the lease checker's function: one a minute, and those of commands and deployments.

        It is Lambda's metric `Invocations`, which costs nothing.

        :param period: length of a period. Default: 1 minute.
        :param statistic: how the values of a period become one. Default: Sum.
        :param label: name of the metric in graphs. Default: - `Invocations`.
        """
        return self._function_metric("Invocations", period, statistic, label)

    def metric_failed_checks(
        self, *, period: Duration = CHECK_RATE, statistic: str = "Sum", label: str | None = None
    ) -> cloudwatch.Metric:
        """Number of runs of the lease checker's function that failed; without a run there is no data point.

        It is Lambda's metric `Errors`, which costs nothing. It is sent for each invocation: "Invocation metrics are
        binary indicators of the outcome of a Lambda function invocation", and "To get a count of the number of function
        errors that occurred each minute, view the sum of the Errors metric with a period of 1 minute" (Lambda Developer
        Guide, "Types of metrics for Lambda functions").

        :param period: length of a period. Default: 1 minute.
        :param statistic: how the values of a period become one. Default: Sum.
        :param label: name of the metric in graphs. Default: - `Errors`.
        """
        return self._function_metric("Errors", period, statistic, label)

    def metric_instances_past_lease(
        self, *, period: Duration = CHECK_RATE, statistic: str = "Maximum", label: str | None = None
    ) -> cloudwatch.Metric:
        """Number of instances that are alive although the lease and its grace are over; sent only above 0.

        :param period: length of a period. Default: 1 minute.
        :param statistic: how the values of a period become one. Default: Maximum.
        :param label: name of the metric in graphs. Default: - `InstancesPastLease`.
        """
        return self._lease_metric(invocation.PAST_LEASE, period, statistic, label)

    def metric_record_ignored(
        self, *, period: Duration = CHECK_RATE, statistic: str = "Maximum", label: str | None = None
    ) -> cloudwatch.Metric:
        """Number of tags of the lease's record that are invalid and ignored; sent only above 0.

        :param period: length of a period. Default: 1 minute.
        :param statistic: how the values of a period become one. Default: Maximum.
        :param label: name of the metric in graphs. Default: - `LeaseRecordIgnored`.
        """
        return self._lease_metric(invocation.RECORD_IGNORED, period, statistic, label)

    def _lease_metric(self, name: str, period: Duration, statistic: str, label: str | None) -> cloudwatch.Metric:
        dimensions = {invocation.DIMENSION: self.annex_id}
        return custom_metric(name, dimensions, period=period, statistic=statistic, label=label)

    def _function_metric(self, name: str, period: Duration, statistic: str, label: str | None) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace="AWS/Lambda",
            metric_name=name,
            dimensions_map={"FunctionName": self.checker_name},
            period=period,
            statistic=statistic,
            label=label,
        )
