"""`annex status`: look at AWS and at the pool; a side that does not answer is an error of that side, never a zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from annex_lease.decision import Decision, decide
from annex_lease.gateway import Annex, credential_present
from annex_lease.observed import Fact, Group
from annex_pool.aws import Aws, asking, check_account
from annex_pool.collector import Slot
from annex_pool.error import AnnexError
from annex_pool.finding import SECRET, find, find_arn
from annex_pool.instances import observe
from annex_pool.outside import Outside
from annex_pool.status import Seen, Status, status_of
from annex_spec import AnnexSpec, PoolSpec


def look(outside: Outside, pool: PoolSpec, specs: Sequence[AnnexSpec]) -> list[Status]:
    """The status of each of these annexes; what could not be found out is in its `errors`.

    Args:
        outside: the world.
        pool: the pool; asked once for all annexes.
        specs: the annexes.
    """
    slots: Sequence[Slot] | None = None
    errors: tuple[str, ...] = ()
    try:
        slots = outside.query_slots(pool.collector)
    except AnnexError as error:
        errors = (str(error),)
    found = [_seen(outside, spec, slots, errors) for spec in specs]
    return [status_of(seen, outside.now()) for seen in found]


def _seen(outside: Outside, spec: AnnexSpec, slots: Sequence[Slot] | None, errors: tuple[str, ...]) -> Seen:
    seen = Seen(spec.name, spec.region, asked=False, group=None, decision=None, slots=slots, errors=errors)
    try:
        aws = outside.connect(spec.region)
        check_account(aws, spec.account)
        deployed = find(aws, spec.name)
        group = observe(deployed) if deployed else None
        seen = replace(seen, asked=True, group=group)
        return replace(seen, decision=_decided(outside, aws, spec.name, group)) if group else seen
    except AnnexError as error:
        return replace(seen, errors=(*seen.errors, str(error)))


def _decided(outside: Outside, aws: Aws, name: str, group: Group) -> Decision:
    decision = decide(group, outside.now())
    if Fact.CREDENTIAL not in decision.needs:
        return decision
    secret = find_arn(aws, name, SECRET, None)
    with asking(f"whether the secret of annex {name} has a value"):
        present = credential_present(Annex(group.name, secret, aws))
    return decide(replace(group, credential=present), outside.now())
