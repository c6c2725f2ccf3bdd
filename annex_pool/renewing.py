"""`annex renew`: an annex that ended, or shrank, gets its declared size again, within its reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from annex_lease.lease import Lease
from annex_lease.tags import TAG_RENEWED, TAG_UNTIL, format_time
from annex_pool.aws import asking
from annex_pool.checker import Answer
from annex_pool.environment import Environment
from annex_pool.error import AnnexError
from annex_pool.expiry import stored_expiry
from annex_pool.extending import check_end
from annex_pool.finding import SECRET, Deployed, find_arn
from annex_pool.lease import deployed, reachable_lease
from annex_pool.wanted import wanted_end
from annex_pool.writing import write_record
from annex_spec import AnnexSpec

_GRANTED = frozenset({"granted", "active"})


@dataclass(frozen=True)
class Renewal:
    """What became of the annex.

    Attributes:
        before: the effective end before.
        after: the end of the lease now.
        answer: what the lease checker found.
    """

    before: datetime
    after: datetime
    answer: Answer


def renew(environment: Environment, spec: AnnexSpec, *, span: timedelta | None, until: datetime | None) -> Renewal:
    """Have the declared size granted again, until a time that is not earlier than the present end.

    Everything is checked before anything is written; what is written is one call. To repeat it asks for the same size
    again, which changes nothing where nothing is missing.

    Args:
        environment: the world.
        spec: the annex.
        span: so long from now at least.
        until: until exactly this time. Give exactly one of the two.

    Raises:
        InputError: the time asked for is beyond the reach, over, or earlier than the present end.
        AnnexError: the annex is not deployed; its reach or its instance-hours are used up; its credential is missing
            or expired; AWS could not be asked; the checker does not grant.
    """
    now = environment.now()
    found = deployed(environment.connect(spec.region), spec)
    lease = reachable_lease(found, now)
    wanted = wanted_end("annex renew", spec.name, lease, now, span=span, until=until)
    _check_money(found, lease, now)
    _check_credential(found, now)
    # The checker compares the mark with the one it granted, so no two may be the same, not even in one second.
    mark = now if lease.record.renewal != now.replace(microsecond=0) else now + timedelta(seconds=1)
    values = {TAG_RENEWED: format_time(mark)}
    if wanted is not None:
        values[TAG_UNTIL] = format_time(wanted)
    write_record(found, values, "the renewal")
    try:
        answer = environment.ask_checker(found)
    except AnnexError as error:
        raise AnnexError(f"the renewal is written, but {error}; a working checker grants within a minute") from error
    end = wanted or max(lease.unrenewed_end, lease.effective_end)
    check_end(answer, end, lease.hours_end)
    if answer.phase not in _GRANTED:
        why = "; ".join((answer.reason or "it gives no reason", *answer.problems))
        raise AnnexError(f"the renewal is written, but the lease checker sees the annex as {answer.phase}: {why}")
    return Renewal(lease.effective_end, end, answer)


def _check_money(found: Deployed, lease: Lease, now: datetime) -> None:
    if lease.hours_end is not None and lease.hours_end <= now:
        raise AnnexError(
            f"the instance-hours of annex {found.name} are used up: raise max_instance_hours in the spec, run "
            f"`cdk deploy Annex-{found.name}`, then renew it"
        )


def _check_credential(found: Deployed, now: datetime) -> None:
    secret = find_arn(found, SECRET, None)
    with asking(f"whether the secret of annex {found.name} has a value"):
        described = found.aws.secretsmanager.describe_secret(SecretId=secret)
    stages = described.get("VersionIdsToStages") or {}
    current = [version for version, names in stages.items() if "AWSCURRENT" in names]
    push = f"run `annex credential push {found.name}`, then renew it; nothing was written"
    if not current:
        raise AnnexError(f"the credential of annex {found.name} has no value: {push}")
    expires = stored_expiry(current[0])
    if expires is not None and expires <= now:
        raise AnnexError(f"the credential of annex {found.name} expired at {format_time(expires)}: {push}")
