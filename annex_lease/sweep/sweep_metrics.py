"""The sweeper's metrics, embedded in its log line: CloudWatch makes them of it, and no permission is needed.

The form is CloudWatch's "embedded metric format". A metric that is zero most of the time is sent only when it is not:
CloudWatch bills a metric by the hours in which it is sent.
"""

from __future__ import annotations

from datetime import datetime

from annex_lease.metrics import NAMESPACE
from annex_lease.sweep.sweep_report import Report

DIMENSION = "FunctionName"
"""The metrics of two sweepers in one Region must not be mixed: the silence of one would be hidden by the other."""
RAN, ENDED, ORPHANS, REPORTS = "SweeperRan", "SweeperEnded", "SweeperOrphans", "SweeperReports"
ABORTED = "SweeperAborted"


def counts(report: Report) -> dict[str, int]:
    """What to send for a run that came to its end: the heartbeat always, the others when they are not zero.

    Args:
        report: of the run.
    """
    # A dry run ends nothing: what it would have ended is in its report.
    rare = {
        ENDED: 0 if report.dry_run else len(report.ended),
        ORPHANS: report.orphans,
        REPORTS: len(report.reports),
        ABORTED: int(report.aborted is not None),
    }
    return {RAN: 1, **{name: value for name, value in rare.items() if value}}


def embedded(values: dict[str, int], function: str, now: datetime) -> dict[str, object]:
    """The part of a log line that makes these metrics.

    Args:
        values: metric and count.
        function: name of the function, the metrics' one dimension.
        now: the time of the run, aware.
    """
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [[DIMENSION]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in values],
    }
    meta = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    return {"_aws": meta, DIMENSION: function, **values}
