"""External dependencies of the commands, replaceable in tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from annex_pool.check import Answer, ask_checker
from annex_pool.collector import Slot, query_slots
from annex_pool.deployed import Deployed
from annex_pool.region import RegionClients


class AskChecker(Protocol):
    """Type of `annex_pool.check.ask_checker`."""

    def __call__(self, found: Deployed, *, dry_run: bool = False) -> Answer:
        """See `annex_pool.check.ask_checker`."""
        ...


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Environment:
    """External dependencies of the commands.

    Attributes:
        now: returns the current time, aware UTC.
        sleep: waits for a number of seconds.
        connect: makes the AWS clients of a Region.
        ask_checker: runs the lease checker of an annex and returns its answer.
        query_slots: lists the slots of all annexes from the collector at host:port.
    """

    now: Callable[[], datetime] = _now
    sleep: Callable[[float], None] = time.sleep
    connect: Callable[[str], RegionClients] = RegionClients
    ask_checker: AskChecker = ask_checker
    query_slots: Callable[[str], Sequence[Slot]] = query_slots
