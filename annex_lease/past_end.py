"""Warning about a declared end of a lease that has passed. Pure."""

from __future__ import annotations

from datetime import datetime

from annex_lease.tags import format_time


def past_end(annex: str, end: datetime | None, now: datetime) -> str | None:
    """A warning if the declared end has passed; None if it has not, or if the lease has a length.

    It is no error: an annex whose end has passed must still be destroyable with what deployed it.

    Args:
        annex: name of the annex.
        end: the declared end, aware; None: a length is declared.
        now: the current time, aware.
    """
    if end is None or now < end:
        return None
    return (
        f"annex {annex}: the declared end of its lease, {format_time(end)}, has passed: a new annex starts no "
        "instance; fix: declare a later end, or destroy the annex"
    )
