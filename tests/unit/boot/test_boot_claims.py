"""A claim that has no job: when it ends, by HTCondor's own library."""

from __future__ import annotations

import re
import time

import classad2  # type: ignore[import-untyped]
import pytest

from annex_boot.boot_files import boot_file


@pytest.mark.parametrize(
    ("state", "activity", "seconds", "ends"),
    [
        ("Claimed", "Idle", 310, True),
        ("Claimed", "Idle", 280, False),
        ("Claimed", "Busy", 310, False),
        ("Unclaimed", "Idle", 310, False),
    ],
)
def test_a_claim_ends_after_five_minutes_without_a_job(state: str, activity: str, seconds: int, ends: bool) -> None:
    """The startd evaluates IS_OWNER for it, and not PREEMPT."""
    (limit,) = re.findall(r"^ANNEX_UNUSED_CLAIM = (.*)$", boot_file("condor.conf"), re.M)
    (is_owner,) = re.findall(r"^IS_OWNER = (.*)$", boot_file("condor.conf"), re.M)
    slot = classad2.ClassAd(
        {"State": state, "Activity": activity, "EnteredCurrentActivity": int(time.time()) - seconds}
    )
    slot["IsOwner"] = classad2.ExprTree(is_owner.replace("$(ANNEX_UNUSED_CLAIM)", limit))
    assert slot.eval("IsOwner") is ends
