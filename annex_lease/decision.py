"""The decision: what to do about an annex, from its record, its group as observed, and the time. Pure.

Level-triggered: the same input gives the same actions, every action may be repeated, and once the world matches there
is nothing to do. What a missed, doubled or interrupted run left behind is what the next run sees and finishes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from annex_lease import tags
from annex_lease.keeping import keep
from annex_lease.lease import LeaseTimes, lease_times
from annex_lease.observed import Fact, Group, Missing, Seen
from annex_lease.outcome import Decision, Phase
from annex_lease.policy import LeasePolicy
from annex_lease.record import LeaseRecord, read_record
from annex_lease.stopping import Stop, clear_away, stop

__all__ = ["Decision", "Phase", "decide"]


def decide(seen: Seen, now: datetime, *, closing: bool = False) -> Decision:
    """Decide what to do about an annex.

    Never raises for anything the group's tags may hold: a record that cannot be read ends the annex.

    Args:
        seen: the group as observed, or that AWS says that there is none.
        now: the current time, aware.
        closing: the annex is being destroyed: whatever the record says, everything goes and nothing gets grace.

    Raises:
        ValueError: `now` has no time zone.
    """
    if now.utcoffset() is None:
        raise ValueError(f"now is {now.isoformat()} without a time zone: pass an aware datetime")
    if isinstance(seen, Missing):
        if not closing and not seen.confirmed:
            return _look_again("the group does not exist, as AWS says for the first time")
        return clear_away(seen)
    record = read_record(seen.tags)
    times = lease_times(record, seen.created)
    decision = _decide(seen, record, times, now, closing=closing)
    ignored = record.problems + (times.problems if times else ())
    used = times.ledger.used_by(now) if times and times.ledger and times.limit_seconds is not None else None
    return replace(decision, problems=ignored + decision.problems, record_problems=ignored, used_seconds=used)


def _decide(group: Group, record: LeaseRecord, times: LeaseTimes | None, now: datetime, *, closing: bool) -> Decision:
    end = times.end if times else None
    if closing:
        return stop(group, record, times, now, Stop("the annex is being destroyed", end, deadline=None, closing=True))
    policy = record.policy
    if policy is None or times is None:
        reason = "the declared lease is missing or malformed"
        if not group.confirmed:
            # CloudFormation changes the tags of a group in two calls, one that deletes and one that writes: between
            # them a policy is missing that is there a moment later.
            return _look_again(f"{reason}, as read for the first time")
        # There is no time to measure a grace from, and "now" would move it on with every check.
        return stop(group, record, times, now, Stop(reason, None, deadline=None))
    if now >= times.end:
        end = times.end
        if _was_stopped(group, record):
            # Neither does a word that moves the end while the annex drains start a grace anew.
            end = min(end, record.published_end or end)
        return stop(group, record, times, now, Stop(_why(times, policy), end, end + policy.grace, notify=True))
    if _was_stopped(group, record):
        return stop(group, record, times, now, _stopped_before(group, record, times, policy))
    return keep(group, record, policy, times, now)


def _look_again(reason: str) -> Decision:
    return Decision(Phase.DRAINING, reason, None, problems=(reason,), needs=frozenset({Fact.CONFIRMATION}))


def _why(times: LeaseTimes, policy: LeasePolicy) -> str:
    if times.out_of_money:
        return f"the {policy.max_instance_hours} instance-hours were used up at {tags.format_time(times.end)}"
    return f"the lease ended at {tags.format_time(times.end)}"


def _was_stopped(group: Group, record: LeaseRecord) -> bool:
    """Whether the group is as the end of a lease, or somebody's hand, leaves it: what ended stays ended.

    Without this an extension that comes late would find a valid lease, and keep alive what is being drained.
    """
    off = "Launch" in group.suspended and not group.desired and not group.min_size
    return off and record.was_granted and not record.renewal_pending


def _stopped_before(group: Group, record: LeaseRecord, times: LeaseTimes, policy: LeasePolicy) -> Stop:
    # The end that instances were told of, not that of a word which came after it.
    end = min(record.published_end or group.created, times.end)
    reason = "it was ended, or stopped by hand, and stays so until `annex renew`"
    return Stop(reason, end, end + policy.grace)
