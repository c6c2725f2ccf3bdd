"""The world outside the command, in one place, so that a test can put another one there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from annex_pool.aws import Aws
from annex_pool.checker import Answer, ask_checker
from annex_pool.collector import Slot, query_slots
from annex_pool.finding import Deployed


class AskChecker(Protocol):
    """Has an annex's lease checker look, or say what it would do."""

    def __call__(self, found: Deployed, *, dry_run: bool = False) -> Answer:
        """See `annex_pool.checker.ask_checker`."""
        ...


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Environment:
    """What the commands need of the world.

    Attributes:
        now: the current time, aware UTC.
        sleep: waits for so many seconds.
        connect: the AWS clients of a Region.
        ask_checker: has an annex's lease checker look at once.
        query_slots: every annex's slots in the collector at host:port.
    """

    now: Callable[[], datetime] = _now
    sleep: Callable[[float], None] = time.sleep
    connect: Callable[[str], Aws] = Aws
    ask_checker: AskChecker = ask_checker
    query_slots: Callable[[str], Sequence[Slot]] = query_slots
