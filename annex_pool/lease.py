"""The lease of a deployed annex, as the lease checker sees it, for commands that need a lease to be there."""

from __future__ import annotations

from datetime import datetime

from annex_lease.actions import Phase
from annex_lease.decision import decide
from annex_lease.lease import Lease
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


def running_lease(found: Deployed, now: datetime) -> Lease:
    """A lease that has not ended yet, by the same rule the lease checker follows.

    Raises:
        AnnexError: it has ended, or was stopped; or the tags of the group declare none.
    """
    lease = reachable_lease(found, now)
    decision = decide(found.group, now)
    if decision.phase in OVER:
        raise AnnexError(
            f"annex {found.name} has ended: {decision.reason}; an ended annex stays ended, however late its lease is "
            f"said to end: to have its instances again run `annex renew {found.name}`, within its reach, which ends at "
            f"{format_time(lease.latest_end)}"
        )
    return lease


def reachable_lease(found: Deployed, now: datetime) -> Lease:
    """The lease of an annex that may have ended, as long as it could still be renewed.

    Raises:
        AnnexError: its reach is over; or the tags of the group declare none.
    """
    lease = found.group.lease
    if lease.policy is None:
        raise AnnexError(
            f"the tags of group {found.group.name} declare no lease, so annex {found.name} is being stopped: "
            f"{'; '.join(lease.problems)}"
        )
    if now >= lease.latest_end:
        raise AnnexError(
            f"the reach of annex {found.name} ended at {format_time(lease.latest_end)} and no lease passes that: "
            f"run `cdk destroy Annex-{found.name}`, then `cdk deploy Annex-{found.name}` for a new one"
        )
    return lease
