"""`annex status`: look at AWS and at the pool; a side that does not answer is an error of that side, never a zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from annex_lease.aws import Annex, credential_present
from annex_lease.decision import decide
from annex_lease.observed import Fact, Group, Missing
from annex_pool.aws import Aws, asking, check_account
from annex_pool.collector import Slot
from annex_pool.environment import Environment
from annex_pool.error import AnnexError
from annex_pool.finding import SECRET, Deployed, find, find_arn
from annex_pool.instances import observe
from annex_pool.status import Seen, Status, status_of
from annex_pool.stray import explained, list_strays, machines, states
from annex_spec import AnnexSpec, PoolSpec

_PAUSE_SECONDS = 10.0
"""Between the two looks that it takes to say that nothing is left: AWS's listings are eventually consistent."""


def look(environment: Environment, pool: PoolSpec, specs: Sequence[AnnexSpec]) -> list[Status]:
    """The status of each of these annexes; what could not be found out is in its `errors`.

    Whatever looks as if nothing were left of it is looked at a second time, all of them after one pause.

    Args:
        environment: the world.
        pool: the pool; asked once for all annexes.
        specs: the annexes.
    """
    slots: Sequence[Slot] | None = None
    errors: tuple[str, ...] = ()
    try:
        slots = environment.query_slots(pool.collector)
    except AnnexError as error:
        errors = (str(error),)
    found = [
        _seen(environment, Seen(spec, asked=False, group=None, decision=None, slots=slots, errors=errors))
        for spec in specs
    ]
    if any(_look_again(seen) for seen in found):
        environment.sleep(_PAUSE_SECONDS)
        found = [_seen(environment, seen) if _look_again(seen) else seen for seen in found]
    return [status_of(seen, environment.now()) for seen in found]


def _look_again(seen: Seen) -> bool:
    decision = seen.decision
    return decision is not None and (decision.empty or Fact.CONFIRMATION in decision.needs)


def _seen(environment: Environment, before: Seen) -> Seen:
    spec, decision = before.spec, before.decision
    seen = replace(before, asked=False, group=None, decision=None, strays={})
    try:
        aws = environment.connect(spec.region)
        check_account(aws, spec.account)
        found = find(aws, spec.name)
        if found is None:
            return _without_group(environment, aws, seen, again=decision is not None)
        group = observe(found)
        seen = replace(seen, asked=True, group=group)
        if group is None:
            return seen
        group = replace(group, confirmed=decision is not None, empty_before=decision is not None and decision.empty)
        return _decided(environment, found, replace(seen, group=group))
    except AnnexError as error:
        return replace(seen, errors=(*seen.errors, str(error)))


def _without_group(environment: Environment, aws: Aws, seen: Seen, *, again: bool) -> Seen:
    name = seen.spec.name
    strays = list_strays(aws, name)
    if not strays:
        return replace(seen, asked=True)
    missing = Missing(strays[0].group, instances=machines(strays), confirmed=again)
    errors = (*seen.errors, explained(aws, name, strays)) if again else seen.errors
    return replace(seen, asked=True, strays=states(strays), decision=decide(missing, environment.now()), errors=errors)


def _decided(environment: Environment, found: Deployed, seen: Seen) -> Seen:
    assert seen.group is not None  # noqa: S101 - whoever calls looked at it
    group: Group = seen.group
    decision = decide(group, environment.now())
    if Fact.CREDENTIAL in decision.needs:
        secret = find_arn(found, SECRET, None)
        with asking(f"whether the secret of annex {found.name} has a value"):
            present = credential_present(Annex(group.name, secret, found.aws))
        decision = decide(replace(group, credential=present), environment.now())
    return replace(seen, decision=decision)
