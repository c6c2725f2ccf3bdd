"""What is written down about a lease, whether it is kept or stopped: its end, and what was used of it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from annex_lease import tags
from annex_lease.actions import Action, NotifyInstances, PublishEnd, RecordUse
from annex_lease.lease import LeaseTimes
from annex_lease.ledger import Ledger, assumed
from annex_lease.observed import DEAD_LIFECYCLE_STATES, Group
from annex_lease.record import LeaseRecord

# Two checks at once may read the clock in another order than they write; a record from beyond that is no record.
_SKEW = timedelta(minutes=5)
# What was granted is counted for so long, seen or not: it may start at any moment. Spot capacity that does not come
# within it is not counted until it does.
_SETTLING = timedelta(minutes=5)


def publish(record: LeaseRecord, end: datetime) -> tuple[Action, ...]:
    """Publishing the end on the group, unless it is published."""
    wanted = tags.group_tag(tags.TAG_END, tags.format_time(end))
    if record.published == wanted:
        return ()
    before = tags.shown(record.published.value) if record.published else "nothing"
    return (PublishEnd(end, f"the lease ends at {wanted.value}, published is {before}"),)


def notify(group: Group, record: LeaseRecord, end: datetime) -> tuple[Action, ...]:
    """Telling the instances of the end, unless they were told."""
    if record.notified == tags.format_time(end):
        return ()
    before = tags.shown(record.notified) if record.notified else "nothing"
    staying = (i for i in group.members if i.state not in DEAD_LIFECYCLE_STATES)
    ids = tuple(sorted(i.id for i in staying if not i.state.startswith("Terminating")))
    return (NotifyInstances(end, ids, f"the instances were told {before}"),)


def record_use(
    record: LeaseRecord, times: LeaseTimes | None, now: datetime, count: int, *, desired: int = 0
) -> tuple[Action, ...]:
    """Recording what was used of the instance-hours, if there are now more or fewer instances than recorded.

    Args:
        record: what the group's tags say.
        times: when the lease ends.
        now: the current time, aware.
        count: how many instances there are.
        desired: how many the group is to have: those that were granted a moment ago are not listed yet.
    """
    ledger = current_ledger(times, now)
    if ledger is None or times is None:
        return ()
    if times.money_end is not None and now >= times.money_end:
        # Used up: to write on would move the moment of that, and with it the end, later and later. Only when nobody is
        # left it stops counting, at that very moment: a limit that is raised then finds what was really used.
        if count or not ledger.count or times.limit_seconds is None:
            return ()
        stopped = Ledger(max(times.limit_seconds, ledger.used_by(times.money_end)), times.money_end, 0)
        return (RecordUse(stopped, "the hours are used up, and no instance is left"),)
    if ledger == record.ledger and ledger.count == count:
        return ()
    if count < ledger.count <= desired and now - ledger.at < _SETTLING:
        return ()
    moved = ledger.moved_on(now, count)
    return (RecordUse(moved, f"{count} instances use the annex's hours, recorded are {ledger.count}"),)


def current_ledger(times: LeaseTimes | None, now: datetime) -> Ledger | None:
    """What is used of the instance-hours; a ledger from the future counts as used since the group exists."""
    if times is None or times.ledger is None:
        return None
    if times.ledger.at > now + _SKEW:
        return assumed(times.start, times.size)
    return times.ledger
