"""The ledger of instance-hours: counting, its text form, and the time at which a limit is reached."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_lease.bookkeeping import counted
from annex_lease.entries import Ledger, parse_ledger
from tests.unit.lease.lease_model import CREATED, HOUR, SECOND


@pytest.mark.parametrize(
    ("count", "after", "used"),
    [
        (2, 59, 0),  # no new instance
        (3, 59, 59),
        (3, 60, 60),
        (3, 61, 60),
        (5, 600, 180),
        (1, 600, 0),  # one that left was there until now
        (0, 600, 0),
        (3, 0, 0),
        (3, -300, 0),  # the clock of another run was ahead
    ],
)
def test_an_instance_counts_from_the_check_before_it_was_seen(count: int, after: int, used: int) -> None:
    known = Ledger(1000, CREATED + HOUR / 6, 2)
    now = known.at + timedelta(seconds=after)
    assert counted(known, now, count) == Ledger(1000 + 2 * max(0, after) + used, max(known.at, now), count)


seconds = st.integers(0, 10**9)
ledgers = st.builds(Ledger, seconds, st.integers(0, 10**6).map(lambda s: CREATED + timedelta(seconds=s)), seconds)


@given(ledgers)
def test_a_ledger_is_read_as_it_was_written(ledger: Ledger) -> None:
    ledger = replace(ledger, count=ledger.count % 10**9)
    assert parse_ledger(ledger.text()) == ledger


@given(ledgers, st.integers(1, 10**8), st.integers(0, 10**7))
def test_writing_a_ledger_on_does_not_move_the_moment_of_the_limit(ledger: Ledger, hours: int, after: int) -> None:
    limit = ledger.reaches(hours)
    moment = ledger.at + timedelta(seconds=after)
    if limit is not None and moment <= limit:
        assert ledger.moved_on(moment, ledger.count).reaches(hours) == limit


@given(ledgers, st.integers(1, 10**8))
def test_the_limit_is_never_passed_before_its_moment(ledger: Ledger, hours: int) -> None:
    limit = ledger.reaches(hours)
    if limit is not None and ledger.used < hours * 3600:
        assert ledger.used_by(limit) <= hours * 3600
        assert ledger.used_by(limit + SECOND) + ledger.count > hours * 3600


def test_the_assumed_ledger_is_the_most_there_can_be() -> None:
    assert Ledger.assumed(CREATED, 20).reaches(10) == CREATED + HOUR / 2


@pytest.mark.parametrize(("hours", "reached"), [(2 * 366 * 24, True), (2 * 366 * 24 + 1, False), (100_000_000, False)])
def test_a_limit_that_no_lease_reaches_is_never_reached(hours: int, reached: bool) -> None:
    """One instance would need 11,000 years for the largest limit: Python has no such time."""
    assert (Ledger(0, CREATED, 1).reaches(hours) is not None) is reached
