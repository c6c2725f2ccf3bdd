"""The metrics that the sweeper sends about itself."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from annex_constructs.custom_metric import custom_metric
from annex_lease.sweep import sweep_report


class SweeperMetrics:
    """The metrics of a sweeper, for a class that has its function and its interval."""

    @property
    def function(self) -> lambda_.IFunction:
        """The sweeper's function."""
        raise NotImplementedError

    @property
    def interval(self) -> Duration:
        """Period of the sweeper."""
        raise NotImplementedError

    def metric_runs(
        self, *, period: Duration | None = None, statistic: str = "Sum", label: str | None = None
    ) -> cloudwatch.Metric:
        """Heartbeat: 1 for every run that came to its end.

        :param period: length of a period. Default: - the sweeper's interval.
        :param statistic: how the values of a period become one. Default: Sum.
        :param label: name of the metric in graphs. Default: - `SweeperRan`.
        """
        return self._sweeper_metric(sweep_report.RAN, period, statistic, label)

    def metric_ended(
        self, *, period: Duration | None = None, statistic: str = "Sum", label: str | None = None
    ) -> cloudwatch.Metric:
        """Number of annexes that a run ended; sent only above 0.

        :param period: length of a period. Default: - the sweeper's interval.
        :param statistic: how the values of a period become one. Default: Sum.
        :param label: name of the metric in graphs. Default: - `SweeperEnded`.
        """
        return self._sweeper_metric(sweep_report.ENDED, period, statistic, label)

    def metric_orphans(
        self, *, period: Duration | None = None, statistic: str = "Sum", label: str | None = None
    ) -> cloudwatch.Metric:
        """Number of orphans that a run found; sent only above 0.

        :param period: length of a period. Default: - the sweeper's interval.
        :param statistic: how the values of a period become one. Default: Sum.
        :param label: name of the metric in graphs. Default: - `SweeperOrphans`.
        """
        return self._sweeper_metric(sweep_report.ORPHANS, period, statistic, label)

    def metric_reports(
        self, *, period: Duration | None = None, statistic: str = "Sum", label: str | None = None
    ) -> cloudwatch.Metric:
        """Number of findings that a person must look at; sent only above 0.

        :param period: length of a period. Default: - the sweeper's interval.
        :param statistic: how the values of a period become one. Default: Sum.
        :param label: name of the metric in graphs. Default: - `SweeperReports`.
        """
        return self._sweeper_metric(sweep_report.REPORTS, period, statistic, label)

    def metric_aborted(
        self, *, period: Duration | None = None, statistic: str = "Sum", label: str | None = None
    ) -> cloudwatch.Metric:
        """1 for a run that found more orphans than `max_removals`, and so removed none.

        :param period: length of a period. Default: - the sweeper's interval.
        :param statistic: how the values of a period become one. Default: Sum.
        :param label: name of the metric in graphs. Default: - `SweeperAborted`.
        """
        return self._sweeper_metric(sweep_report.ABORTED, period, statistic, label)

    def _sweeper_metric(
        self, name: str, period: Duration | None, statistic: str, label: str | None
    ) -> cloudwatch.Metric:
        return custom_metric(
            name,
            {sweep_report.DIMENSION: self.function.function_name},
            period=period or self.interval,
            statistic=statistic,
            label=label,
        )
