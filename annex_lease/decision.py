"""Decision about an annex, from its group as observed and the time. Pure.

Level-triggered: the same input gives the same actions, every action may be repeated, and nothing is to be done once AWS
matches the lease. The next run sees and finishes what a missed, doubled or interrupted run left.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from annex_lease.actions import Decision, Phase
from annex_lease.keeping import keep
from annex_lease.lease import Lease
from annex_lease.observed import Fact, Group, Missing, Seen
from annex_lease.stopping import Stop, clear_away, stop
from annex_lease.tags import format_time

__all__ = ["Decision", "Phase", "decide"]


def decide(seen: Seen, now: datetime, *, closing: bool = False) -> Decision:
    """Decide what to do about an annex.

    Never raises for anything that the tags of the group may hold: a record that cannot be read ends the annex.

    Args:
        seen: the group as observed, or that there is none according to AWS.
        now: current time, aware.
        closing: True if the annex is being destroyed: everything is ended without grace, at any state of the record.

    Raises:
        ValueError: `now` has no time zone.
    """
    if now.utcoffset() is None:
        raise ValueError(f"now is {now.isoformat()} without a time zone: pass an aware datetime")
    if isinstance(seen, Missing):
        if not closing and not seen.confirmed:
            return _look_again("the group does not exist, as AWS says for the first time")
        return clear_away(seen)
    decision, lease = _decide(seen, now, closing=closing), seen.lease
    used = lease.ledger.used_by(now) if lease.ledger and lease.limit is not None else None
    problems = lease.problems
    return replace(decision, problems=problems + decision.problems, record_problems=problems, used_seconds=used)


def _decide(group: Group, now: datetime, *, closing: bool) -> Decision:
    lease = group.lease
    end = lease.effective_end
    if closing:
        known = end if lease.policy else None
        return stop(group, now, Stop("the annex is being destroyed", known, deadline=None, closing=True))
    if lease.policy is None:
        reason = "the declared lease is missing or malformed"
        if not group.confirmed:
            # CloudFormation changes the tags of a group in two calls, one that deletes and one that writes: between
            # them a policy is missing that exists a moment later.
            return _look_again(f"{reason}, as read for the first time")
        # There is no time to measure a grace from, and "now" would move it on with every check.
        return stop(group, now, Stop(reason, None, deadline=None))
    if now >= end:
        reason = _why(lease)
        if _was_stopped(group):
            # An override that moves the end while the annex drains does not start a new grace either.
            end = min(end, lease.record.published_end or end)
        return stop(group, now, Stop(reason, end, end + lease.grace, notify=True))
    if _was_stopped(group):
        return stop(group, now, _stopped_before(group))
    return keep(group, now)


def _look_again(reason: str) -> Decision:
    return Decision(Phase.DRAINING, reason, None, problems=(reason,), needs=frozenset({Fact.CONFIRMATION}))


def _why(lease: Lease) -> str:
    if lease.ends_by_hours:
        return f"the {lease.limit} instance-hours were used up at {format_time(lease.effective_end)}"
    return f"the lease ended at {format_time(lease.effective_end)}"


def _was_stopped(group: Group) -> bool:
    """True if the group is as the end of a lease, or an operator, leaves it: what ended stays ended.

    Without this a late extension would find a valid lease, and would keep instances that are being drained.
    """
    record = group.lease.record
    return group.is_off() and record.was_granted and not record.renewal_pending


def _stopped_before(group: Group) -> Stop:
    lease = group.lease
    # The end that instances were notified of, not an override that came after it; without one, the end that counts.
    end = min(lease.record.published_end or lease.effective_end, lease.effective_end)
    reason = "it was ended, or stopped by hand, and stays so until `annex renew`"
    return Stop(reason, end, end + lease.grace)
