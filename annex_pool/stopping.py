"""`annex stop`: end the lease now and stop spending at once, with or without a working lease checker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from annex_lease.actions import Decision, Phase, TerminateInstances
from annex_lease.actuator import carry_out
from annex_lease.decision import decide
from annex_lease.observed import Fact, Group
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
    how = Waiting(wait, longest if longest is not None else found.group.lease.grace + _AFTER_GRACE, say)
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
    lease = found.group.lease
    if lease.policy is None or now >= lease.effective_end:
        # It is over already, and "now" written into the record would move the end and the grace on.
        return []
    try:
        write_record(found, {TAG_UNTIL: format_time(now)}, "the end of the lease")
    except AnnexError as error:
        return [str(error)]
    return []


def _stop_spending(found: Deployed, now: datetime) -> list[str]:
    decision = stop_decision(found.group, now)
    failures = [*carry_out(decision.actions, found.annex).failures]
    if Fact.INSTANCES not in decision.needs:
        return failures
    try:
        group = observe(found)
    except AnnexError as error:
        return [*failures, str(error)]
    actions = stop_decision(group, now).actions if group else ()
    ids = [action for action in actions if isinstance(action, TerminateInstances) and action not in decision.actions]
    return [*failures, *carry_out(ids, found.annex).failures]


def stop_decision(group: Group, now: datetime) -> Decision:
    """What the lease checker does about an annex whose lease is over, in its order: jobs keep their grace.

    Decided as if the end were written already, since writing it may be what AWS refuses. A record that cannot be read
    needs no second reading: the operator has said that it is to stop.

    Args:
        group: the annex's group.
        now: the end of the lease, unless it ended before; aware.
    """
    tags = group.tags
    if group.lease.policy is not None and now < group.lease.effective_end:
        kept = tuple(tag for tag in tags if tag.key != TAG_UNTIL)
        tags = (*kept, group_tag(TAG_UNTIL, format_time(now)))
    decision = decide(replace(group, tags=tags, confirmed=True), now)
    # To write down what became of the lease is the checker's part.
    return replace(decision, actions=tuple(action for action in decision.actions if not action.bookkeeping))
