"""Decision for a valid lease: publish its end, grant the declared size once, notify of a changed end. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from annex_lease.actions import Action, Decision, Grant, Phase, RenewLease, ResumeLaunch, SuspendRebalance, Warn
from annex_lease.bookkeeping import current_ledger, notify, publish, record_use
from annex_lease.lease import Lease
from annex_lease.observed import Fact, Group
from annex_lease.record import Granted, Ledger, Renewed
from annex_lease.tags import format_time


@dataclass(frozen=True)
class _GrantState:
    """State of the grant of the declared size. An `obstacle` needs an operator; `ready`: nothing is missing."""

    due: bool
    reason: str
    ready: bool = False
    obstacle: str | None = None
    needs: frozenset[Fact] = frozenset()


def keep(group: Group, now: datetime) -> Decision:
    """Decide about a group whose lease is valid.

    Args:
        group: the group as observed.
        now: current time, aware; before the end of the lease.
    """
    lease = group.lease
    renewal = _renewal(group, now)
    grant = _grant_state(group)
    granting = grant.due and grant.ready
    ledger = _ledger_of_grant(group, now) if granting else lease.ledger
    end = _end(renewal, lease, ledger)
    actions: list[Action] = [*renewal, *publish(lease, end)]
    if "AZRebalance" not in group.suspended:
        # Execution points leave one by one, so the zones become uneven. Auto Scaling would then launch above the
        # desired capacity and terminate busy instances (EC2 Auto Scaling User Guide, "Availability Zone rebalancing").
        # CloudFormation has no property for it.
        actions.append(SuspendRebalance("it would terminate busy instances to balance the zones"))
    if granting:
        # After the end is published: an instance that starts without it could not know when to stop.
        actions.extend(_granting(group, ledger))
    actions.extend(notify(group, lease, end))
    if not granting:
        actions.extend(record_use(lease, now, group.billed(), desired=group.desired + group.warm_pool_size))
    actions.extend(_warning(group, end, now))
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


def _problems(group: Group, grant: _GrantState) -> tuple[str, ...]:
    problems = [] if grant.obstacle is None else [grant.obstacle]
    if grant.obstacle is None and "Launch" in group.suspended and not grant.ready:
        problems.append("the Launch process is suspended, by hand: nothing will start")
    if "Terminate" in group.suspended:
        problems.append("the Terminate process is suspended: no instance that retires is terminated")
    return tuple(problems)


def _grant_state(group: Group) -> _GrantState:
    record, size = group.lease.record, group.lease.size
    renewal = record.renewal_pending
    if not record.granted_known and not renewal:
        # It may have been this size, and a second grant could resize a fleet without the operator. What cannot be read
        # never starts anything.
        return _GrantState(False, "the granted size cannot be read, so nothing is granted")
    if record.granted is not None and record.granted.size == size and not renewal:
        return _GrantState(False, "the declared size was granted")
    if size > group.max_size:
        obstacle = f"the declared size {size} is above the group's MaxSize {group.max_size}; nothing is granted"
        return _GrantState(True, "the declared size cannot be granted", obstacle=obstacle)
    if size <= group.desired:
        # Nothing new starts, so neither the credential nor the Launch process matters.
        return _GrantState(True, "the declared size is granted without starting anything", ready=True)
    if "Launch" in group.suspended and not renewal:
        # UpdateAutoScalingGroup would succeed here, the grant would be recorded, and everything would start when Launch
        # is resumed, wanted or not. To stay stopped is the safe side.
        obstacle = "the Launch process is suspended: resume it to have the declared size granted"
        return _GrantState(True, "the group was stopped", obstacle=obstacle)
    if group.credential is None:
        reason = "the credential was not looked up yet"
        return _GrantState(True, reason, needs=frozenset({Fact.CREDENTIAL}))
    if not group.credential:
        return _GrantState(True, "the credential has no value yet: run annex credential push")
    return _GrantState(True, "the declared size can be granted", ready=True)


def _granting(group: Group, ledger: Ledger | None) -> tuple[Action, ...]:
    record = group.lease.record
    before = record.granted.text() if record.granted else None
    granted = Granted(group.lease.size, record.renewal or (record.granted.renewal if record.granted else None))
    grant = Grant(granted, ledger, f"granted was {before}, due is {granted.text()}")
    if "Launch" in group.suspended and record.renewal_pending:
        # First: a run that dies between the two finds the renewal still pending, and grants.
        return (ResumeLaunch("the operator renewed the annex"), grant)
    return (grant,)


def _ledger_of_grant(group: Group, now: datetime) -> Ledger | None:
    lease = group.lease
    if lease.limit is None and lease.ledger is None:
        return None
    # Instances count from the grant on, before any of them is seen.
    count = max(group.billed() - group.warm_pool_size, lease.size) + group.warm_pool_size
    return (current_ledger(lease, now) or Ledger(0, now, 0)).moved_on(now, count)


def _renewal(group: Group, now: datetime) -> tuple[RenewLease, ...]:
    """Renew the lease of a busy annex, in the second half of the period before its end."""
    lease, period = group.lease, group.lease.renew_while_busy
    if period is None or lease.ends_by_hours:
        return ()
    wanted = min(now.replace(microsecond=0) + period, lease.latest_end)
    if lease.effective_end - now > period / 2 or wanted <= lease.effective_end or not group.busy():
        return ()
    reason = f"{group.busy()} instances are busy, and the lease would end at {format_time(lease.effective_end)}"
    return (RenewLease(Renewed(wanted, lease.unrenewed_end), reason),)


def _end(renewal: tuple[RenewLease, ...], lease: Lease, ledger: Ledger | None) -> datetime:
    """The end after this run: renewed, and no later than the instances that are granted now use up the hours."""
    end = renewal[0].renewed.end if renewal else lease.effective_end
    hours_end = ledger.reaches(lease.limit) if ledger and lease.limit is not None else None
    return end if hours_end is None else min(end, hours_end)


def _warning(group: Group, end: datetime, now: datetime) -> tuple[Action, ...]:
    before = group.lease.warn_before_end
    if before is None or end - now > before:
        return ()
    if group.lease.record.warned == format_time(end) or not group.billed():
        return ()
    reason = f"the lease ends at {format_time(end)}, in less than {int(before.total_seconds())} s"
    return (Warn(end, group.billed(), reason),)
