"""A name is allowed in a spec file exactly when the lease allows it: two packages, one rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_lease import tags as lease_tags
from annex_spec import field


@given(st.from_regex(r"[a-zA-Z0-9-]{0,34}", fullmatch=True) | st.text(max_size=40))
def test_the_same_names(name: str) -> None:
    assert field.is_annex_name(name) == lease_tags.is_annex_name(name)


@pytest.mark.parametrize("length", [31, 32, 33])
def test_the_same_length(length: int) -> None:
    assert field.is_annex_name("a" * length) == lease_tags.is_annex_name("a" * length) == (length <= 32)


def test_the_same_ranges() -> None:
    assert field.LONGEST_LEASE.total_seconds() == lease_tags.MAX_LIFETIME_SECONDS
    assert field.SHORTEST_RENEWAL.total_seconds() == lease_tags.SHORTEST_RENEWAL_SECONDS
    assert field.SHORTEST_WARNING.total_seconds() == lease_tags.SHORTEST_WARNING_SECONDS
    assert field.LARGEST_LIMIT_HOURS == lease_tags.LARGEST_LIMIT_HOURS
