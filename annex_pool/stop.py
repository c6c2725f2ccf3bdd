"""`annex stop`: end the lease now and stop spending, with or without a working lease checker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from annex_lease.actions import Decision
from annex_lease.actuator import carry_out
from annex_lease.aws import list_instances
from annex_lease.decision import decide
from annex_lease.observed import BELIEVED, Fact, Group, Missing
from annex_lease.tags import TAG_UNTIL, format_time, group_tag
from annex_lease.terms import GRACE
from annex_pool.command_error import AnnexError
from annex_pool.deployed import OVER, Deployed, find_annex, observe, override_tags, states, write_tags
from annex_pool.environment import Environment
from annex_pool.place import Place
from annex_pool.region import PAUSE_SECONDS, RegionClients, asking, check_account
from annex_pool.ungrouped import UngroupedInstance, counted, ec2_states, list_ungrouped, one_annex, unclear

AFTER_GRACE = timedelta(minutes=5)
"""Wait after the grace: the checker terminates by id at its next run; the rest is the shutdown of the instances."""
_POLL_SECONDS = 5.0


@dataclass(frozen=True)
class Stopped:
    """Result of a stop.

    Attributes:
        failures: steps that failed, with the reason; empty if none did.
        left: ids of the instances that still exist.
    """

    failures: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True)
class Wait:
    """Options of waiting for the instances to go.

    Attributes:
        wait: wait at all; if False, the instances are listed once.
        timeout: longest time to wait.
        say: called with every change in the number of instances.
    """

    wait: bool
    timeout: timedelta
    say: Callable[[str], None]


def stop(
    environment: Environment, place: Place, *, wait: bool, timeout: timedelta | None, say: Callable[[str], None]
) -> Stopped:
    """End the lease now, remove the capacity, and wait until no instance is left.

    Each step is tried even if an earlier one failed: one failure must not keep the annex spending.

    Args:
        environment: external dependencies.
        place: the annex.
        wait: wait until the instances are gone.
        timeout: longest time to wait. Default: None - the grace that the group declares, if any, and 5 minutes.
        say: called with every change in the number of instances.

    Raises:
        AnnexError: the annex is not deployed, or AWS could not be asked for it.
    """
    aws = environment.connect(place.region)
    check_account(aws, place.account)
    found = find_annex(aws, place.name, group=place.group, annex_id=place.id)
    if found is None:
        how = Wait(wait, AFTER_GRACE if timeout is None else timeout, say)
        return stop_ungrouped(environment, aws, place, how)
    failures = [*_end_lease(found, environment.now()), *_stop_spending(found, environment.now())]
    failures += _checker_failures(environment, found)
    how = Wait(wait, found.group.lease.grace + AFTER_GRACE if timeout is None else timeout, say)
    return wait_until_gone(environment, lambda: _alive(found), how, failures)


def _checker_failures(environment: Environment, found: Deployed) -> list[str]:
    try:
        answer = environment.ask_checker(found)
    except AnnexError as error:
        return [str(error)]
    if answer.phase in OVER:
        return []
    return [
        f"the lease checker still reports the annex as {answer.phase.value}: {answer.reason or 'it gave no reason'}"
    ]


def _end_lease(found: Deployed, now: datetime) -> list[str]:
    lease = found.group.lease
    if lease.policy is None or now >= lease.effective_end:
        # It is over already. A new end "now" would move the end, and the grace with it.
        return []
    try:
        write_tags(found, override_tags(lease, now), "the end of the lease")
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
    more = [action for action in actions if action.ends and action not in decision.actions]
    return [*failures, *carry_out(more, found.annex).failures]


def stop_decision(group: Group, now: datetime) -> Decision:
    """The lease checker's decision about an annex whose lease is over, without bookkeeping; jobs keep their grace.

    The end counts as written already, because AWS may refuse to write it. A record that cannot be read is believed at
    once: the operator asked for the stop.

    Args:
        group: the annex's group.
        now: the end of the lease, unless it ended before; aware.
    """
    tags = group.tags
    if group.lease.policy is not None and now < group.lease.effective_end:
        kept = tuple(tag for tag in tags if tag.key != TAG_UNTIL)
        tags = (*kept, group_tag(TAG_UNTIL, format_time(now)))
    # The grace counts from the end, also if a checker that does not work never published it.
    decision = decide(replace(group, tags=tags, unread_for=BELIEVED, over_for=GRACE.maximum), now)
    # Bookkeeping is the checker's part.
    return replace(decision, actions=tuple(action for action in decision.actions if not action.bookkeeping))


def stop_ungrouped(environment: Environment, aws: RegionClients, place: Place, how: Wait) -> Stopped:
    """Terminate the instances of an annex without a group. They get no grace, because no record declares one.

    Args:
        environment: external dependencies.
        aws: the clients of the annex's Region.
        place: the annex.
        how: how to wait until the instances are gone.

    Raises:
        AnnexError: there are none, so there is nothing to stop; they do not certainly belong to one annex; the group
            exists after all; AWS could not be asked. Nothing was terminated then.
    """
    name = place.name

    def listed() -> tuple[UngroupedInstance, ...]:
        return list_ungrouped(aws, name, place.id)

    ungrouped = listed()
    if not ungrouped:
        raise AnnexError(
            f"annex {name} is not deployed in {aws.region}: there is nothing to stop, and no instance is billed: EC2 "
            "lists none that carries its name"
        )
    environment.sleep(PAUSE_SECONDS)
    if find_annex(aws, name, annex_id=place.id) is not None:
        raise AnnexError(f"AWS did not list the Auto Scaling group of annex {name} for a moment: repeat the command")
    failures = _terminate(environment, aws, name, listed() or ungrouped)
    return wait_until_gone(environment, lambda: ec2_states(listed()), how, failures)


def _terminate(
    environment: Environment, aws: RegionClients, name: str, ungrouped: tuple[UngroupedInstance, ...]
) -> list[str]:
    annex = one_annex(aws, name, ungrouped)
    if annex is None:
        raise AnnexError(f"{counted(aws, name, ungrouped)}; {unclear(name)}")
    with asking(f"for the instances of annex {name} in {aws.region}"):
        # Compared once more, exactly, by annex_lease's own rule.
        listed = list_instances(annex)
    decision = decide(Missing(annex.group, instances=listed, unread_for=BELIEVED), environment.now())
    return list(carry_out(decision.actions, annex).failures)


def _alive(found: Deployed) -> Mapping[str, str]:
    group = observe(found)
    return states(group) if group else {}


def wait_until_gone(
    environment: Environment, alive: Callable[[], Mapping[str, str]], how: Wait, failures: list[str]
) -> Stopped:
    """List the instances until none is left, or time is over.

    Args:
        environment: external dependencies.
        alive: lists the alive instances by id, with their states; raises AnnexError.
        how: how to wait.
        failures: earlier steps that failed.

    Raises:
        AnnexError: the instances cannot be listed; its text holds the failures too.
    """
    deadline = environment.now() + how.timeout
    printed = ""
    while True:
        try:
            left = alive()
        except AnnexError as error:
            # The earlier failures must be reported although the listing failed.
            raise AnnexError("; ".join([*failures, str(error)])) from error
        text = _count(left)
        if text != printed:
            how.say(text)
            printed = text
        if not left or not how.wait or environment.now() >= deadline:
            return Stopped(tuple(failures), tuple(sorted(left)))
        environment.sleep(_POLL_SECONDS)


def _count(left: Mapping[str, str]) -> str:
    if not left:
        return "no instance is left"
    counts = ", ".join(f"{number} {state}" for state, number in sorted(Counter(left.values()).items()))
    return f"{len(left)} instance{'' if len(left) == 1 else 's'} left: {counts}"
