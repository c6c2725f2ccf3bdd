from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_lease import tags as lease_tags
from annex_lease import terms
from annex_lease.forms import ANNEX_NAME
from annex_lease.policy import LeasePolicy, check_annex_name, policy_tags
from annex_lease.record import read_record
from annex_lease.tags import Tag, group_tag, tags_from_api
from tests.unit.lease.lease_model import END, POLICY


@pytest.mark.parametrize("name", ["a", "pa", "paper", "a1", "a-b", "a-1-b", "a" * 32, "a" + "-b" * 15 + "c"])
def test_a_name_of_the_rule_is_taken(name: str) -> None:
    assert ANNEX_NAME.matches(name)
    assert check_annex_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "A", "1a", "-a", "a-", "a--b", "a_b", "a.b", "a b", "a/b", "a\n", "ä", "a" * 33, "a" + "-b" * 16]
)
def test_any_other_name_is_refused_with_the_rule(name: str) -> None:
    assert not ANNEX_NAME.matches(name)
    with pytest.raises(ValueError, match=re.escape(ANNEX_NAME.allowed)) as raised:
        check_annex_name(name)
    assert repr(name)[:40] in str(raised.value)


def test_every_key_can_be_read_from_instance_metadata() -> None:
    keys = [value for key, value in vars(lease_tags).items() if key.startswith("TAG_")]
    assert len(keys) >= 10
    assert all(re.fullmatch(r"[A-Za-z0-9+\-=.,_:@]+", key) for key in keys)
    assert len(set(keys)) == len(keys)


def test_a_time_has_one_text_form() -> None:
    assert lease_tags.format_time(datetime(2026, 3, 4, 5, 6, 7, 999_999, tzinfo=UTC)) == "2026-03-04T05:06:07Z"
    east = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=3)))
    assert lease_tags.format_time(east) == "2026-03-04T02:06:07Z"
    assert lease_tags.format_time(datetime(33, 1, 2, tzinfo=UTC)) == "0033-01-02T00:00:00Z"


def test_a_naive_time_is_not_written() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        lease_tags.format_time(datetime(2026, 1, 1))  # noqa: DTZ001


@given(st.datetimes(timezones=st.timezones()))
def test_a_written_time_reads_back(moment: datetime) -> None:
    try:
        text = lease_tags.format_time(moment)
    except OverflowError:
        return  # the first or last day of the calendar in a zone that puts it outside
    assert lease_tags.parse_time(text) == moment.astimezone(UTC).replace(microsecond=0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-12-01",
        "2026-12-01T08:00:00",
        "2026-12-01T08:00:00+00:00",
        "2026-12-01T08:00:00.5Z",
        "2026-12-01 08:00:00Z",
        "2026-12-01T08:00:00z",
        " 2026-12-01T08:00:00Z",
        "2026-12-01T08:00:00Z\n",
        "2026-13-01T08:00:00Z",
        "2026-02-30T08:00:00Z",
        "2026-12-01T24:00:00Z",
        "2026-12-01T08:00:60Z",
        "0000-12-01T08:00:00Z",
        "\u0662026-12-01T08:00:00Z",
        "1796112000",
    ],
)
def test_a_time_in_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="YYYY-MM-DDTHH:MM:SSZ"):
        lease_tags.parse_time(text)


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1 ", "1\n", "01", "1.0", "1e3", "\u0661", "nan", "9" * 10])
def test_a_count_is_plain_digits(text: str) -> None:
    with pytest.raises(ValueError, match="whole number from 0 to 999999999"):
        lease_tags.parse_count(text)


def test_a_count_has_both_its_bounds() -> None:
    assert [lease_tags.parse_count(t, minimum=1, maximum=10) for t in ("1", "10")] == [1, 10]
    for text in ("0", "11"):
        with pytest.raises(ValueError, match="from 1 to 10"):
            lease_tags.parse_count(text, minimum=1, maximum=10)


def test_a_policy_is_declared_by_five_tags() -> None:
    assert policy_tags(POLICY) == (
        Tag("annex:name", "muon", True),
        Tag("annex:size", "2", False),
        Tag("annex:lease-duration", "3600", False),
        Tag("annex:max-lifetime", "7200", False),
        Tag("annex:lease-grace", "900", False),
    )
    absolute = LeasePolicy("muon", 2, 7200, 900, ends_at=END)
    assert policy_tags(absolute)[2] == Tag("annex:lease-ends-at", "2026-11-01T13:00:00Z", False)


def test_a_size_that_only_cloudformation_knows_is_passed_through() -> None:
    assert policy_tags(POLICY, size="${Token[TOKEN.7]}")[1] == Tag("annex:size", "${Token[TOKEN.7]}", False)


@given(
    st.integers(*terms.SIZE.tag_range()),
    st.integers(*terms.MAX_LIFETIME.tag_range()),
    st.integers(*terms.GRACE.tag_range()),
    st.one_of(
        st.integers(*terms.LEASE.tag_range()),
        st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0)),
    ),
)
def test_a_declared_policy_reads_back(size: int, lifetime: int, grace: int, end: int | datetime) -> None:
    ends = {"duration_seconds": end} if isinstance(end, int) else {"ends_at": end}
    policy = LeasePolicy("muon", size, lifetime, grace, **ends)
    record = read_record(policy_tags(policy))
    assert record.policy == policy
    assert record.problems == ()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"annex": "Muon"}, "annex name 'Muon'"),
        ({"size": -1}, "size is -1: use a whole number from 0"),
        ({"max_lifetime_seconds": 0}, "max_lifetime_seconds is 0: use a whole number from 1 to 31622400"),
        ({"max_lifetime_seconds": 31_622_401}, "max_lifetime_seconds is 31622401"),
        ({"grace_seconds": -1}, "grace_seconds is -1"),
        ({"grace_seconds": 86_401}, "grace_seconds is 86401: use a whole number from 0 to 86400"),
        ({"duration_seconds": 0}, "duration_seconds is 0"),
        ({"duration_seconds": 31_622_401}, "duration_seconds is 31622401"),
        ({"renew_seconds": 599}, "renew_seconds is 599: use a whole number from 600 to 31622400"),
        ({"renew_seconds": 31_622_401}, "renew_seconds is 31622401"),
        ({"max_instance_hours": 0}, "max_instance_hours is 0: use a whole number from 1 to 100000000"),
        ({"max_instance_hours": 100_000_001}, "max_instance_hours is 100000001"),
        ({"warn_before_end_seconds": 59}, "warn_before_end_seconds is 59: use a whole number from 60 to 31622400"),
        ({"warn_before_end_seconds": 31_622_401}, "warn_before_end_seconds is 31622401"),
        ({"duration_seconds": None}, "set exactly one of them"),
        ({"ends_at": END}, "set exactly one of them"),
        ({"duration_seconds": None, "ends_at": datetime(2026, 1, 1)}, "no time zone"),  # noqa: DTZ001
    ],
)
def test_a_policy_out_of_range_is_refused(fields: dict[str, object], text: str) -> None:
    good = {"annex": "muon", "size": 2, "max_lifetime_seconds": 7200, "grace_seconds": 900, "duration_seconds": 3600}
    with pytest.raises(ValueError, match=re.escape(text)):
        LeasePolicy(**{**good, **fields})  # type: ignore[arg-type]


def test_a_tag_to_and_from_the_api() -> None:
    assert group_tag(lease_tags.TAG_END, "x").to_api("g") == {
        "ResourceId": "g",
        "ResourceType": "auto-scaling-group",
        "Key": "annex:lease-end",
        "Value": "x",
        "PropagateAtLaunch": True,
    }
    assert tags_from_api([{"Key": "k", "Value": "v", "PropagateAtLaunch": True}, {"Key": "l"}]) == (
        Tag("k", "v", True),
        Tag("l", "", False),
    )


def test_only_the_name_the_id_and_the_end_are_copied_to_instances() -> None:
    keys = [value for key, value in vars(lease_tags).items() if key.startswith("TAG_")]
    assert {key for key in keys if group_tag(key, "").propagate} == {"annex:name", "annex:id", "annex:lease-end"}
