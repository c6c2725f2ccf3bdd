"""Alarms, evaluated periodically: by the dimensions of their metric, with missing data treated as declared.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
Metric math and percentiles are not modelled. AWS gives no size of the evaluation range; its example has two periods
more than the alarm evaluates, and so has the lab.
"""

import math
import operator
from collections.abc import Callable
from typing import Any

from lab.cloud import world
from lab.cloud.emulator import cloudwatch, sqs

Alarm = dict[str, Any]

_EVERY = 10.0
"""Seconds of the cloud's time between two evaluations."""
_MORE = 2
_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_last = [-math.inf]


def tick() -> None:
    """Evaluate every alarm when it is time. Call with the lock held."""
    now = world.now()
    if now - _last[0] < _EVERY:
        return
    _last[0] = now
    for (account, region, _), alarm in list(cloudwatch._alarms.all_items()):
        with world.scope(account, region):
            _evaluate(alarm, now)


def _evaluate(alarm: Alarm, now: float) -> None:
    if alarm.get("ComparisonOperator") not in _COMPARED:
        return
    state = state_of(_points(alarm, now), alarm)
    before = alarm["StateValue"]
    if state is None or state == before:
        return
    reason = f"Threshold Crossed: {alarm['ComparisonOperator']} {alarm['Threshold']}, evaluated at {now:.0f}"
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(now))
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)


def state_of(points: list[float | None], alarm: Alarm) -> str | None:
    """The state after these values of the evaluation range, newest last, None where one is missing.

    Returns:
        ``ALARM``, ``OK``, ``INSUFFICIENT_DATA``, or None to stay as it is.
    """
    wanted = int(alarm["EvaluationPeriods"])
    needed = int(alarm.get("DatapointsToAlarm") or wanted)
    compare, threshold = _COMPARED[alarm["ComparisonOperator"]], float(alarm["Threshold"])
    breaching = [compare(one, threshold) for one in points if one is not None]
    missing = alarm.get("TreatMissingData") or "missing"
    if len(breaching) >= wanted:
        # Enough real points: "the value you set for how to treat missing data is not needed and is ignored".
        breaching = breaching[-wanted:]
    elif missing in ("breaching", "notBreaching"):
        breaching += [missing == "breaching"] * (wanted - len(breaching))
    elif not breaching:
        return "INSUFFICIENT_DATA" if missing == "missing" else None
    elif missing == "missing":
        # The table of the page: "- - X - -" is in alarm, one value below the threshold keeps it out.
        needed = min(needed, len(breaching))
    return "ALARM" if sum(breaching) >= needed else "OK"


def _points(alarm: Alarm, now: float) -> list[float | None]:
    period = int(alarm["Period"])
    end = now // period * period
    count = int(alarm["EvaluationPeriods"]) + _MORE
    if alarm["Namespace"] == "AWS/SQS":
        return [None] * _MORE + [_depth(alarm)] * (count - _MORE)
    dimensions = {str(one["Name"]): str(one["Value"]) for one in alarm.get("Dimensions") or []}
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    stored = cloudwatch._metrics.get(key) or []
    found: list[float | None] = []
    for number in range(count, 0, -1):
        start = end - number * period
        stats = cloudwatch._calc_stats([one for one in stored if start <= one["Timestamp"] < start + period])
        found.append(float(stats[alarm["Statistic"]]) if stats else None)
    return found


def _depth(alarm: Alarm) -> float | None:
    """Messages in a queue now, for the whole evaluation range: the only metric of SQS that the lab has."""
    [name] = [str(one["Value"]) for one in alarm["Dimensions"] if one["Name"] == "QueueName"]
    queue = sqs._queue_by_arn(alarm["AlarmArn"].replace(":cloudwatch:", ":sqs:").split(":alarm:")[0] + f":{name}")
    return float(len(queue["messages"])) if queue else None


def install() -> None:
    """Take the evaluation over: only :func:`tick` changes the state of an alarm by its metric.

    MiniStack's own evaluation ignores dimensions, periods and missing data. It runs when a metric is put, and when an
    alarm is made or changed: a point of the current minute then made a new alarm OK, and the next tick, which has no
    whole minute yet, took that back and published INSUFFICIENT_DATA. "When this operation creates an alarm, the alarm
    state is immediately set to INSUFFICIENT_DATA. The alarm is then evaluated", and a change leaves the state:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    """
    cloudwatch._evaluate_all_alarms = lambda: None
    cloudwatch._evaluate_alarm = lambda _alarm: None
