"""Durations: every unit, the order, and everything that could be read in two ways."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_spec import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("8h", 28800),
        ("2d", 172800),
        ("1h30m", 5400),
        ("1d2h3m4s", 93784),
        ("0s", 0),
        ("90m", 5400),
    ],
)
def test_reads(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["", "8", "h", "8 h", " 8h", "8h ", "30m1h", "1h1h", "-8h", "+8h", "1.5h", "8H", "8hours", "1w", "1000000s", "٨h"],
)
def test_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="with units d, h, m, s"):
        parse_duration(text)


def test_a_duration_in_the_past_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="negative"):
        format_duration(timedelta(seconds=-1))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (59, "59s"), (60, "1m"), (5400, "1h30m"), (86400, "1d"), (86401, "1d1s")]
)
def test_writes(seconds: int, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text


@given(st.integers(0, 400 * 86400))
def test_what_is_written_is_read_back(seconds: int) -> None:
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)
