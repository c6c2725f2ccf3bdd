"""Metrics in the logs of functions, as CloudWatch Logs extracts them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import json
from collections.abc import Mapping
from typing import Any

from lab.cloud.emulator import cloudwatch


def take(log: str) -> None:
    """Store the metrics of every line that is a JSON object with an ``_aws`` member; other lines have none."""
    for line in log.splitlines():
        if line.startswith("{") and '"_aws"' in line:
            try:
                entry = json.loads(line)
            except ValueError:
                continue  # "invalid [...] events are ingested into CloudWatch Logs" and make no metric
            _store(entry)


def _store(entry: Mapping[str, Any]) -> None:
    about = entry.get("_aws")
    if not isinstance(about, dict):
        return
    moment = float(about.get("Timestamp") or 0) / 1000
    for directive in about.get("CloudWatchMetrics") or []:
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {str(name): str(entry.get(name, "")) for name in names}
            for metric in directive.get("Metrics") or []:
                value = entry.get(metric["Name"])
                for one in value if isinstance(value, list) else [value]:
                    if isinstance(one, int | float):
                        unit = str(metric.get("Unit") or "None")
                        cloudwatch._store_datum(
                            str(directive["Namespace"]),
                            str(metric["Name"]),
                            dimensions,
                            moment,
                            unit,
                            one,
                            None,
                            None,
                            None,
                        )
