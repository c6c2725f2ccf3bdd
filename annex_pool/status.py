"""`annex status`: an annex's instances in AWS against its slots in the pool.

A side that does not answer is an error of that side, never a zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from annex_lease.actions import Decision
from annex_lease.decision import decide
from annex_lease.entries import HOUR_SECONDS
from annex_lease.lease import Lease
from annex_lease.observed import BELIEVED, Credential, Fact, Group, Missing
from annex_lease.ownership import STACK_NAME_TAG, by_key, stack_name
from annex_lease.tags import TAG_ID, format_time
from annex_pool.annex_status import NOT_DEPLOYED, AnnexStatus, HoursUsed, InstanceStatus
from annex_pool.collector import Slot
from annex_pool.command_error import AnnexError
from annex_pool.deployed import Deployed, find_annex, observe, states
from annex_pool.deployed_pool import deployed_pool
from annex_pool.environment import Environment
from annex_pool.missing_instances import failed_launches, failed_starts, shortfall
from annex_pool.place import Place
from annex_pool.region import PAUSE_SECONDS, RegionClients, check_account
from annex_pool.stored_credential import restore_advice, stored_credential
from annex_pool.ungrouped import as_instances, ec2_states, explained, list_ungrouped


@dataclass(frozen=True)
class Observation:
    """Everything found about one annex. None always means "not known", never "none".

    Attributes:
        place: the annex.
        answered: AWS answered about the group. If it did and `group` is None, the annex is not deployed.
        group: its Auto Scaling group, with EC2's own list of its instances.
        decision: the lease checker's decision about it at this moment.
        slots: its slots in the collector.
        errors: failed requests with their reasons, and instances that run without a group.
        ungrouped: without a group: EC2 states of the alive instances that carry the annex's name, by id.
        notes: findings that need an operator's attention, besides those of the decision.
    """

    place: Place
    answered: bool
    group: Group | None
    decision: Decision | None
    slots: Sequence[Slot] | None
    errors: tuple[str, ...]
    ungrouped: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def look(environment: Environment, places: Sequence[Place]) -> list[AnnexStatus]:
    """Observe these annexes; a failed request is in the `errors` of a status.

    An annex that looks ended, or has an unreadable record, is observed a second time, all after one pause. Each pool's
    collector is asked once: that of the spec file, or that of the deployed annex if the file names none.

    Args:
        environment: external dependencies.
        places: the annexes.
    """
    unseen = (Observation(each, answered=False, group=None, decision=None, slots=None, errors=()) for each in places)
    found = [_observed(environment, each) for each in unseen]
    if any(_look_again(each) for each in found):
        environment.sleep(PAUSE_SECONDS)
        found = [_observed(environment, each) if _look_again(each) else each for each in found]
    pools: dict[str, Sequence[Slot] | AnnexError] = {}
    found = [_with_slots(environment, each, pools) for each in found]
    return [status_of(each, environment.now()) for each in found]


def _with_slots(
    environment: Environment, seen: Observation, pools: dict[str, Sequence[Slot] | AnnexError]
) -> Observation:
    """Add the slots of the annex's pool; `pools` holds the answers of the collectors that were asked before."""
    collector = seen.place.collector
    if seen.group is not None and not (seen.place.declared and collector):
        # A file that does not declare the annex can be that of another pool.
        pool = deployed_pool(Deployed(seen.place.name, environment.connect(seen.place.region), seen.group))
        collector = pool.collector or collector
        if not collector:
            reason = pool.error or "an earlier version of this project deployed it"
            unknown = f"the pool of annex {seen.place.name} was not asked: no spec file names it, and neither does the "
            return replace(seen, errors=(f"{unknown}deployed annex: {reason}", *seen.errors))
    if not collector:
        return seen
    if collector not in pools:
        try:
            pools[collector] = environment.query_slots(collector)
        except AnnexError as error:
            pools[collector] = error
    answer = pools[collector]
    if isinstance(answer, AnnexError):
        return replace(seen, errors=(str(answer), *seen.errors))
    return replace(seen, slots=answer)


def _look_again(found: Observation) -> bool:
    decision = found.decision
    unreadable = found.group is not None and found.group.lease.policy is None
    return decision is not None and (decision.empty or unreadable or found.group is None)


def _observed(environment: Environment, before: Observation) -> Observation:
    place, decision = before.place, before.decision
    seen = replace(before, answered=False, group=None, decision=None, ungrouped={}, notes=())
    if place.failure:
        return replace(seen, errors=(*seen.errors, place.failure))
    try:
        aws = environment.connect(place.region)
        check_account(aws, place.account)
        found = find_annex(aws, place.name, group=place.group, annex_id=place.id)
        if found is None:
            return _without_group(environment, aws, seen, again=decision is not None)
        group = observe(found)
        seen = replace(seen, answered=True, group=group)
        if group is None:
            return seen
        group = replace(group, empty_before=decision is not None and decision.empty)
        return _with_reasons(found, _decided(environment, found, replace(seen, group=group)))
    except AnnexError as error:
        return replace(seen, errors=(*seen.errors, str(error)))


def _without_group(environment: Environment, aws: RegionClients, seen: Observation, *, again: bool) -> Observation:
    name = seen.place.name
    ungrouped = list_ungrouped(aws, name, seen.place.id)
    if not ungrouped:
        return replace(seen, answered=True)
    unread_for = BELIEVED if again else timedelta(0)
    missing = Missing(ungrouped[0].claimed.group, instances=as_instances(ungrouped), unread_for=unread_for)
    errors = (*seen.errors, explained(aws, name, ungrouped)) if again else seen.errors
    decision = decide(missing, environment.now())
    return replace(seen, answered=True, ungrouped=ec2_states(ungrouped), decision=decision, errors=errors)


def _decided(environment: Environment, found: Deployed, seen: Observation) -> Observation:
    """Add the lease checker's decision, with the state of the secret if the decision needs it."""
    group, now = found.group if seen.group is None else seen.group, environment.now()
    decision = decide(group, now)
    if Fact.CREDENTIAL not in decision.needs:
        return replace(seen, decision=decision)
    stored = stored_credential(found)
    notes = (restore_advice(stored.arn, found.aws.region),) if stored.state is Credential.DELETED else ()
    return replace(seen, decision=decide(replace(group, credential=stored.state), now), notes=(*seen.notes, *notes))


def _with_reasons(found: Deployed, seen: Observation) -> Observation:
    """Add the reasons why instances are missing, as far as they can be known."""
    if seen.group is None or seen.decision is None:
        return seen
    reasons = (failed_launches(found, seen.group, seen.decision), failed_starts(found, seen.group, seen.decision))
    notes = [note for each in reasons for note in each.notes]
    errors = [error for each in reasons for error in each.errors]
    return replace(seen, notes=(*seen.notes, *notes), errors=(*seen.errors, *errors))


def status_of(found: Observation, now: datetime) -> AnnexStatus:
    """Join AWS's side with the pool's side.

    Args:
        found: the observation.
        now: the time of the look, aware.
    """
    group, decision = found.group, found.decision
    record = group.lease.record if group else None
    lease = group.lease if group and group.lease.policy else None
    alive = states(group) if group else found.ungrouped if found.answered else None
    slots = None if found.slots is None else [slot for slot in found.slots if slot.annex == found.place.name]
    tags = by_key(group.tags) if group else {}
    return AnnexStatus(
        name=found.place.name,
        region=found.place.region,
        stack=tags.get(STACK_NAME_TAG) or stack_name(found.place.name),
        id=tags.get(TAG_ID) or None,
        time=now,
        phase=decision.phase.value if decision else NOT_DEPLOYED if found.answered and group is None else None,
        reason=decision.reason if decision else None,
        size=lease.size if lease else None,
        granted=record.granted.size if record and record.granted else None,
        lease=lease,
        created=group.created if group else None,
        next_warning=_next_warning(lease, now) if lease else None,
        hours=_hours(lease, decision, found.place) if lease and decision else None,
        instances=None if alive is None else _instances(alive, group, slots),
        unmatched_slots=None if alive is None or slots is None else _unmatched_slots(alive, slots),
        jobs_running=None if slots is None else sum(slot.busy for slot in slots),
        overdue=decision.overdue if decision else None,
        surplus=decision.surplus if decision else None,
        shortfall=shortfall(group, decision) if decision else None,
        closed=record.closed if record else None,
        record_problems=decision.record_problems if decision else (),
        problems=(*(decision.problems if decision else ()), *found.notes),
        errors=found.errors,
    )


def _next_warning(lease: Lease, now: datetime) -> datetime | None:
    end, before = lease.effective_end, lease.warn_before_end
    if before is None or now >= end or lease.record.warned == format_time(end):
        return None
    return max(end - before, lease.start)


def _hours(lease: Lease, decision: Decision, place: Place) -> HoursUsed | None:
    # From the record, not from the spec: the deployed limit is the one that counts.
    if lease.limit is None:
        return None
    return HoursUsed((decision.used_seconds or 0) / HOUR_SECONDS, lease.limit, place.price_per_hour)


def _instances(
    alive: Mapping[str, str], group: Group | None, slots: Sequence[Slot] | None
) -> tuple[InstanceStatus, ...]:
    protected = {member.id for member in group.members if member.protected} if group else set[str]()
    if slots is None:
        return tuple(InstanceStatus(key, state, key in protected, None, None) for key, state in alive.items())
    joined = {slot.instance_id for slot in slots}
    jobs = {key: sum(slot.busy for slot in slots if slot.instance_id == key) for key in alive}
    return tuple(InstanceStatus(key, state, key in protected, key in joined, jobs[key]) for key, state in alive.items())


def _unmatched_slots(alive: Mapping[str, str], slots: Sequence[Slot]) -> tuple[str, ...]:
    return tuple(sorted(slot.name for slot in slots if slot.instance_id not in alive))
