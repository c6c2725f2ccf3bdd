"""`annex stop`: end the lease now and stop spending at once, with or without a working lease checker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.actions import Action, NotifyInstances, PublishEnd, RecordUse, TerminateInstances
from annex_lease.actuator import perform
from annex_lease.batches import RefusedError
from annex_lease.decision import Decision, Phase, decide
from annex_lease.lease import lease_times
from annex_lease.observed import Fact, Group
from annex_lease.record import read_record
from annex_lease.tags import TAG_UNTIL, format_time, group_tag
from annex_pool.aws import check_account
from annex_pool.environment import Environment
from annex_pool.error import AnnexError
from annex_pool.finding import Deployed, find
from annex_pool.instances import alive, observe
from annex_pool.stopping_strays import stop_strays
from annex_pool.waiting import Stopped, Waiting, wait_until_gone
from annex_pool.writing import write_record
from annex_spec import AnnexSpec

_BOOKKEEPING = (PublishEnd, NotifyInstances, RecordUse)
_OVER = (Phase.DRAINING.value, Phase.ENDED.value)
# After the grace the checker terminates by id at its next minute; the rest is the machines' own shutdown.
_AFTER_GRACE = timedelta(minutes=5)


def stop(
    environment: Environment, spec: AnnexSpec, *, wait: bool, longest: timedelta | None, say: Callable[[str], None]
) -> Stopped:
    """End the lease now, take the capacity away, and wait until no instance is left.

    Every step is tried whatever became of those before it: none may keep the annex spending because another failed.

    Args:
        environment: the world.
        spec: the annex.
        wait: whether to wait for the instances to go.
        longest: how long to wait. Default: None - the grace that the group declares, if there is one, and 5 minutes.
        say: is told of every change in the number of instances.

    Raises:
        AnnexError: the annex is not deployed, or AWS could not be asked for it.
    """
    aws = environment.connect(spec.region)
    check_account(aws, spec.account)
    found = find(aws, spec.name)
    if found is None:
        return stop_strays(
            environment, aws, spec.name, Waiting(wait, _AFTER_GRACE if longest is None else longest, say)
        )
    failures = [*_end_lease(found, environment.now()), *_stop_spending(found, environment.now())]
    failures += _checker_failures(environment, found)
    how = Waiting(wait, longest if longest is not None else _grace(found.group) + _AFTER_GRACE, say)
    return wait_until_gone(environment, lambda: alive(found), how, failures)


def _checker_failures(environment: Environment, found: Deployed) -> list[str]:
    try:
        answer = environment.ask_checker(found)
    except AnnexError as error:
        return [str(error)]
    if answer.phase in _OVER:
        return []
    return [f"the lease checker still sees the annex as {answer.phase}: {answer.reason or 'it gave no reason'}"]


def _end_lease(found: Deployed, now: datetime) -> list[str]:
    times = lease_times(read_record(found.group.tags), found.group.created)
    if times is None or now >= times.end:
        # It is over already, and "now" written into the record would move the end and the grace on.
        return []
    try:
        write_record(found, {TAG_UNTIL: format_time(now)}, "the end of the lease")
    except AnnexError as error:
        return [str(error)]
    return []


def _stop_spending(found: Deployed, now: datetime) -> list[str]:
    decision = stop_decision(found.group, now)
    failures = [failure for action in decision.actions for failure in _performed(action, found)]
    if Fact.INSTANCES not in decision.needs:
        return failures
    try:
        group = observe(found)
    except AnnexError as error:
        return [*failures, str(error)]
    actions = stop_decision(group, now).actions if group else ()
    ids = [action for action in actions if isinstance(action, TerminateInstances) and action not in decision.actions]
    return failures + [failure for action in ids for failure in _performed(action, found)]


def stop_decision(group: Group, now: datetime) -> Decision:
    """What the lease checker does about an annex whose lease is over, in its order: jobs keep their grace.

    Decided as if the end were written already, since writing it may be what AWS refuses. A record that cannot be read
    needs no second reading: the operator has said that it is to stop.

    Args:
        group: the annex's group.
        now: the end of the lease, unless it ended before; aware.
    """
    times = lease_times(read_record(group.tags), group.created)
    tags = group.tags
    if times is not None and now < times.end:
        kept = tuple(tag for tag in tags if tag.key != TAG_UNTIL)
        tags = (*kept, group_tag(TAG_UNTIL, format_time(now)))
    decision = decide(replace(group, tags=tags, confirmed=True), now)
    # To write down what became of the lease is the checker's part.
    return replace(decision, actions=tuple(each for each in decision.actions if not isinstance(each, _BOOKKEEPING)))


def _performed(action: Action, found: Deployed) -> list[str]:
    try:
        perform(action, found.annex)
    except (BotoCoreError, ClientError, RefusedError) as error:
        return [f"{type(action).__name__}: {error}"]
    return []


def _grace(group: Group) -> timedelta:
    policy = read_record(group.tags).policy
    return policy.grace if policy else timedelta(0)
