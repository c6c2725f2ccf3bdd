"""The metrics that a lease checker sends about its annex."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from annex_constructs.custom_metric import custom_metric
from annex_lease import invocation
from annex_lease.terms import CHECK_PERIOD, seconds

CHECK_RATE = Duration.seconds(seconds(CHECK_PERIOD))
"""Period of the schedule, and of the metrics: one data point for each check."""


class LeaseMetrics:
    """The metrics of an annex, for classes that know its id."""

    @property
    def annex_id(self) -> str:
        """Unique id of the annex: `<stack UUID>.<name>`."""
        raise NotImplementedError

    def metric_checks(
        self, *, period: Duration = CHECK_RATE, statistic: str = "Sum", label: str | None = None
    ) -> cloudwatch.Metric:
        """Heartbeat: 1 for every check that did all it should have, one check a minute.

        :param period: length of a period. Default: 1 minute.
        :param statistic: how the values of a period become one. Default: Sum.
        :param label: name of the metric in graphs. Default: - `LeaseChecks`.
        """
        return self._lease_metric(invocation.CHECKS, period, statistic, label)

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
