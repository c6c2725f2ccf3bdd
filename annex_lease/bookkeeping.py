"""Bookkeeping of a lease, kept or stopped: its published and scheduled ends, the notified end, and its use. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from annex_lease import tags
from annex_lease.actions import (
    Action,
    NotifyInstances,
    PublishEnd,
    RecordGrant,
    RecordOverride,
    RecordUse,
    ScheduleEnds,
    SuspendProcesses,
)
from annex_lease.entries import Granted, Ledger, Override, Schedule, ScheduledAction
from annex_lease.lease import Lease
from annex_lease.observed import DEAD_INSTANCE_STATES, DEAD_LIFECYCLE_STATES, GRANT_MARK, Fact, Group
from annex_lease.record import LeaseRecord
from annex_lease.terms import CHECK_PERIOD

END_ACTION = "annex-end"
"""Name of the scheduled action at the effective end."""
LATEST_END_ACTION = "annex-latest-end"
"""Name of the scheduled action after the latest end."""
# Two actions of a group cannot have one time, and the effective end can be the latest.
_UNIQUE = timedelta(minutes=1)
# A start time must still be in the future when AWS reads it.
_MARGIN = timedelta(seconds=30)
# Two checks at once may read the clock in another order than they write. A ledger later than that has a wrong time.
_SKEW = timedelta(minutes=5)
# A deployment that fails is rolled back, which is no decision. An hour is longer than both take: the slowest resource
# of an annex, its custom resource, has a quarter of one.
_ROLLBACK = timedelta(hours=1)


def publish(lease: Lease, end: datetime) -> tuple[Action, ...]:
    """Publish the end on the group, unless it is published."""
    wanted, published = tags.group_tag(tags.TAG_END, tags.format_time(end)), lease.record.published
    if published == wanted:
        return ()
    before = tags.shown(published.value) if published else "nothing"
    return (PublishEnd(end, f"the lease ends at {wanted.value}, published is {before}"),)


def record_override(lease: Lease, now: datetime) -> tuple[Action, ...]:
    """Record what an override was written against that no command wrote, and that a deployment made one void.

    It is void for good an hour later: a deployment that is rolled back by then voids nothing.
    """
    wanted = lease.override
    if wanted is None or lease.policy is None:
        return ()
    reason = f"an operator wrote the end {tags.format_time(wanted.end)}"
    if not lease.override_is_void:
        wanted = replace(wanted, void_since=None)
    elif wanted.declared_end is not None:
        reason = f"a deployment changed the declared end after {tags.format_time(wanted.end)}"
        since = min(wanted.void_since or now, now).replace(microsecond=0)  # a clock may have been ahead
        lasting = now - since >= _ROLLBACK
        wanted = Override(wanted.end, None) if lasting else replace(wanted, void_since=since)
    return () if wanted == lease.record.overrides else (RecordOverride(wanted, reason),)


def notify(group: Group, end: datetime) -> tuple[tuple[Action, ...], frozenset[Fact]]:
    """Notify the instances of the end that have none or another one, by EC2's listing of their tags.

    EC2 is asked if the end moved, if there is an instance that no recent listing compared, and from time to time: a
    tag that was not written, or was overwritten, is repaired.

    Returns:
        the actions, and the facts that are needed to decide about them.
    """
    text = tags.format_time(end)
    staying = {
        member.id
        for member in group.members
        if member.id not in group.gone
        and member.state not in DEAD_LIFECYCLE_STATES
        and not member.state.startswith("Terminating")
    }
    notified, known = group.lease.record.notified == text, group.compared
    if group.instances is None:
        if notified and known is not None and known.end == text and staying <= known.ids:
            return (), frozenset()
        return (), frozenset({Fact.INSTANCES})
    listed = {each.id: each for each in group.instances if each.member or each.id in staying}
    alive = {key for key, instance in listed.items() if instance.state not in DEAD_INSTANCE_STATES}
    # An instance that the group lists and EC2 does not list yet is notified too.
    wrong = {key for key in alive if listed[key].end != text} | (staying - set(listed))
    if not wrong and notified:
        return (), frozenset()
    reason = f"{len(wrong)} instances have none or another end"
    return (NotifyInstances(end, tuple(sorted(wrong)), reason),), frozenset()


def drop_renewal(record: LeaseRecord) -> tuple[Action, ...]:
    """Use up a renewal that was not granted, as the lease is over: nothing but a new one may grant it."""
    if not record.renewal_pending:
        return ()
    granted = Granted(record.granted.size if record.granted else 0, record.renewal)
    return (RecordGrant(granted, "a later deployment or extension would grant it"),)


def restore_grant(lease: Lease) -> tuple[Action, ...]:
    """Record the grant that the group's mark shows and no tag."""
    granted = lease.record.granted
    if not lease.record.granted_lost or lease.policy is None or granted is None:
        return ()
    reason = "the group was granted a size, and no tag says so: annex renew grants the declared size again"
    return (RecordGrant(granted, reason),)


def record_use(group: Group, now: datetime) -> tuple[tuple[Action, ...], frozenset[Fact]]:
    """Record the use of the instance-hours, if the number of instances is not the recorded one.

    Returns:
        the actions, and the facts that are needed to decide about them: new instances count from their launch.
    """
    lease, count = group.lease, group.billed()
    ledger = current_ledger(lease, now)
    if ledger is None:
        return (), frozenset()
    if ledger == lease.record.ledger and ledger.count == count:
        return (), frozenset()
    if count > ledger.count and group.instances is None and Fact.INSTANCES not in group.refused:
        # What is not recorded yet is not lost: the launch times say it as well a moment later.
        return (), frozenset({Fact.INSTANCES})
    # No lease counts a time after its latest end: a ledger that held one would differ from the record at every check.
    moved = counted(ledger, min(now, lease.latest_end), count, new_launches(group, ledger))
    return (RecordUse(moved, f"{count} instances use the annex's hours, recorded are {ledger.count}"),), frozenset()


def new_launches(group: Group, ledger: Ledger) -> tuple[datetime, ...]:
    """Launch times of the instances that are seen and that the ledger does not hold, as far as EC2 listed them."""
    return group.launches()[: max(0, group.billed() - ledger.count)]


def counted(ledger: Ledger, now: datetime, count: int, launches: tuple[datetime, ...] = ()) -> Ledger:
    """The ledger as of `now`, with `count` instances from then on.

    Args:
        ledger: the ledger before.
        now: current time, aware.
        count: number of instances.
        launches: launch times of the new ones, which count from then on, the newest first. One whose launch is not
            known, or that is still to start, may have started right after the check before, and counts from then on.
    """
    new = max(0, count - ledger.count)
    known = launches[:new]
    since = (*known, *([now - CHECK_PERIOD] * (new - len(known))))
    unseen = sum(max(0, int((now - max(time, ledger.at)).total_seconds())) for time in since)
    moved = ledger.moved_on(now, count)
    return replace(moved, used=moved.used + unseen)


def current_ledger(lease: Lease, now: datetime) -> Ledger | None:
    """Ledger of the instance-hours. One from the future loses what its wrong clock added."""
    ledger = lease.ledger
    if ledger is None or ledger.at <= now + _SKEW:
        return ledger
    moment = max(lease.start, now.replace(microsecond=0))
    # If this clock is the wrong one, the next run adds the same again.
    added = int((ledger.at - moment).total_seconds()) * ledger.count
    return replace(ledger, used=max(0, ledger.used - added), at=moment)


def schedule_ends(group: Group, end: datetime, now: datetime, *, deploying: bool) -> tuple[ScheduleEnds, ...]:
    """Put the actions that are not there, by the record, or by the group's own list if that was looked up.

    Args:
        group: the group as observed.
        end: effective end of the lease.
        now: current time, aware.
        deploying: True if a deployment asks.
    """
    recorded, listed = group.lease.record.scheduled, group.scheduled
    latest = _latest_end(group, now, deploying=deploying)
    last = latest + _UNIQUE
    if listed is None:
        end_is_due = recorded is None or recorded.end != end
        last_is_due = recorded is None or recorded.latest_end != latest
    else:
        end_is_due, start = listed.get(END_ACTION) != end, listed.get(LATEST_END_ACTION)
        moved = recorded is None or recorded.latest_end != latest
        # One that comes earlier than recorded is left: no tag may move it.
        last_is_due = start is None or start > last or (moved and start != last)
    due = [ScheduledAction(END_ACTION, end, final=False)] if end_is_due else []
    due += [ScheduledAction(LATEST_END_ACTION, last, final=True)] if last_is_due else []
    due = [each for each in due if each.start - now > _MARGIN]
    if recorded is not None and latest > recorded.latest_end:
        # The later one leaves the time that the earlier one may come to: AWS refuses two at one time.
        due.reverse()
    if not due:
        return ()
    reason = f"the group has to be empty from {tags.format_time(end)} on, without any check"
    return (ScheduleEnds(Schedule(end, latest), tuple(due), reason),)


def _latest_end(group: Group, now: datetime, *, deploying: bool) -> datetime:
    """Latest end for the scheduled action: only a deployment moves it, and no tag does.

    The environment of the function changes with deployments only, so a cap there can be followed. Without one, the time
    of the first grant stands: a tag that is changed for moments would move it for good.
    """
    lease, recorded = group.lease, group.lease.record.scheduled
    if recorded is None or deploying or recorded.latest_end <= now or group.caps.max_lifetime_seconds is not None:
        return lease.latest_end
    if group.scheduled is not None and LATEST_END_ACTION not in group.scheduled:
        return min(recorded.latest_end, lease.latest_end)
    return recorded.latest_end


def suspend(group: Group) -> tuple[Action, ...]:
    """Suspend the processes of the group that an annex does without, the mark of its grant among them."""
    # Execution points leave one by one, so the zones become uneven. Auto Scaling would then launch above the desired
    # capacity and terminate busy instances (EC2 Auto Scaling User Guide, "Availability Zone rebalancing").
    # CloudFormation has no property for it.
    wanted = {"AZRebalance": "it would terminate busy instances to balance the zones"}
    if group.lease.record.was_granted:
        wanted[GRANT_MARK] = "it marks the grant"
    missing = {process: reason for process, reason in wanted.items() if process not in group.suspended}
    return (SuspendProcesses(tuple(missing), "; ".join(missing.values())),) if missing else ()
