"""Times that an operator types, and the end of the lease that they lead to."""

from datetime import UTC, datetime, timedelta

import pytest

from annex_pool.command_error import InputError
from annex_pool.commands.arguments import read_duration, read_time
from annex_pool.extend import wanted_end
from tests.unit.pool.annex_specs import lease_ends

NOW = datetime(2030, 1, 1, 12, 0, 0, 500_000, tzinfo=UTC)
END = datetime(2030, 1, 1, 14, tzinfo=UTC)
LONGEST = datetime(2030, 1, 1, 20, tzinfo=UTC)
TIMES = lease_ends(END, LONGEST)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def wanted(*, span: timedelta | None = None, until: datetime | None = None) -> datetime | None:
    return wanted_end("annex extend", "demo", TIMES, NOW, span=span, until=until)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2030-01-01T14:00:00Z", END),
        ("2030-01-01T16:00:00+02:00", END),
        ("2030-01-01 09:00-05:00", END),
        ("2030-01-01T14:00:00.9Z", END),
        ("20300101T140000Z", END),
    ],
)
def test_a_time_is_read_as_utc(text: str, moment: datetime) -> None:
    read = read_time("--until", text)
    assert read == moment
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "14:00",
        "2030-01-01",
        "2030-01-01T14:00:00",
        "2030-13-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "2h",
    ],
)
def test_a_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="with the offset from UTC"):
        read_time("--until", text)


def test_a_duration() -> None:
    assert read_duration("--for", "1h30m") == 1.5 * HOUR
    for text in ("", "2", "0s", "-1h", "2 h"):
        with pytest.raises(InputError, match="--for"):
            read_duration("--for", text)


def test_for_counts_from_now_and_drops_fractions() -> None:
    assert wanted(span=3 * HOUR) == NOW.replace(microsecond=0) + 3 * HOUR


@pytest.mark.parametrize("span", [SECOND, HOUR, 2 * HOUR])
def test_for_never_shortens_and_may_be_repeated(span: timedelta) -> None:
    assert wanted(span=span) is None


def test_until_exactly() -> None:
    assert wanted(until=END) is None
    assert wanted(until=END + SECOND) == END + SECOND
    assert wanted(until=LONGEST) == LONGEST


@pytest.mark.parametrize("until", [END - SECOND, NOW - HOUR])
def test_until_never_shortens(until: datetime) -> None:
    with pytest.raises(InputError, match="annex stop demo"):
        wanted(until=until)


def test_for_can_use_the_last_second() -> None:
    assert wanted(span=8 * HOUR) == LONGEST


@pytest.mark.parametrize("span", [8 * HOUR + SECOND, timedelta(days=999_999)])
def test_for_beyond_the_maximum_lifetime(span: timedelta) -> None:
    with pytest.raises(InputError, match="latest possible is 2030-01-01T20:00:00Z"):
        wanted(span=span)


def test_until_beyond_the_maximum_lifetime() -> None:
    with pytest.raises(InputError, match="annex extend demo --until 2030-01-01T20:00:00Z"):
        wanted(until=LONGEST + SECOND)


def test_exactly_one_of_the_two() -> None:
    for both in ({}, {"span": HOUR, "until": END}):
        with pytest.raises(InputError, match="exactly one of --for DURATION and --until TIME"):
            wanted(**both)  # type: ignore[arg-type]


def test_the_end_by_instance_hours_is_not_the_one_that_is_shortened() -> None:
    """It comes before the declared end; a time between the two would remove the later one."""
    times = lease_ends(NOW + HOUR, LONGEST, base=END + HOUR)
    for asked in ({"until": END}, {"until": NOW + 2 * HOUR}):
        with pytest.raises(InputError, match="earlier than the present end 2030-01-01T15:00:00Z"):
            wanted_end("annex extend", "demo", times, NOW, span=None, **asked)
    assert wanted_end("annex extend", "demo", times, NOW, span=2 * HOUR, until=None) is None


def test_a_lease_that_ended_can_only_end_later_than_now() -> None:
    times = lease_ends(NOW - 2 * HOUR, LONGEST)
    for until in (NOW - 3 * HOUR, NOW - HOUR, NOW):
        with pytest.raises(InputError, match="is not later than now, 2030-01-01T12:00:00Z"):
            wanted_end("annex renew", "demo", times, NOW, span=None, until=until)
    assert wanted_end("annex renew", "demo", times, NOW, span=None, until=NOW + SECOND) == NOW + SECOND
    assert wanted_end("annex renew", "demo", times, NOW, span=HOUR, until=None) == NOW.replace(microsecond=0) + HOUR
    with pytest.raises(InputError, match="annex renew demo --until 2030-01-01T20:00:00Z"):
        wanted_end("annex renew", "demo", times, NOW, span=9 * HOUR, until=None)
