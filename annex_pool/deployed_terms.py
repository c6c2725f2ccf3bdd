"""The lease that is deployed, in the terms of a declaration: for an annex that no spec file declares. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from annex_lease.policy import LeasePolicy


@dataclass(frozen=True)
class DeployedTerms:
    """The lease of a deployed annex as its group declares it; the attributes are those of `AnnexSpec`."""

    name: str
    region: str
    size: int
    lease: timedelta | None
    lease_ends_at: datetime | None
    max_lifetime: timedelta
    grace: timedelta
    renew_while_busy: timedelta | None
    max_instance_hours: int | None
    price_per_hour: float | None = None

    @classmethod
    def of(cls, region: str, policy: LeasePolicy) -> DeployedTerms:
        """The terms that a policy declares.

        Args:
            region: code of the annex's Region.
            policy: the policy, as read from the group's tags.
        """
        return cls(
            name=policy.annex,
            region=region,
            size=policy.size,
            lease=_span(policy.duration_seconds),
            lease_ends_at=policy.ends_at,
            max_lifetime=timedelta(seconds=policy.max_lifetime_seconds),
            grace=timedelta(seconds=policy.grace_seconds),
            renew_while_busy=_span(policy.renew_seconds),
            max_instance_hours=policy.max_instance_hours,
        )


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
