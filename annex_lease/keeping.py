"""The lease is valid: publish its end, grant the declared size once, tell the instances of a changed end. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from annex_lease.actions import Action, Grant, RenewLease, ResumeLaunch, SuspendRebalance, Warn
from annex_lease.bookkeeping import current_ledger, notify, publish, record_use
from annex_lease.lease import LeaseTimes
from annex_lease.ledger import Ledger
from annex_lease.observed import Fact, Group
from annex_lease.outcome import Decision, Phase
from annex_lease.policy import LeasePolicy
from annex_lease.record import Granted, LeaseRecord, Renewed
from annex_lease.tags import format_time


@dataclass(frozen=True)
class _Grant:
    """Whether the declared size is to be granted, and what stands in the way: an obstacle is for an operator."""

    due: bool
    reason: str
    ready: bool = False
    obstacle: str | None = None
    needs: frozenset[Fact] = frozenset()


def keep(group: Group, record: LeaseRecord, policy: LeasePolicy, times: LeaseTimes, now: datetime) -> Decision:
    """What to do about a group whose lease is valid.

    Args:
        group: the group as observed.
        record: what its tags say.
        policy: what the template declares.
        times: when the lease ends.
        now: the current time, aware; before the end.
    """
    renewal = _renewal(group, policy, times, now)
    grant = _grant_state(group, record, policy.size)
    ledger = _ledger_of_grant(group, policy, times, now) if grant.due and grant.ready else times.ledger
    end = _end(renewal, policy, times, ledger)
    actions: list[Action] = [*renewal, *publish(record, end)]
    if "AZRebalance" not in group.suspended:
        # Execution points leave one by one, so the zones get uneven, and Auto Scaling would launch above the desired
        # capacity and terminate where there are more, jobs or not (EC2 Auto Scaling User Guide, "Availability Zone
        # rebalancing"). CloudFormation has no property for it.
        actions.append(SuspendRebalance("it would end busy instances to even out the zones"))
    if grant.due and grant.ready:
        # After the end is published: an instance that starts without it could not know when to stop.
        actions.extend(_granting(group, record, policy, ledger))
    actions.extend(notify(group, record, end))
    if not (grant.due and grant.ready):
        actions.extend(record_use(record, times, now, group.billed(), desired=group.desired + group.warm_pool_size))
    actions.extend(_warning(group, record, policy, end, now))
    phase = Phase.WAITING if grant.due and not grant.ready else Phase.ACTIVE if group.in_service() else Phase.GRANTED
    return Decision(
        phase,
        grant.reason,
        end,
        tuple(actions),
        independent=False,
        problems=_problems(group, grant),
        needs=grant.needs,
        alive=group.billed(),
    )


def _problems(group: Group, grant: _Grant) -> tuple[str, ...]:
    problems = [] if grant.obstacle is None else [grant.obstacle]
    if grant.obstacle is None and "Launch" in group.suspended and not grant.ready:
        problems.append("the Launch process is suspended: somebody stopped it by hand; nothing will start")
    if "Terminate" in group.suspended:
        problems.append("the Terminate process is suspended: no instance that retires is taken away")
    return tuple(problems)


def _grant_state(group: Group, record: LeaseRecord, size: int) -> _Grant:
    renewal = record.renewal_pending
    if not record.granted_known and not renewal:
        # It may have been this very size: granting it again could resize a fleet behind the operator's back, and the
        # rule for what cannot be read is never to start anything.
        return _Grant(False, "what was granted cannot be read, so nothing is granted")
    if record.granted is not None and record.granted.size == size and not renewal:
        return _Grant(False, "the declared size was granted")
    if size > group.max_size:
        obstacle = f"the declared size {size} is above the group's MaxSize {group.max_size}; nothing is granted"
        return _Grant(True, "the declared size cannot be granted", obstacle=obstacle)
    if size <= group.desired:
        # Nothing new starts, so neither the credential nor the Launch process matters.
        return _Grant(True, "the declared size is granted without starting anything", ready=True)
    if "Launch" in group.suspended and not renewal:
        # UpdateAutoScalingGroup would succeed here, the grant would be recorded, and everything would start at the
        # moment in which somebody resumes Launch, whether that is wanted or not. Staying stopped is the safe side.
        obstacle = "the Launch process is suspended: resume it to have the declared size granted"
        return _Grant(True, "the group was stopped", obstacle=obstacle)
    if group.credential is None:
        reason = "it is not known yet whether the credential exists"
        return _Grant(True, reason, needs=frozenset({Fact.CREDENTIAL}))
    if not group.credential:
        return _Grant(True, "the credential has no value yet: run annex credential push")
    return _Grant(True, "the declared size can be granted", ready=True)


def _granting(group: Group, record: LeaseRecord, policy: LeasePolicy, ledger: Ledger | None) -> tuple[Action, ...]:
    before = record.granted.text() if record.granted else None
    granted = Granted(policy.size, record.renewal or _renewal_of(record))
    grant = Grant(granted, ledger, f"granted was {before}, due is {granted.text()}")
    if "Launch" in group.suspended and record.renewal_pending:
        # First: a run that dies between the two finds the renewal still pending, and grants.
        return (ResumeLaunch("the operator renewed the annex"), grant)
    return (grant,)


def _renewal_of(record: LeaseRecord) -> datetime | None:
    return record.granted.renewal if record.granted else None


def _ledger_of_grant(group: Group, policy: LeasePolicy, times: LeaseTimes, now: datetime) -> Ledger | None:
    if policy.max_instance_hours is None and times.ledger is None:
        return None
    # What starts is counted from the grant on, before any of it is seen.
    count = max(group.billed() - group.warm_pool_size, policy.size) + group.warm_pool_size
    return (current_ledger(times, now) or Ledger(0, now, 0)).moved_on(now, count)


def _renewal(group: Group, policy: LeasePolicy, times: LeaseTimes, now: datetime) -> tuple[RenewLease, ...]:
    """Renewing the lease of a busy annex, in the second half of the period before its end."""
    if policy.renew_seconds is None or times.out_of_money:
        return ()
    period = timedelta(seconds=policy.renew_seconds)
    wanted = min(now.replace(microsecond=0) + period, times.longest)
    if times.end - now > period / 2 or wanted <= times.end or not group.busy():
        return ()
    reason = f"{group.busy()} instances are busy, and the lease would end at {format_time(times.end)}"
    return (RenewLease(Renewed(wanted, times.base), reason),)


def _end(renewal: tuple[RenewLease, ...], policy: LeasePolicy, times: LeaseTimes, ledger: Ledger | None) -> datetime:
    """The end as it is after this run: renewed, and as early as the instances that are granted now use up the money."""
    end = renewal[0].renewed.end if renewal else times.end
    limit = policy.max_instance_hours
    money_end = ledger.reaches(limit) if ledger and limit is not None else None
    return end if money_end is None else min(end, money_end)


def _warning(
    group: Group, record: LeaseRecord, policy: LeasePolicy, end: datetime, now: datetime
) -> tuple[Action, ...]:
    if policy.warn_before_end_seconds is None or end - now > timedelta(seconds=policy.warn_before_end_seconds):
        return ()
    if record.warned == format_time(end) or not group.billed():
        return ()
    return (
        Warn(
            end,
            group.billed(),
            f"the lease ends at {format_time(end)}, in less than {policy.warn_before_end_seconds} s",
        ),
    )
