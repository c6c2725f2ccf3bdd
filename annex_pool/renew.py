"""`annex renew`: start the declared size again, within the maximum lifetime, after an end, a stop or a shrinkage."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from annex_lease.lease import Lease, Phase
from annex_lease.observed import Credential
from annex_lease.tags import TAG_RENEWED, format_time
from annex_pool.check import Answer
from annex_pool.command_error import AnnexError
from annex_pool.deployed import Deployed, override_tags, renewable_lease, write_tags
from annex_pool.environment import Environment
from annex_pool.extend import check_end, wanted_end
from annex_pool.place import Place, deployed_annex
from annex_pool.stored_credential import early_expiry, restore_advice, stored_credential
from annex_pool.token import stored_expiry

_GRANTED = frozenset({Phase.GRANTED, Phase.ACTIVE})


@dataclass(frozen=True)
class Renewal:
    """Result of a renewal.

    Attributes:
        before: the effective end before.
        after: the end of the lease now.
        answer: the lease checker's answer.
    """

    before: datetime
    after: datetime
    answer: Answer


def renew(environment: Environment, place: Place, *, span: timedelta | None, until: datetime | None) -> Renewal:
    """Have the declared size granted again, until a time that is not earlier than the present end.

    Everything is checked before anything is written, and one call writes. A repeated renewal asks for the same size, so
    it starts only what is missing.

    Args:
        environment: external dependencies.
        place: the annex.
        span: minimum time from now to the end.
        until: the exact end. Give exactly one of the two.

    Raises:
        InputError: the end asked for exceeds the maximum lifetime, is over, or is earlier than the present end.
        AnnexError: the annex is not deployed; its maximum lifetime or its instance-hours are used up; its credential
            is missing, or expires before the end; AWS could not be asked; the checker does not grant.
    """
    now = environment.now()
    found = deployed_annex(environment, place)
    lease = renewable_lease(found, now)
    wanted = wanted_end("annex renew", place.name, lease, now, span=span, until=until)
    _check_hours(found, lease, now)
    _check_credential(found, now, wanted or lease.end_by_time)
    # The checker compares the mark with the one it granted, so two marks must differ, even within one second.
    mark = now if lease.record.renewal != now.replace(microsecond=0) else now + timedelta(seconds=1)
    values = {TAG_RENEWED: format_time(mark)}
    if wanted is not None:
        values |= override_tags(lease, wanted)
    write_tags(found, values, "the renewal")
    try:
        answer = environment.ask_checker(found)
    except AnnexError as error:
        raise AnnexError(f"the renewal is written, but {error}; a working checker grants within a minute") from error
    end = wanted or lease.end_by_time
    check_end(answer, end, found)
    if answer.phase not in _GRANTED:
        why = "; ".join((answer.reason or "it gives no reason", *answer.problems))
        raise AnnexError(
            f"the renewal is written, but the lease checker reports the annex as {answer.phase.value}: {why}"
        )
    return Renewal(lease.effective_end, end, answer)


def _check_hours(found: Deployed, lease: Lease, now: datetime) -> None:
    if lease.hours_end is not None and lease.hours_end <= now:
        raise AnnexError(
            f"the instance-hours of annex {found.name} are used up: raise max_instance_hours in the spec, run "
            f"{found.cdk('deploy')}, then renew it"
        )


def _check_credential(found: Deployed, now: datetime, end: datetime) -> None:
    stored = stored_credential(found)
    if stored.state is Credential.DELETED:
        advice = restore_advice(stored.arn, found.aws.region)
        raise AnnexError(f"annex {found.name} cannot be renewed: {advice}, then renew it; nothing was written")
    push = f"run `annex credential push {found.name}`, then renew it; nothing was written"
    if stored.version is None:
        raise AnnexError(f"the credential of annex {found.name} has no value: {push}")
    expires = stored_expiry(stored.version)
    if expires is not None and expires <= now:
        raise AnnexError(f"the credential of annex {found.name} expired at {format_time(expires)}: {push}")
    early = early_expiry(stored, end)
    if early is not None:
        raise AnnexError(
            f"the credential of annex {found.name} expires at {format_time(early)}, before the end of the renewed "
            f"lease, {format_time(end)}: {push}"
        )
