"""Times an operator types, and which end of the lease they lead to."""

from datetime import UTC, datetime, timedelta

import pytest

from annex_lease.record import LeaseTimes
from annex_pool.error import InputError
from annex_pool.extending import wanted_end
from annex_pool.moment import read_duration, read_time

NOW = datetime(2030, 1, 1, 12, 0, 0, 500_000, tzinfo=UTC)
END = datetime(2030, 1, 1, 14, tzinfo=UTC)
LONGEST = datetime(2030, 1, 1, 20, tzinfo=UTC)
TIMES = LeaseTimes(declared=END, longest=LONGEST, end=END, problems=())
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def wanted(*, span: timedelta | None = None, until: datetime | None = None) -> datetime | None:
    return wanted_end("demo", TIMES, NOW, span=span, until=until)


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


def test_for_reaches_to_the_last_second() -> None:
    assert wanted(span=8 * HOUR) == LONGEST


@pytest.mark.parametrize("span", [8 * HOUR + SECOND, timedelta(days=999_999)])
def test_for_beyond_the_reach(span: timedelta) -> None:
    with pytest.raises(InputError, match="latest possible is 2030-01-01T20:00:00Z"):
        wanted(span=span)


def test_until_beyond_the_reach() -> None:
    with pytest.raises(InputError, match="annex extend demo --until 2030-01-01T20:00:00Z"):
        wanted(until=LONGEST + SECOND)


def test_exactly_one_of_the_two() -> None:
    for both in ({}, {"span": HOUR, "until": END}):
        with pytest.raises(InputError, match="exactly one of --for DURATION and --until TIME"):
            wanted(**both)  # type: ignore[arg-type]
