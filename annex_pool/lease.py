"""The lease of a deployed annex, as the lease checker sees it, for commands that need a lease to be there."""

from __future__ import annotations

from datetime import datetime

from annex_lease.decision import Phase, decide
from annex_lease.lease import LeaseTimes, lease_times
from annex_lease.record import LeaseRecord, read_record
from annex_lease.tags import format_time
from annex_pool.aws import Aws, check_account
from annex_pool.error import AnnexError
from annex_pool.finding import Deployed, find
from annex_pool.stray import check_none_left
from annex_spec import AnnexSpec

OVER = frozenset({Phase.DRAINING, Phase.ENDED})
"""The phases of an annex that is not to have instances any more."""


def deployed(aws: Aws, spec: AnnexSpec) -> Deployed:
    """The annex in AWS.

    Raises:
        AnnexError: it is not there, with or without instances that its group left; AWS could not be asked; the
            credentials belong to another account.
    """
    check_account(aws, spec.account)
    found = find(aws, spec.name)
    if found is None:
        none_left = check_none_left(aws, spec.name)
        raise AnnexError(
            f"annex {spec.name} is not deployed in {spec.region}: run `cdk deploy Annex-{spec.name}` first; {none_left}"
        )
    return found


def running_lease(found: Deployed, now: datetime) -> LeaseTimes:
    """The times of a lease that has not ended yet, by the same rule the lease checker follows.

    Raises:
        AnnexError: it has ended, or was stopped; or the tags of the group declare none.
    """
    _, times = reachable_lease(found, now)
    decision = decide(found.group, now)
    if decision.phase in OVER:
        raise AnnexError(
            f"annex {found.name} has ended: {decision.reason}; an ended annex stays ended, however late its lease is "
            f"said to end: to have its instances again run `annex renew {found.name}`, within its reach, which ends at "
            f"{format_time(times.longest)}"
        )
    return times


def reachable_lease(found: Deployed, now: datetime) -> tuple[LeaseRecord, LeaseTimes]:
    """The lease of an annex that may have ended, as long as it could still be renewed.

    Raises:
        AnnexError: its reach is over; or the tags of the group declare none.
    """
    record = read_record(found.group.tags)
    times = lease_times(record, found.group.created)
    if times is None:
        raise AnnexError(
            f"the tags of group {found.group.name} declare no lease, so annex {found.name} is being stopped: "
            f"{'; '.join(record.problems)}"
        )
    if now >= times.longest:
        raise AnnexError(
            f"the reach of annex {found.name} ended at {format_time(times.longest)} and no lease passes that: "
            f"run `cdk destroy Annex-{found.name}`, then `cdk deploy Annex-{found.name}` for a new one"
        )
    return record, times
