"""EventBridge Scheduler: rate, cron and at schedules in their own time zones.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import datetime
import logging
import re
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from lab.cloud import failed_events, functions, roles, world
from lab.cloud.emulator import eventbridge, lambda_svc, scheduler

_log = logging.getLogger(__name__)

_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_KEPT = ("ScheduleExpressionTimezone", "StartDate", "EndDate", "ActionAfterCompletion", "KmsKeyArn")
"""Properties of a schedule that MiniStack's CloudFormation handler drops."""


def due(schedule: dict[str, Any], last: float | None, born: float) -> float | None:
    """Next time of a schedule (seconds since the epoch), or None if there is none.

    Args:
        schedule: The schedule's record.
        last: Last time it fired, or None.
        born: Time of its creation or last change.
    """
    expression = str(schedule["ScheduleExpression"]).strip()
    zone = ZoneInfo(schedule.get("ScheduleExpressionTimezone") or "UTC")
    once = _AT.fullmatch(expression)
    if once:
        return None if last is not None else _wall_clock(datetime.datetime.fromisoformat(once[1]), zone)
    interval = eventbridge._parse_rate_seconds(expression)
    if interval is not None:
        return (born if last is None else last) + float(interval)
    fields = eventbridge._parse_cron_fields(expression)
    if fields is None:
        return None
    after = datetime.datetime.fromtimestamp(born if last is None else last, zone)
    # The next match is searched on the zone's own clock: the search compares fields and ignores the zone.
    found = eventbridge._cron_next_fire(fields, after.replace(tzinfo=datetime.UTC))
    return None if found is None else _wall_clock(found.replace(tzinfo=None), zone)


def _wall_clock(moment: datetime.datetime, zone: ZoneInfo) -> float:
    return moment.replace(tzinfo=zone).timestamp()


_born: dict[tuple[str, str, str], tuple[str, float]] = {}


def tick() -> None:
    """Fire every enabled schedule that is due."""
    for key, schedule in scheduler._schedules.all_items():
        account, region, _ = key
        with world.scope(account, region):
            _tick_one(key, schedule)
    for key in set(_born) - {key for key, _ in scheduler._schedules.all_items()}:
        del _born[key]
        scheduler._schedule_last_fired.pop(key, None)


def _tick_one(key: tuple[str, str, str], schedule: dict[str, Any]) -> None:
    now = world.now()
    expression = f"{schedule['ScheduleExpression']} {schedule.get('ScheduleExpressionTimezone')}"
    known, born = _born.setdefault(key, (expression, now))
    if known != expression:  # a changed schedule starts again
        scheduler._schedule_last_fired.pop(key, None)
        _born[key], born = (expression, now), now
    start, end = scheduler._to_epoch(schedule.get("StartDate")), scheduler._to_epoch(schedule.get("EndDate"))
    if schedule.get("State") != "ENABLED" or (start and now < start) or (end and now > end):
        return
    moment = due(schedule, scheduler._schedule_last_fired.get(key), born)
    if moment is None or now < moment:
        return
    scheduler._schedule_last_fired[key] = now
    _fire(schedule, moment)
    if _AT.fullmatch(expression.split()[0]) and schedule.get("ActionAfterCompletion") == "DELETE":
        scheduler._schedules._data.pop(key, None)


def _fire(schedule: dict[str, Any], moment: float) -> None:
    """https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html."""
    target = schedule["Target"]
    stamp = datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    payload = str(target.get("Input") or "{}")
    attributes = {
        "schedule-arn": schedule["Arn"],
        "scheduled-time": stamp,
        "execution-id": str(uuid4()),
        "attempt-number": "1",
    }
    for name, value in attributes.items():
        payload = payload.replace(f"<aws.scheduler.{name}>", value)
    arn = str(target["Arn"])
    if ":lambda:" not in arn:
        event: dict[str, Any] = {
            "EventId": str(uuid4()),
            "Source": "aws.scheduler",
            "DetailType": "Scheduled Event",
            "Detail": "{}",
            "Time": moment,
            "Resources": [schedule["Arn"]],
            "Account": arn.split(":")[4],
            "Region": arn.split(":")[3],
        }
        eventbridge._invoke_target({**target, "Input": payload}, event, schedule)
        return
    refusal = _refusal(target, arn)
    if refusal is None:
        functions.dispatch(arn, payload)
        return
    _log.warning("schedule %s: %s", schedule["Arn"], refusal)
    dead_letters = (target.get("DeadLetterConfig") or {}).get("Arn")
    # The schedule's execution role needs the permission to deliver dead-letter events:
    # https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
    if dead_letters and failed_events.may_send(str(target.get("RoleArn") or ""), dead_letters):
        eventbridge._dispatch_to_sqs(eventbridge.parse_arn(dead_letters), payload)


def _refusal(target: dict[str, Any], arn: str) -> str | None:
    """Reason why the schedule's own role may not invoke the function, or None.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/setting-up.html#setting-up-execution-role
    """
    function, _, name = lambda_svc._get_func_record_for_ref(arn)
    if not function:
        return f"there is no Lambda function {name}"
    role = str(target.get("RoleArn") or "")
    return None if roles.allows(role, "lambda:InvokeFunction", arn) else f"role {role} may not invoke {arn}"


def install() -> None:
    """Take over the firing of schedules: the lab's own clock calls :func:`tick`."""
    scheduler.start_scheduler = lambda: None


def keep_properties(key: str, declared: dict[str, Any]) -> None:
    """Store the properties of a schedule's template that MiniStack's handler drops."""
    record = scheduler._schedules.get(key)
    for name in _KEPT if record is not None else ():
        if declared.get(name):
            record[name] = declared[name]
        else:
            record.pop(name, None)
