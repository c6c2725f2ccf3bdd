"""The warning about a declared end that has passed."""

from datetime import UTC, datetime, timedelta

import pytest

from annex_spec.annex_warnings import past_end_warning
from tests.unit.spec.spec_texts import ReadAnnex

END = datetime(2030, 6, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize("passed", [timedelta(0), timedelta(seconds=1), timedelta(days=900)])
def test_an_end_that_has_passed_is_named(read_annex: ReadAnnex, passed: timedelta) -> None:
    annex = read_annex(lease=None, lease_ends_at="2030-06-01T10:00:00+02:00", max_lifetime='"30d"').annexes["demo"]
    assert past_end_warning(annex, END + passed) == (
        "annex demo: lease_ends_at is 2030-06-01T08:00:00Z, which has passed: a new annex starts no instance; "
        "fix: write a later time, or destroy the annex"
    )


def test_a_later_end_and_a_length_are_not(read_annex: ReadAnnex) -> None:
    ends = read_annex(lease=None, lease_ends_at="2030-06-01T08:00:00Z", max_lifetime='"30d"').annexes["demo"]
    assert past_end_warning(ends, END - timedelta(seconds=1)) is None
    assert past_end_warning(read_annex(lease='"1h"').annexes["demo"], END) is None
