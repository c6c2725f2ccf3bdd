"""External dependencies of the commands, replaceable in tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from annex_pool.account_regions import enabled_regions
from annex_pool.check import Answer, ask_checker
from annex_pool.collector import Slot, query_slots
from annex_pool.deployed import Deployed
from annex_pool.region import Connections, RegionClients, configured_region


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
        enabled_regions: lists the Regions that are enabled for the account.
        default_region: returns the Region that the environment names, or None.
    """

    now: Callable[[], datetime] = _now
    sleep: Callable[[float], None] = time.sleep
    connect: Callable[[str], RegionClients] = field(default_factory=Connections)
    ask_checker: AskChecker = ask_checker
    query_slots: Callable[[str], Sequence[Slot]] = query_slots
    enabled_regions: Callable[[RegionClients], Sequence[str]] = enabled_regions
    default_region: Callable[[], str | None] = configured_region
