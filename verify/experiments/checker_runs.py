"""Runs of the lease checker on Lambda: their time and memory, and the metric that the alarm watches."""

from __future__ import annotations

import re
from datetime import timedelta

from annex_lease.invocation import DRY_CHECK
from verify.experiment import Experiment
from verify.outcome import NotRunError, Seen
from verify.scene import Scene

_RUN_SECONDS = 150.0  # two runs of the schedule, and the time until the log shows them
_METRIC_SECONDS = 360.0
_SHARE = 0.8  # of the function's memory
_LONGEST_MS = 60_000.0  # a run each minute
_FIELD = re.compile(r"(Duration|Billed Duration|Memory Size|Max Memory Used|Init Duration): ([\d.]+) (?:ms|MB)")


def report_values(line: str) -> dict[str, float]:
    """Values of a REPORT line of Lambda by their names, in ms and MB.

    The form is that of the Lambda Developer Guide, "Viewing CloudWatch logs for Lambda functions".
    """
    return {name: float(value) for name, value in _FIELD.findall(line)}


def scheduled_run(scene: Scene) -> Seen:
    """Read the REPORT lines of runs that the schedule started, and ask for a dry run."""
    log = scene.log_group("a")
    since = scene.now() - timedelta(minutes=10)

    def reports() -> list[str]:
        found = scene.log_lines(log, since)
        # A run of the schedule writes a line with its event before its REPORT line.
        scheduled = any('"event": "scheduled"' in line for line in found)
        return [line for line in found if line.startswith("REPORT")] if scheduled else []

    lines = scene.wait_for("REPORT line of a scheduled run", _RUN_SECONDS, reports)
    values = [report_values(line) for line in lines]
    last = values[-1]
    if not {"Duration", "Memory Size", "Max Memory Used"} <= last.keys():
        raise NotRunError(f"a REPORT line of another form: {lines[-1]}")
    if not last["Max Memory Used"]:
        raise NotRunError("the REPORT line names no memory")
    inits = [each["Init Duration"] for each in values if "Init Duration" in each]
    answer = scene.check("a", DRY_CHECK)
    fits = last["Max Memory Used"] <= _SHARE * last["Memory Size"] and last["Duration"] < _LONGEST_MS
    text = (
        f"{last['Duration']:.0f} ms, {last['Max Memory Used']:.0f} of {last['Memory Size']:.0f} MB, "
        f"cold start {f'{max(inits):.0f} ms' if inits else 'not seen'}; a dry run answers {answer['phase']}"
    )
    return Seen(fits and answer["dry_run"] is True, text, tuple(lines[-5:]))


def errors_metric(scene: Scene) -> Seen:
    """Read the metric Errors of the function: a run without an error must count as 0, and not as nothing."""
    name = scene.output("a", "LeaseChecker")
    client = scene.account.aws.client("cloudwatch")

    def sums() -> list[float]:
        found = client.get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Errors",
            Dimensions=[{"Name": "FunctionName", "Value": name}],
            StartTime=scene.now() - timedelta(minutes=15),
            EndTime=scene.now() + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return [float(each["Sum"]) for each in sorted(found, key=lambda each: each["Timestamp"])]

    # Waited for in every case: if a run sends nothing, there is never a value.
    found = scene.watch(_METRIC_SECONDS, lambda: [each for each in sums() if each == 0.0])
    values = sums()
    return Seen(bool(found), f"{len(values)} minutes with a value, {len(found)} of them 0", (f"Errors: {values}",))


EXPERIMENTS = (
    Experiment(
        9,
        "a scheduled minute",
        f"a check fits into {_SHARE:.0%} of the function's memory and takes seconds; a dry run answers",
        "docs/reference/costs.md, scaled from another machine; Lambda Developer Guide, 'Viewing CloudWatch logs'",
        1,
        scheduled_run,
    ),
    Experiment(
        15,
        "Errors is 0",
        "Lambda sends the metric Errors with the value 0 for a run without an error",
        "Lambda Developer Guide, 'Types of metrics for Lambda functions'; docs/how-to/alarms.md",
        1,
        errors_metric,
    ),
)
