"""What a run tells CloudWatch, inside the one JSON line that it logs: no call, no permission, nothing that can fail.

The line becomes metrics by CloudWatch's embedded metric format
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
Alarms watch them, above all the one that must keep coming: a checker that cannot run cannot complain.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

NAMESPACE = "HTCondorAnnex"
"""Namespace of all metrics."""
DIMENSION = "Annex"
"""Their only dimension: the annex's id, which an annex of the same name in another stack does not have."""
CHECKS = "LeaseChecks"
"""1 for every check that did all it should have: the heartbeat."""
PAST_LEASE = "InstancesPastLease"
"""Instances that live although the lease and its grace are over; sent only if there are any."""
RECORD_IGNORED = "LeaseRecordIgnored"
"""What of the lease's record had to be ignored; sent only if there is anything."""

_PERIOD = timedelta(minutes=1)  # of the alarms


def embedded(line: Mapping[str, object], annex: str, now: datetime) -> dict[str, object]:
    """What to add to the log line of a run, so that CloudWatch reads its metrics from it.

    A custom metric is billed for the hours in which it is sent, so a count of zero is not sent. A run that failed sends
    no heartbeat; what it found out before is sent all the same. A dry run sends nothing, nor does a run that checked
    nothing.

    The check of a stack's creation counts for the minute before it: the alarm on the heartbeat is made right after that
    check, looks at full minutes, and would begin with a false alarm.

    Args:
        line: the line as it will be logged: the members of a check's report, if there is one, and its `outcome`.
        annex: the annex's id; without one there is nothing to send.
        now: the time of the run, aware.

    Returns:
        members for the line's root; empty if there is nothing to send.
    """
    if not annex or "phase" not in line or line.get("dry_run"):
        return {}
    counts = {
        CHECKS: int(line.get("outcome") == "done"),
        PAST_LEASE: _count(line.get("overdue")),
        RECORD_IGNORED: _count(line.get("record_problems")),
    }
    sent = {name: count for name, count in counts.items() if count}
    if not sent:
        return {}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [[DIMENSION]],
        "Metrics": [{"Name": name, "Unit": "Count"} for name in sent],
    }
    moment = now - _PERIOD if line.get("event") == "Create" else now
    milliseconds = int(moment.timestamp() * 1000)
    return {"_aws": {"Timestamp": milliseconds, "CloudWatchMetrics": [directive]}, DIMENSION: annex, **sent}


def _count(found: object) -> int:
    """A number as it is, a list by its length; anything else is nothing: a log line must never end a run."""
    if isinstance(found, int):
        return max(0, found)
    return len(found) if isinstance(found, list | tuple) else 0
