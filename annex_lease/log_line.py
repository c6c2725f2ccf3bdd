"""Log line of a function: one JSON document, with the text of an error and the metrics of the run. Pure.

The metrics are in CloudWatch's embedded metric format: no call, no permission. See
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html.
The functions of lease checker and sweeper share this form; each names its own metrics.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

NAMESPACE = "HTCondorAnnex"
"""Namespace of all metrics."""


def write(line: Mapping[str, object]) -> None:
    """Log one document. Standard output is the function's log, and its queries read one JSON document on one line."""
    print(json.dumps(line, default=str), flush=True)  # noqa: T201


def describe(error: Exception) -> str:
    """An error as the log and CloudFormation's events show it."""
    return f"{type(error).__name__}: {error}"


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
