"""Metrics in a log line, by CloudWatch's embedded metric format: no call, no permission. Pure.

See https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html.
The functions of lease checker and sweeper share this form; each names its own metrics.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

NAMESPACE = "HTCondorAnnex"
"""Namespace of all metrics."""


def embed_metrics(counts: Mapping[str, int], *, dimension: str, value: str, time: datetime) -> dict[str, object]:
    """Members for the root of a log line that CloudWatch reads these metrics from.

    Args:
        counts: metrics by their names.
        dimension: name of their only dimension.
        value: value of the dimension.
        time: time of the metrics, aware.
    """
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [[dimension]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in counts],
    }
    meta = {"Timestamp": int(time.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    return {"_aws": meta, dimension: value, **counts}
