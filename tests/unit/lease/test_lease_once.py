"""One place for each rule of the lease: reading it, carrying out actions, comparing owners, ranges."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from annex_lease import lease, policy, record, tags, terms
from annex_lease.decision import decide
from annex_lease.memory import Memory
from annex_lease.observed import Credential, Group, Missing, with_facts
from annex_lease.policy import NUMBERS, LeasePolicy, policy_tags
from annex_lease.record import read_record
from tests.unit.lease.lease_model import CREATED, END, POLICY, a_group, settled

ROOT = Path(__file__).parents[3]
PRODUCT = [*ROOT.glob("annex_*/**/*.py"), *ROOT.glob("stacks/**/*.py"), ROOT / "app.py"]


def calls(name: str) -> Iterator[str]:
    """The files that call a function of this name, once for each call, with or without the name of its module."""
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and f".{ast.unparse(node.func)}".endswith(f".{name}"):
                yield path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("read_record", "annex_lease/lease.py"),
        ("Lease.of", "annex_lease/observed.py"),
        ("perform", "annex_lease/actuator.py"),
    ],
)
def test_a_lease_is_read_and_an_action_carried_out_in_one_place(name: str, place: str) -> None:
    assert list(calls(name)) == [place]


def test_a_lease_is_read_once_for_each_description_of_its_group(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def counted(*given: object) -> record.LeaseRecord:
        read.append(1)
        return read_record(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(lease, "read_record", counted)
    group = a_group(written=settled())
    assert group.lease is group.lease
    known = Memory().recall(with_facts(group, {"credential": Credential.PRESENT, "instances": ()}), END)
    assert isinstance(known, Group)
    assert known.lease is group.lease
    decide(known, END)
    assert read == [1]
    # Other tags are another lease.
    assert replace(group, tags=()).lease.policy is None


def test_facts_without_a_place_are_dropped() -> None:
    missing = with_facts(Missing("g"), {"credential": Credential.PRESENT, "instances": ()})
    assert missing == Missing("g", instances=())


def test_a_group_without_a_policy_and_a_published_end_has_a_lease_that_ended_at_its_creation() -> None:
    found = a_group(None).lease
    assert (found.policy, found.size, found.limit, found.ledger, found.hours_end) == (None, 0, None, None, None)
    assert {found.start, found.declared_end, found.unrenewed_end, found.effective_end} == {CREATED}
    assert found.latest_end == CREATED + timedelta(seconds=terms.MAX_LIFETIME.tag_range()[1])
    assert (found.renew_while_busy, found.warn_before_end) == (None, None)
    assert found.grace == terms.GRACE.default_value
    assert found.problems == found.record.problems != ()


RANGES: dict[str, terms.Span | terms.Number] = {
    "size": terms.SIZE,
    "duration_seconds": terms.LEASE,
    "max_lifetime_seconds": terms.MAX_LIFETIME,
    "grace_seconds": terms.GRACE,
    "renew_seconds": terms.RENEW_WHILE_BUSY,
    "max_instance_hours": terms.MAX_INSTANCE_HOURS,
    "warn_before_end_seconds": terms.WARN_BEFORE_END,
}


@pytest.mark.parametrize("field", NUMBERS)
def test_a_number_of_the_record_has_the_range_of_its_declared_value(field: str) -> None:
    low, high = RANGES[field].tag_range()
    key = NUMBERS[field][0]
    whole = LeasePolicy("muon", 2, 7200, 900, duration_seconds=3600, renew_seconds=600, max_instance_hours=1)
    declared = {tag.key: tag.value for tag in policy_tags(replace(whole, warn_before_end_seconds=60))}
    for value, allowed in ((low, True), (high, True), (low - 1, False), (high + 1, False)):
        found = read_record(tags.group_tag(*each) for each in (declared | {key: str(value)}).items())
        assert (found.policy is not None) is allowed, (field, value, found.problems)
        if allowed:
            assert getattr(found.policy, field) == value
        else:
            with pytest.raises(ValueError, match=f"{field} is {value}: use a whole number from {low} to {high}"):
                replace(whole, **{field: cast("Any", value)})


def test_every_number_of_a_policy_is_in_the_table() -> None:
    assert set(NUMBERS) == set(RANGES)
    assert set(NUMBERS) | {"annex", "ends_at"} == set(vars(POLICY))
    assert policy.NUMBERS is NUMBERS
