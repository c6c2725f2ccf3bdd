"""The sweeper's metrics, embedded in its log line: CloudWatch makes them of it, and no permission is needed.

The form is CloudWatch's "embedded metric format". A metric that is zero most of the time is sent only when it is not:
CloudWatch bills a metric by the hours in which it is sent.
"""

from __future__ import annotations

from datetime import datetime

from annex_lease.metrics import NAMESPACE
from annex_lease.sweep.sweep_report import Report

DIMENSION = "FunctionName"
"""Name of the sweeper's function. If two sweepers in one Region shared it, one would hide the silence of the other."""
RAN = "SweeperRan"
"""1 for every run that came to its end: the heartbeat."""
ENDED = "SweeperEnded"
"""Annexes and groups that the run ended; sent only if there are any, and not by a dry run."""
ORPHANS = "SweeperOrphans"
"""Orphans that the run found; sent only if there are any."""
REPORTS = "SweeperReports"
"""Findings that a person must look at; sent only if there are any."""
ABORTED = "SweeperAborted"
"""1 for a run that found more orphans than it may remove, and removed none; sent only then."""


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
