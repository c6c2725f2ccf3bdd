"""Metrics in the log line of a run, held to the specification of the embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from annex_lease.invocation import embedded

NOW = datetime(2026, 11, 23, 1, 2, 3, 456789, tzinfo=UTC)
REPORT: dict[str, object] = {
    "event": "check",
    "outcome": "done",
    "group": "g",
    "phase": "active",
    "reason": "",
    "end": "2026-11-23T09:00:00Z",
    "actions": [],
    "problems": [],
    "errors": [],
    "alive": 3,
    "overdue": 0,
    "record_problems": [],
    "instance_hours": None,
    "dry_run": False,
    "error": None,
    "seconds": 0.1,
}
LATE = {**REPORT, "overdue": 2}
UNITS = {"Seconds", "Microseconds", "Milliseconds", "Bytes", "Percent", "Count", "None"}


def violations(document: Any) -> list[str]:
    """The rules of the specification and of its JSON schema that a document breaks."""
    if not isinstance(document, dict) or not isinstance(document.get("_aws"), dict):
        return ["the root node is an object with a member _aws"]
    aws = document["_aws"]
    broken = []
    if type(aws.get("Timestamp")) is not int:
        broken.append("Timestamp is an integer")
    if set(aws) != {"Timestamp", "CloudWatchMetrics"} or not isinstance(aws.get("CloudWatchMetrics"), list):
        return [*broken, "_aws has Timestamp, the array CloudWatchMetrics, and nothing else"]
    for directive in aws["CloudWatchMetrics"]:
        broken += _directive_violations(directive, document)
    return broken


def _directive_violations(directive: Any, root: dict[str, Any]) -> list[str]:
    if not isinstance(directive, dict) or set(directive) != {"Namespace", "Dimensions", "Metrics"}:
        return ["a directive has Namespace, Dimensions, Metrics, and nothing else"]
    broken = []
    if not _name(directive["Namespace"]):
        broken.append("Namespace has 1 to 255 characters")
    if not directive["Dimensions"]:
        broken.append("there is a dimension set")
    for dimensions in directive["Dimensions"]:
        if len(dimensions) > 9 or not all(_name(each) for each in dimensions):
            broken.append("a dimension set has at most 9 names")
        broken += [f"{each} is a string at the root" for each in dimensions if not isinstance(root.get(each), str)]
    if len(directive["Metrics"]) > 100:
        broken.append("there are at most 100 metrics")
    for metric in directive["Metrics"]:
        if not set(metric) <= {"Name", "Unit"} or not _name(metric.get("Name")) or metric.get("Unit") not in UNITS:
            broken.append("a metric has a name and a unit")
        elif type(root.get(metric["Name"])) not in (int, float):
            broken.append(f"{metric['Name']} is a number at the root")
    return broken


def _name(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 255


def metrics(**changed: object) -> dict[str, object]:
    """The metrics that CloudWatch would read from a line, by name."""
    line = {**REPORT, **changed}
    logged = json.loads(json.dumps({**line, **embedded(line, "muon", NOW)}))
    if "_aws" not in logged:
        return {}
    assert violations(logged) == []
    assert all(logged[key] == value for key, value in line.items()), "the line's own members stay as they are"
    ((directive),) = logged["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"], logged["Annex"]) == ("HTCondorAnnex", [["Annex"]], "muon")
    assert logged["_aws"]["Timestamp"] == 1795395723456
    return {metric["Name"]: logged[metric["Name"]] for metric in directive["Metrics"]}


@pytest.mark.parametrize("phase", ["waiting", "granted", "active", "draining", "ended"])
@pytest.mark.parametrize("event", ["check", "Create", "Update", "Delete"])
def test_a_check_that_found_nothing_sends_nothing(event: str, phase: str) -> None:
    """Lambda's own metrics show that it ran; a metric of its own would be billed by the month."""
    assert metrics(event=event, phase=phase) == {}
    assert metrics(event=event, phase=phase, overdue=1) == {"InstancesPastLease": 1}


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ({"overdue": 2}, {"InstancesPastLease": 2}),
        ({"record_problems": ["a", "b"]}, {"LeaseRecordIgnored": 2}),
        ({"outcome": "failed", "error": "E: e"}, {}),
        ({"outcome": "failed", "overdue": 1}, {"InstancesPastLease": 1}),
        ({"outcome": "failed", "record_problems": ["a"]}, {"LeaseRecordIgnored": 1}),
        ({"overdue": None, "record_problems": None}, {}),
        ({"overdue": -1, "record_problems": "text"}, {}),
        ({"dry_run": True, "overdue": 2}, {}),
    ],
)
def test_a_count_is_sent_when_there_is_something_to_count(
    report: dict[str, object], expected: dict[str, object]
) -> None:
    assert metrics(**report) == expected


def test_a_run_that_checked_nothing_sends_nothing() -> None:
    # CloudFormation asked for the deletion of something else: done, and nothing was looked at.
    assert embedded({"event": "Delete", "outcome": "done", "reason": "not ours"}, "muon", NOW) == {}
    assert embedded({"event": "check", "outcome": "failed", "error": "E: e"}, "muon", NOW) == {}


def test_without_a_name_there_is_no_metric() -> None:
    assert embedded(LATE, "muon", NOW) != {}
    assert embedded(LATE, "", NOW) == {}


@pytest.mark.parametrize(
    ("changed", "broken"),
    [
        ({"Annex": 3}, "Annex is a string at the root"),
        ({"InstancesPastLease": "1"}, "InstancesPastLease is a number at the root"),
        ({"InstancesPastLease": True}, "InstancesPastLease is a number at the root"),
        ({"_aws": {"Timestamp": 1.5, "CloudWatchMetrics": []}}, "Timestamp is an integer"),
        ({"_aws": {"Timestamp": 1}}, "_aws has Timestamp, the array CloudWatchMetrics, and nothing else"),
        ({"_aws": None}, "the root node is an object with a member _aws"),
    ],
)
def test_the_rules_can_be_broken(changed: dict[str, object], broken: str) -> None:
    assert broken in violations({**LATE, **embedded(LATE, "muon", NOW), **changed})
