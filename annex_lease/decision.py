"""Decision about an annex, from its group as observed and the time. Pure.

Level-triggered: the same input gives the same actions, every action may be repeated, and nothing is to be done once AWS
matches the lease. The next run sees and finishes what a missed, doubled or interrupted run left.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from annex_lease.actions import Decision, Reopen, Report
from annex_lease.bookkeeping import restore_grant
from annex_lease.keeping import keep
from annex_lease.launches import REPORT_KIND, alarm
from annex_lease.lease import Lease, Phase
from annex_lease.observed import APART, BELIEVED, Deployment, Group, Missing, Seen
from annex_lease.stopping import Stop, clear_away, stop
from annex_lease.tags import format_time

__all__ = ["Decision", "Phase", "decide"]

_UNREADABLE = "the declared lease is missing or malformed"


def decide(seen: Seen, now: datetime, *, closing: bool = False, deployment: Deployment | None = None) -> Decision:
    """Decide what to do about an annex.

    Never raises for anything that the tags of the group may hold: a record that stays unreadable ends the annex.

    Args:
        seen: the group as observed, or that there is none according to AWS.
        now: current time, aware.
        closing: True if the annex is being destroyed: everything is ended without grace, at any state of the record.
        deployment: deployment that created or updated the annex just now. Default: None - there was none.

    Raises:
        ValueError: `now` has no time zone.
    """
    if now.utcoffset() is None:
        raise ValueError(f"now is {now.isoformat()} without a time zone: pass an aware datetime")
    if isinstance(seen, Missing):
        return clear_away(seen, now, closing=closing)
    lease = seen.lease
    closed = closing or (lease.record.closed and deployment is not Deployment.CREATED)
    decision = _decide(seen, now, closed=closed, deploying=deployment is not None)
    if lease.record.closed and not closed:
        # First: the next check would end what is granted while the annex counts as closed.
        reopen = Reopen("the annex was created again on the same group")
        decision = replace(decision, actions=(reopen, *decision.actions))
    used = lease.ledger.used_by(now) if lease.ledger and lease.limit is not None else None
    problems = lease.problems
    report = () if closing else _report(seen, decision)
    return replace(
        decision,
        actions=restore_grant(lease) + decision.actions + report,
        problems=problems + decision.problems,
        record_problems=problems,
        used_seconds=used,
    )


def _report(group: Group, decision: Decision) -> tuple[Report, ...]:
    """Report what an operator has to know although this run does all it should, once for each kind."""
    lease, found, known = group.lease, {}, group.lease.record.reported_kinds
    # While a deployment replaces the tags, the record cannot be read for moments.
    if lease.problems and (lease.policy is not None or group.unread_for >= APART):
        found["record"] = lease.problems
    if decision.surplus:
        found["surplus"] = (f"there are, or are to be, {decision.surplus} instances more than declared",)
    # The check that finds an instance past its lease terminates it; the next one should find none.
    if decision.overdue and (group.late_for >= APART or "late" in known):
        found["late"] = (f"{decision.overdue} instances are alive although their lease and its grace are over",)
    if decision.phase is Phase.GRANTED and (text := alarm(group)):
        found[REPORT_KIND] = (text,)
    kinds = " ".join(sorted(found))
    if kinds == lease.record.reported:
        return ()
    new = tuple(text for kind, texts in found.items() if kind not in known for text in texts)
    return (Report(kinds, new, f"reported was {lease.record.reported or 'nothing'}, now it is {kinds or 'nothing'}"),)


def _decide(group: Group, now: datetime, *, closed: bool, deploying: bool) -> Decision:
    lease = group.lease
    end = lease.effective_end
    if closed:
        known = end if lease.policy else None
        return stop(group, now, Stop("the annex is being destroyed", known, closing=True))
    if lease.policy is None:
        return _unreadable(group, now)
    if now >= end:
        return stop(group, now, Stop(_why(lease), _counted_from(group, now), notify=True))
    if _was_stopped(group, now):
        # The end that instances were notified of, not an override that came after it. If that is lost, the grace counts
        # from the check that finds so, and publishes its time: what was stopped must not stay until the declared end.
        published = lease.record.published_end
        reason = "it was ended, or stopped by hand, and stays so until `annex renew`"
        found = now.replace(microsecond=0) if published is None else published
        return stop(group, now, Stop(reason, min(found, end), notify=published is None))
    decision = keep(group, now, deploying=deploying)
    if decision.end is not None and decision.end <= now:
        # The hours are used up by what is seen, although nothing could be recorded.
        return stop(group, now, Stop(f"the {lease.limit} instance-hours are used up", decision.end, notify=True))
    return decision


def _unreadable(group: Group, now: datetime) -> Decision:
    """Keep to the last published end. A record that stays unreadable is believed: then the annex ends, with its grace.

    CloudFormation changes the tags of a group in two calls, one that deletes and one that writes: between them a policy
    is missing that exists a moment later. To end what runs could not be taken back.
    """
    lease = group.lease
    published, end = lease.record.published_end, lease.effective_end
    if published is not None and (now >= end or _was_stopped(group, now)):
        return stop(group, now, Stop(_UNREADABLE, end))
    if group.unread_for >= BELIEVED:
        # The time at which it was believed is published: the grace is measured from then on, in each check.
        end = min((now - group.unread_for + BELIEVED).replace(microsecond=0), lease.latest_end)
        return stop(group, now, Stop(_UNREADABLE, end, notify=True))
    phase = Phase.ACTIVE if group.in_service() else Phase.GRANTED if group.billed() else Phase.WAITING
    minutes = int(BELIEVED.total_seconds()) // 60
    reason = f"{_UNREADABLE}: nothing is granted, and it ends after {minutes} minutes of that"
    return Decision(phase, reason, None if published is None else end, problems=(_UNREADABLE,), alive=group.billed())


def _counted_from(group: Group, now: datetime) -> datetime:
    """Time from which the grace counts, of a lease that is over: its end, or the check that found an end in the past.

    That check publishes its own time. If it cannot, the grace ends no later than that of the end published before.
    """
    end, published = group.lease.effective_end, group.lease.record.published_end
    if published is not None and published > end:
        found = now.replace(microsecond=0) - group.over_for
        return min(published, max(end, found), group.lease.latest_end)
    # An override that moves the end while the annex drains does not start a new grace either.
    return published if published is not None and _was_stopped(group, now) else end


def _why(lease: Lease) -> str:
    if lease.ends_by_hours:
        return f"the {lease.limit} instance-hours were used up at {format_time(lease.effective_end)}"
    return f"the lease ended at {format_time(lease.effective_end)}"


def _was_stopped(group: Group, now: datetime) -> bool:
    """True if the group is as the end of a lease, its scheduled action, or an operator leaves it: it stays ended.

    Without this a late extension would find a valid lease, and would keep instances that are being drained.
    """
    record = group.lease.record
    if not record.was_granted or record.renewal_is_new:
        return False
    # A grant for a renewal resumes Launch before anything: if that is suspended again, an operator did it.
    if group.is_off() or record.renewal_pending:
        return group.is_off()
    # No check moved the action in time: they were lost, and the extension came too late or was not seen.
    acted = record.scheduled is not None and record.scheduled.end <= now
    return acted and not group.desired and not group.min_size
