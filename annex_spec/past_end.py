"""An absolute end of a lease that has passed when its spec file is read."""

from datetime import datetime

from annex_lease.tags import format_time
from annex_lease.terms import LEASE_ENDS_AT
from annex_spec.model import AnnexSpec


def past_end_warning(annex: AnnexSpec, now: datetime) -> str | None:
    """A warning if the declared end of the lease has passed; None if it has not, or if the lease has a length.

    It is no error: an annex whose end has passed must still be destroyable with the file that deployed it.

    Args:
        annex: the annex.
        now: the current time, aware.
    """
    end = annex.lease_ends_at
    if end is None or now < end:
        return None
    return (
        f"annex {annex.name}: {LEASE_ENDS_AT.name} is {format_time(end)}, which has passed: a new annex starts no "
        "instance; fix: write a later time, or destroy the annex"
    )
