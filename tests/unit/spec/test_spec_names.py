"""A name is allowed in a spec file exactly when the lease allows it: two packages, one rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_lease import terms
from annex_lease.forms import ANNEX_NAME
from annex_spec import field


@given(st.from_regex(r"[a-zA-Z0-9-]{0,34}", fullmatch=True) | st.text(max_size=40))
def test_the_same_names(name: str) -> None:
    assert field.is_annex_name(name) == ANNEX_NAME.matches(name)


@pytest.mark.parametrize("length", [31, 32, 33])
def test_the_same_length(length: int) -> None:
    assert field.is_annex_name("a" * length) == ANNEX_NAME.matches("a" * length) == (length <= 32)


def test_the_same_ranges() -> None:
    assert field.LONGEST_LEASE.total_seconds() == terms.MAX_LIFETIME.tag_range()[1]
    assert field.SHORTEST_RENEWAL.total_seconds() == terms.RENEW_WHILE_BUSY.tag_range()[0]
    assert field.SHORTEST_WARNING.total_seconds() == terms.WARN_BEFORE_END.tag_range()[0]
    assert terms.MAX_INSTANCE_HOURS.tag_range()[1] == field.LARGEST_LIMIT_HOURS
