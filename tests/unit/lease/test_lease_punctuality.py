"""Runs that wait for the end of the lease, and runs that do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from annex_lease.actions import Decision
from annex_lease.checker import CheckReport
from annex_lease.handler import check_at_the_end
from annex_lease.lease import Phase

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
REPORT = CheckReport("muon", Decision(Phase.ACTIVE, "", None), exists=True, actions=(), errors=())


def run(ends_in: float | None, *, left: float = 115.0) -> tuple[list[float], list[datetime]]:
    """The waits of one run, and the times of the checks after them."""
    end = None if ends_in is None else NOON + timedelta(seconds=ends_in)
    report = replace(REPORT, decision=replace(REPORT.decision, end=end))
    waits: list[float] = []
    checks: list[datetime] = []

    def check(now: datetime) -> CheckReport:
        checks.append(now)
        return REPORT

    check_at_the_end(report, NOON, lambda: left, check, sleep=waits.append)
    return waits, checks


@pytest.mark.parametrize("seconds", [1.0, 30.0, 60.0])
def test_an_end_before_the_next_run_is_waited_for(seconds: float) -> None:
    assert run(seconds) == ([seconds], [NOON + timedelta(seconds=seconds)])


@pytest.mark.parametrize("seconds", [None, -1.0, 0.0, 60.5, 3600.0])
def test_no_run_waits_for_any_other_end(seconds: float | None) -> None:
    assert run(seconds) == ([], [])


def test_nothing_is_waited_for_without_time_to_act_on_it() -> None:
    assert run(40.0, left=70.0) == ([40.0], [NOON + timedelta(seconds=40)])
    assert run(40.5, left=70.0) == ([], [])
