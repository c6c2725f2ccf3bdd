"""Runs that wait for the end of the lease, and runs that do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from annex_lease.actions import Decision, EmptyGroup, ResumeTerminate, SuspendLaunch
from annex_lease.checker import CheckError, CheckReport
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


END = NOON + timedelta(seconds=30)
FIRST = replace(
    REPORT,
    decision=replace(REPORT.decision, end=END),
    actions=(ResumeTerminate("only the first"), EmptyGroup("the first")),
    notes=("a note",),
    published=NOON,
)
SECOND = replace(REPORT, actions=(EmptyGroup("the first"), SuspendLaunch("the second")), published=END)


def at_the_end(answer: CheckReport | Exception) -> CheckReport:
    def check(_: datetime) -> CheckReport:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return check_at_the_end(FIRST, NOON, lambda: 115.0, check, sleep=lambda _: None)


def test_the_report_holds_what_both_checks_did() -> None:
    report = at_the_end(SECOND)
    assert report == replace(
        SECOND,
        actions=(ResumeTerminate("only the first"), EmptyGroup("the first"), SuspendLaunch("the second")),
        notes=("a note",),
        published=NOON,
    )


def test_so_does_that_of_a_check_at_the_end_that_failed() -> None:
    with pytest.raises(CheckError, match="refused") as caught:
        at_the_end(CheckError("refused", replace(SECOND, errors=("refused",))))
    assert [type(action) for action in caught.value.report.actions] == [ResumeTerminate, EmptyGroup, SuspendLaunch]
    assert caught.value.report.errors == ("refused",)


def test_a_group_that_cannot_be_read_at_the_end_loses_no_report() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied"}}, "DescribeAutoScalingGroups")
    with pytest.raises(CheckError, match="AccessDenied") as caught:
        at_the_end(denied)
    assert caught.value.report == FIRST
