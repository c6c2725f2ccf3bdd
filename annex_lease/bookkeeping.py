"""Bookkeeping of a lease, kept or stopped: its published end and its use. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from annex_lease import tags
from annex_lease.actions import Action, NotifyInstances, PublishEnd, RecordUse
from annex_lease.lease import Lease
from annex_lease.observed import DEAD_LIFECYCLE_STATES, Group
from annex_lease.record import HOUR_SECONDS, Ledger

# Two checks at once may read the clock in another order than they write. A record later than that is not a record.
_SKEW = timedelta(minutes=5)
# A grant is counted for so long, seen or not: its instances may start at any moment. Spot capacity that comes later is
# counted when it comes.
_SETTLING = timedelta(minutes=5)


def publish(lease: Lease, end: datetime) -> tuple[Action, ...]:
    """Publish the end on the group, unless it is published."""
    wanted, published = tags.group_tag(tags.TAG_END, tags.format_time(end)), lease.record.published
    if published == wanted:
        return ()
    before = tags.shown(published.value) if published else "nothing"
    return (PublishEnd(end, f"the lease ends at {wanted.value}, published is {before}"),)


def notify(group: Group, lease: Lease, end: datetime) -> tuple[Action, ...]:
    """Notify the instances of the end, unless they were notified of it."""
    notified = lease.record.notified
    if notified == tags.format_time(end):
        return ()
    before = tags.shown(notified) if notified else "nothing"
    staying = (i for i in group.members if i.state not in DEAD_LIFECYCLE_STATES)
    ids = tuple(sorted(i.id for i in staying if not i.state.startswith("Terminating")))
    return (NotifyInstances(end, ids, f"the instances were notified of {before}"),)


def record_use(lease: Lease, now: datetime, count: int, *, desired: int = 0) -> tuple[Action, ...]:
    """Record the use of the instance-hours, if the number of instances is not the recorded one.

    Args:
        lease: the lease of the group.
        now: current time, aware.
        count: number of instances.
        desired: number that the group is to have: instances of a recent grant are not listed yet.
    """
    ledger = current_ledger(lease, now)
    if ledger is None:
        return ()
    if lease.hours_end is not None and now >= lease.hours_end:
        # Used up: to write more would move that time, and with it the end, later and later. When no instance is left,
        # it stops counting at that time: a limit that is raised then finds the real use.
        if count or not ledger.count or lease.limit is None:
            return ()
        used = max(lease.limit * HOUR_SECONDS, ledger.used_by(lease.hours_end))
        stopped = Ledger(used, lease.hours_end, 0)
        return (RecordUse(stopped, "the hours are used up, and no instance is left"),)
    if ledger == lease.record.ledger and ledger.count == count:
        return ()
    if count < ledger.count <= desired and now - ledger.at < _SETTLING:
        return ()
    moved = ledger.moved_on(now, count)
    return (RecordUse(moved, f"{count} instances use the annex's hours, recorded are {ledger.count}"),)


def current_ledger(lease: Lease, now: datetime) -> Ledger | None:
    """Ledger of the instance-hours; one from the future is replaced by full use since the group was created."""
    if lease.ledger is not None and lease.ledger.at > now + _SKEW:
        return Ledger.assumed(lease.start, lease.size)
    return lease.ledger
