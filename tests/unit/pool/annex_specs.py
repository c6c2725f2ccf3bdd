"""An annex as a spec declares it, and the times of its lease."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from annex_lease.lease import Lease
from annex_lease.policy import LeasePolicy, policy_tags
from annex_spec import AnnexSpec

HOUR = timedelta(hours=1)
CREATED = datetime(2030, 1, 1, 6, tzinfo=UTC)


def annex_spec(**changes: Any) -> AnnexSpec:
    usual = {
        "name": "demo",
        "region": "us-east-1",
        "image": "ami-0123456789abcdef0",
        "size": 2,
        "lease": 8 * HOUR,
        "instance_types": ["c6a.large"],
    }
    return AnnexSpec.model_validate({key: value for key, value in (usual | changes).items() if value is not None})


def lease_ends(end: datetime, latest: datetime, *, base: datetime | None = None) -> Lease:
    """A lease that ends then; `base` is its end unless used-up instance-hours end it before."""
    tags = policy_tags(LeasePolicy("demo", 2, 16 * 3600, 900, duration_seconds=8 * 3600))
    lease = Lease.of(tags, CREATED)
    assert lease.policy
    return replace(
        lease,
        declared_end=base or end,
        latest_end=latest,
        unrenewed_end=base or end,
        effective_end=end,
        hours_end=end if base else None,
    )
