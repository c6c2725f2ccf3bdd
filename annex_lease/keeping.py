"""Decision for a valid lease: publish its end, grant the declared size once, notify of a changed end. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from annex_lease import launches
from annex_lease.actions import (
    Action,
    Decision,
    Grant,
    RenewLease,
    ResumeLaunch,
    Warn,
)
from annex_lease.bookkeeping import (
    counted,
    current_ledger,
    new_launches,
    notify,
    publish,
    record_override,
    record_use,
    schedule_ends,
    suspend,
)
from annex_lease.entries import Granted, Ledger, Renewed
from annex_lease.lease import Phase
from annex_lease.observed import Credential, Fact, Group
from annex_lease.tags import format_time, keys_against_launches, shown

_NO_CREDENTIAL = {
    Credential.EMPTY: "the credential has no value yet: run annex credential push",
    Credential.DELETED: "the credential's secret waits for its deletion: restore it in AWS Secrets Manager",
}


@dataclass(frozen=True)
class _GrantState:
    """State of the grant of the declared size. An `obstacle` needs an operator; `ready`: nothing is missing."""

    due: bool
    reason: str
    ready: bool = False
    obstacle: str | None = None
    needs: frozenset[Fact] = frozenset()


def keep(group: Group, now: datetime, *, deploying: bool = False) -> Decision:
    """Decide about a group whose lease is valid.

    Args:
        group: the group as observed.
        now: current time, aware; before the end of the lease.
        deploying: True if a deployment asks. Default: False.
    """
    lease, grant = group.lease, _grant_state(group)
    renewal = _renewal(group, now)
    granting = grant.due and grant.ready
    # What was used is recorded first: no refusal of anything else may stop it.
    used, needs = record_use(group, now)
    if needs:
        # An end by the hours that is published, or scheduled, before the use is known would be wrong for moments.
        reason = "there are new instances, whose launch is not known yet"
        return Decision(_phase(group), reason, lease.effective_end, needs=needs, alive=group.billed())
    end = _end(group, renewal, now, granting=granting)
    actions: list[Action] = [*used, *renewal, *publish(lease, end), *record_override(lease, now)]
    actions.extend(schedule_ends(group, end, now, deploying=deploying))
    actions.extend(suspend(group))
    if granting:
        # After the end is published: an instance that starts without it could not know when to stop.
        actions.extend(_granting(group, now))
    actions.extend(_warning(group, end, now))
    notices, needs = notify(group, end)
    if needs and group.compared is None and group.scheduled is None:
        needs |= {Fact.SCHEDULED}
    short = 0 if grant.due else launches.missing(group)
    if not grant.due:
        needs |= launches.needs(group)
    waiting = grant.due and not grant.ready
    surplus = 0 if grant.due else max(0, max(group.desired, group.staying()) - lease.size)
    return Decision(
        Phase.WAITING if waiting else _phase(group),
        f"{grant.reason}; {short} of {group.desired} instances have not started" if short else grant.reason,
        end,
        (*actions, *notices),
        problems=_problems(group, grant, surplus),
        needs=grant.needs | needs,
        alive=group.billed(),
        surplus=surplus,
    )


def _phase(group: Group) -> Phase:
    return Phase.ACTIVE if group.in_service() else Phase.GRANTED


def _problems(group: Group, grant: _GrantState, surplus: int) -> tuple[str, ...]:
    problems = [] if grant.obstacle is None else [grant.obstacle]
    if not grant.due and (missing := launches.problem(group)):
        problems.append(missing)
    if surplus:
        problems.append(
            f"{group.lease.size + surplus} instances are {surplus} above the declared size {group.lease.size}, which "
            "costs money until the lease ends: the desired capacity was raised by hand, instances are on standby or "
            "detached, or busy ones stay after the size was made smaller"
        )
    if not group.max_size and group.lease.size and not grant.due:
        problems.append("the MaxSize is 0, set after an earlier latest end or by hand: run annex renew")
    if grant.obstacle is None and "Launch" in group.suspended and not grant.due:
        problems.append("the Launch process is suspended, by hand: nothing will start")
    if keys := keys_against_launches(group.tags):
        named = ", ".join(map(shown, keys[:5]))
        problems.append(
            f"EC2 starts no instance with tags of these keys: {named}: set their PropagateAtLaunch to false"
        )
    if "Terminate" in group.suspended:
        problems.append("the Terminate process is suspended: no instance that retires is terminated")
    if "ScheduledActions" in group.suspended:
        problems.append("the ScheduledActions process is suspended: without checks the group would not end: resume it")
    return tuple(problems)


def _grant_state(group: Group) -> _GrantState:
    record, size = group.lease.record, group.lease.size
    renewal = record.renewal_pending
    if not record.granted_known and not renewal:
        # It may have been this size, and a second grant could resize a fleet without the operator. What cannot be read
        # never starts anything.
        return _GrantState(False, "the granted size cannot be read, so nothing is granted")
    begun = record.granted is not None and record.granted.begun
    if record.granted is not None and record.granted.size == size and not renewal and not begun:
        return _GrantState(False, "the declared size was granted")
    if size > group.max_size > 0:
        obstacle = f"the declared size {size} is above the group's MaxSize {group.max_size}; nothing is granted"
        return _GrantState(True, "the declared size cannot be granted", obstacle=obstacle)
    if _capacity(group) <= group.desired:
        # Nothing new starts, so neither the credential nor the Launch process matters.
        return _GrantState(True, "the declared size is granted without starting anything", ready=True)
    if keys_against_launches(group.tags):
        return _GrantState(True, "with the tags of the group no instance could start")
    if "Launch" in group.suspended and not renewal:
        # UpdateAutoScalingGroup would succeed here, the grant would be recorded, and everything would start when Launch
        # is resumed, wanted or not. To stay stopped is the safe side.
        obstacle = "the Launch process is suspended: resume it to have the declared size granted"
        return _GrantState(True, "the group was stopped", obstacle=obstacle)
    if group.credential is None:
        reason = "the credential was not looked up yet"
        return _GrantState(True, reason, needs=frozenset({Fact.CREDENTIAL}))
    if group.credential is not Credential.PRESENT:
        return _GrantState(True, _NO_CREDENTIAL[group.credential])
    return _GrantState(True, "the declared size can be granted", ready=True)


def _capacity(group: Group) -> int:
    """Desired capacity to set: a size that was made smaller starts nothing, and one that was made larger ends nothing.

    What was only begun may never have been granted: it makes no size smaller. AWS takes nothing below a MinSize,
    which is set by hand.
    """
    record, size = group.lease.record, max(group.lease.size, group.min_size)
    if record.granted is None or record.granted.begun or record.renewal_pending:
        return size
    # What was added by hand is reported, and stays.
    return min(size, group.desired) if size < record.granted.size else max(size, group.desired)


def _granting(group: Group, now: datetime) -> tuple[Action, ...]:
    record, size, capacity = group.lease.record, group.lease.size, _capacity(group)
    before = record.granted.text() if record.granted else None
    granted = Granted(size, record.renewal or (record.granted.renewal if record.granted else None))
    grant = Grant(
        granted,
        _ledger_of_grant(group, now, group.billed()),
        capacity,
        # The scheduled action after an earlier latest end leaves a MaxSize of 0.
        max_size=None if group.max_size >= max(size, capacity) else max(size, capacity),
        starts=capacity > group.desired,
        reason=f"granted was {before}, due is {granted.text()}",
    )
    if "Launch" in group.suspended and record.renewal_pending:
        # First: a run that dies between the two finds the renewal still pending, and grants.
        return (ResumeLaunch("the operator renewed the annex"), grant)
    return (grant,)


def _ledger_of_grant(group: Group, now: datetime, count: int) -> Ledger | None:
    """Ledger with so many instances from now on; None: there is no limit, and never was."""
    lease = group.lease
    if lease.limit is None and lease.ledger is None:
        return None
    ledger = current_ledger(lease, now) or Ledger(0, now.replace(microsecond=0), 0)
    return counted(ledger, now, count, new_launches(group, ledger)) if count != ledger.count else ledger


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


def _end(group: Group, renewal: tuple[RenewLease, ...], now: datetime, *, granting: bool) -> datetime:
    """The end after this run: renewed, and no later than the instances that are seen now use up the hours.

    Instances that start now read this end. Their number counts here before any of them is seen, and only here: until
    they are seen, or have not started for long, so that the end does not move to and fro meanwhile.
    """
    lease, count = group.lease, group.billed()
    end = renewal[0].renewed.end if renewal else lease.effective_end
    if lease.limit is None or not (granting or lease.ledger):
        return end
    if granting or group.short_for < launches.SLOW:
        desired = _capacity(group) if granting else group.desired
        count = max(count, desired + group.warm_pool_size + group.outside())
    ledger = _ledger_of_grant(group, now, count)
    hours_end = ledger.reaches(lease.limit) if ledger else None
    return end if hours_end is None else min(end, hours_end)


def _warning(group: Group, end: datetime, now: datetime) -> tuple[Action, ...]:
    before = group.lease.warn_before_end
    if before is None or end - now > before:
        return ()
    if group.lease.record.warned == format_time(end) or not group.billed():
        return ()
    reason = f"the lease ends at {format_time(end)}, in less than {int(before.total_seconds())} s"
    return (Warn(end, group.billed(), reason),)
