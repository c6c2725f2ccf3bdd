from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from annex_lease import tags as lease_tags
from annex_lease.lease import Lease
from annex_lease.policy import policy_tags
from annex_lease.record import LeaseRecord, read_record
from annex_lease.tags import group_tag
from tests.unit.lease.lease_model import CAP, CREATED, END, HOUR, POLICY

DECLARED = {tag.key: tag.value for tag in policy_tags(POLICY)}


def record_of(values: dict[str, str]) -> LeaseRecord:
    return read_record(group_tag(key, value) for key, value in values.items())


def lease_of(values: dict[str, str], *, created: datetime = CREATED) -> Lease:
    return Lease.of([group_tag(key, value) for key, value in values.items()], created)


@pytest.mark.parametrize("key", list(DECLARED))
def test_half_a_policy_is_no_policy(key: str) -> None:
    record = record_of({k: v for k, v in DECLARED.items() if k != key})
    assert record.policy is None
    assert any(key in problem for problem in record.problems)


@pytest.mark.parametrize("key", list(DECLARED))
@pytest.mark.parametrize("value", ["", "-1", "1.5", "Two", "9" * 30, "0x10"])
def test_a_malformed_policy_is_no_policy(key: str, value: str) -> None:
    record = record_of({**DECLARED, key: value})
    assert record.policy is None
    assert any(key in problem and lease_tags.shown(value) in problem for problem in record.problems)


def test_two_declared_ends_are_no_policy() -> None:
    assert record_of({**DECLARED, lease_tags.TAG_ENDS_AT: "2026-11-01T13:00:00Z"}).policy is None


@pytest.mark.parametrize("key", [lease_tags.TAG_UNTIL, lease_tags.TAG_GRANTED])
def test_rubbish_written_at_run_time_leaves_the_policy_alone(key: str) -> None:
    record = record_of({**DECLARED, key: "rubbish"})
    assert record.policy == POLICY
    assert record.problems
    assert record.granted_known == (key != lease_tags.TAG_GRANTED)


def test_nothing_written_at_run_time_is_no_problem() -> None:
    record = record_of(DECLARED)
    assert (record.override_end, record.published, record.notified, record.granted) == (None, None, None, None)
    assert record.granted_known
    assert record.problems == ()


@pytest.mark.parametrize(
    ("until", "end", "followed"),
    [
        (None, END, True),
        ("2026-11-01T12:30:00Z", CREATED + HOUR / 2, True),
        ("2026-11-01T13:30:00Z", END + HOUR / 2, True),
        ("2026-11-01T14:00:00Z", CAP, True),
        ("2026-11-01T14:00:01Z", CAP, False),
        ("9999-12-31T23:59:59Z", CAP, False),
        ("2026-11-01T13:30:00", END, False),
        ("2026-11-01T13:30:00+02:00", END, False),
        ("rubbish", END, False),
        ("", END, False),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC), True),
    ],
)
def test_the_operators_override_counts_within_the_maximum_lifetime(
    until: str | None, end: datetime, followed: bool
) -> None:
    lease = lease_of(DECLARED | ({} if until is None else {lease_tags.TAG_UNTIL: until}))
    assert lease.policy is not None
    assert (lease.declared_end, lease.latest_end, lease.effective_end) == (END, CAP, end)
    assert bool(lease.problems) is not followed


@pytest.mark.parametrize(
    ("declared", "end"),
    [
        ({lease_tags.TAG_DURATION: "7200"}, CAP),
        ({lease_tags.TAG_DURATION: "7201"}, CAP),
        ({lease_tags.TAG_DURATION: "7199"}, CAP - timedelta(seconds=1)),
        ({lease_tags.TAG_ENDS_AT: "2026-11-01T13:59:59Z"}, CAP - timedelta(seconds=1)),
        ({lease_tags.TAG_ENDS_AT: "9999-12-31T23:59:59Z"}, CAP),
        ({lease_tags.TAG_ENDS_AT: "2020-01-01T00:00:00Z"}, datetime(2020, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_declared_end_is_cut_to_the_maximum_lifetime(declared: dict[str, str], end: datetime) -> None:
    values = {key: value for key, value in DECLARED.items() if key != lease_tags.TAG_DURATION} | declared
    lease = lease_of(values)
    assert lease.policy is not None
    assert lease.effective_end == end


def test_the_created_time_is_rounded_down() -> None:
    lease = lease_of(DECLARED, created=CREATED + timedelta(microseconds=999_999))
    assert lease.policy is not None
    assert (lease.effective_end, lease.latest_end) == (END, CAP)
