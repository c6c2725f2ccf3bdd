"""Times of schedules: their own time zones, and only once for `at`."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lab.cloud.scheduling import due


def epoch(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


BORN = epoch("2026-03-01T12:00:30")


def schedule(expression: str, zone: str | None = None) -> dict[str, Any]:
    return {"ScheduleExpression": expression, "ScheduleExpressionTimezone": zone}


@pytest.mark.parametrize(
    ("expression", "zone", "last", "expected"),
    [
        ("rate(1 minute)", None, None, "2026-03-01T12:01:30"),
        ("rate(1 minute)", None, "2026-03-01T12:01:40", "2026-03-01T12:02:40"),
        ("rate(2 hours)", "America/Chicago", None, "2026-03-01T14:00:30"),
        ("at(2026-03-02T08:00:00)", None, None, "2026-03-02T08:00:00"),
        ("at(2026-03-02T08:00:00)", "America/Chicago", None, "2026-03-02T14:00:00"),
        ("cron(0 8 * * ? *)", None, None, "2026-03-02T08:00:00"),
        ("cron(0 8 * * ? *)", "America/Chicago", None, "2026-03-01T14:00:00"),
        # The clocks of Chicago go forward on March 8th: 8 o'clock is an hour earlier in UTC from then on.
        ("cron(0 8 * * ? *)", "America/Chicago", "2026-03-07T14:00:01", "2026-03-08T13:00:00"),
    ],
)
def test_next_time(expression: str, zone: str | None, last: str | None, expected: str) -> None:
    found = due(schedule(expression, zone), epoch(last) if last else None, BORN)
    assert found == epoch(expected)


@pytest.mark.parametrize("expression", ["nonsense", "rate(0 weeks)", "cron(0 8 * * * *)", "at(tomorrow)"])
def test_never(expression: str) -> None:
    assert due(schedule(expression), None, BORN) is None


def test_at_fires_once() -> None:
    assert due(schedule("at(2026-03-02T08:00:00)"), epoch("2026-03-02T08:00:00"), BORN) is None
