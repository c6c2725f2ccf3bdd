"""The mark on an orphan: since when it has been one. It gives people, and a slow AWS, an hour to object."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from annex_lease.tags import parse_time

TAG_ORPHAN = "annex:orphan"
"""The time at which the sweeper first found nobody to own the resource. Written and taken back by the sweeper alone."""


def marked_since(tags: Mapping[str, str], now: datetime) -> datetime | None:
    """Since when the resource of these tags is marked; None if it is not, or not with a time in the past."""
    try:
        since = parse_time(tags[TAG_ORPHAN])
    except (KeyError, ValueError):
        return None
    # A time to come was not written by a sweeper: the hour starts anew.
    return since if since <= now else None


def is_due(tags: Mapping[str, str], now: datetime, wait: timedelta) -> bool:
    """Whether the resource of these tags was marked at least `wait` ago."""
    since = marked_since(tags, now)
    return since is not None and now - since >= wait
