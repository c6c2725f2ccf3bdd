"""Policy, tags and record of a lease have the ranges and forms of the declared values.

Other consumers: `tests/unit/spec/test_spec_terms.py` (spec file), `tests/unit/boot` (settings of an execution point),
`tests/synth/test_parameters.py` (constructs), `test_terms_in_texts.py` (docstrings of the constructs, example file).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from annex_lease import tags, terms
from annex_lease.forms import ANNEX_NAME
from annex_lease.kinds import Number, Span, seconds
from annex_lease.policy import LeasePolicy, check_annex_name, policy_tags
from annex_lease.record import read_record
from annex_lease.tags import Tag

# Field of the policy, tag of the record, declared value.
TAGGED: list[tuple[str, str, Span | Number]] = [
    ("size", tags.TAG_SIZE, terms.SIZE),
    ("duration_seconds", tags.TAG_DURATION, terms.LEASE),
    ("max_lifetime_seconds", tags.TAG_MAX_LIFETIME, terms.MAX_LIFETIME),
    ("grace_seconds", tags.TAG_GRACE, terms.GRACE),
    ("renew_seconds", tags.TAG_RENEW, terms.RENEW_WHILE_BUSY),
    ("max_instance_hours", tags.TAG_LIMIT, terms.MAX_INSTANCE_HOURS),
    ("warn_before_end_seconds", tags.TAG_WARN_BEFORE_END, terms.WARN_BEFORE_END),
]
POLICY = LeasePolicy(
    "demo",
    2,
    max_lifetime_seconds=7200,
    grace_seconds=60,
    duration_seconds=3600,
    renew_seconds=900,
    max_instance_hours=5,
    warn_before_end_seconds=300,
)


def policy(**changed: Any) -> LeasePolicy:
    return LeasePolicy(**{**vars(POLICY), **changed})


def record_policy(key: str, value: str) -> LeasePolicy | None:
    return read_record(
        Tag(tag.key, value if tag.key == key else tag.value, False) for tag in policy_tags(POLICY)
    ).policy


@pytest.mark.parametrize(("field", "key", "term"), TAGGED)
def test_policy_and_record_have_the_range_of_the_tag(field: str, key: str, term: Span | Number) -> None:
    low, high = term.tag_range()
    for value in (low, high):
        assert getattr(policy(**{field: value}), field) == value
        read = record_policy(key, str(value))
        assert read is not None, f"{key} = {value}"
        assert getattr(read, field) == value
    for value in (low - 1, high + 1):
        with pytest.raises(ValueError, match=f"{field} is {value}: use a whole number from {low} to {high}"):
            policy(**{field: value})
        assert record_policy(key, str(value)) is None, f"{key} = {value}"


@pytest.mark.parametrize(("field", "key", "term"), TAGGED)
def test_all_that_may_be_declared_is_accepted_from_a_tag(field: str, key: str, term: Span | Number) -> None:
    low, high = term.tag_range()
    bounds = (term.minimum, term.maximum)
    first, last = (seconds(bound) if isinstance(bound, timedelta) else bound for bound in bounds)
    assert low <= first < last <= high, (field, key)


def test_the_ranges_of_tags_stay() -> None:
    """Groups that an earlier release deployed have these tags: a narrower range would end their annexes."""
    year = 366 * 86_400
    assert {key: term.tag_range() for _, key, term in TAGGED} == {
        tags.TAG_SIZE: (0, 999_999_999),
        tags.TAG_DURATION: (1, year),
        tags.TAG_MAX_LIFETIME: (1, year),
        tags.TAG_GRACE: (0, 86_400),
        tags.TAG_RENEW: (600, year),
        tags.TAG_LIMIT: (1, 100_000_000),
        tags.TAG_WARN_BEFORE_END: (60, year),
    }


@pytest.mark.parametrize(
    "name", ["demo", "a", "a" * 32, "a" * 33, "a-b", "a--b", "-a", "a-", "A", "1a", "ä", "a_b", ""]
)
def test_a_name_has_one_form(name: str) -> None:
    allowed = ANNEX_NAME.matches(name)
    if allowed:
        assert check_annex_name(name) == name
    else:
        with pytest.raises(ValueError, match="annex name"):
            check_annex_name(name)
    assert (record_policy(tags.TAG_NAME, name) is not None) == allowed
