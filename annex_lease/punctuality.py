"""The last scheduled run before the end stays awake for it: the lease ends at its end, not up to a minute late.

In that minute a machine that dies, or an execution point that leaves by switching itself off, would still be replaced.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from annex_lease.checker import Report

_PERIOD_SECONDS = 60.0  # of the schedule: an end further away has a run of its own
_CHECK_SECONDS = 30.0  # kept free for the check at the end


def check_at_the_end(
    report: Report,
    now: datetime,
    seconds_left: Callable[[], float],
    check: Callable[[datetime], Report],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Report:
    """Check again at the lease's end if that comes before the next scheduled run; otherwise `report` as it is.

    The record is read afresh then: whatever an operator wrote meanwhile counts.

    Args:
        report: of the run that has just been done.
        now: the time of that run, aware.
        seconds_left: how long the function may still run.
        check: looks at the annex as of the time it is given.
        sleep: waits.
    """
    end = report.decision.end
    wait = (end - now).total_seconds() if end else 0.0
    if not 0 < wait <= min(_PERIOD_SECONDS, seconds_left() - _CHECK_SECONDS):
        return report
    sleep(wait)
    return check(now + timedelta(seconds=wait))
