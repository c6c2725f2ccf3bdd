"""Durations as people write them: "8h", "15m", "90s", "1h30m", "2d"."""

import re
from datetime import timedelta

# Up to six digits per part: beyond any lease, and far below what would overflow a timedelta.
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", re.ASCII)

FORM = 'a duration with units d, h, m, s, largest first, such as "8h", "15m", "90s", "1h30m" or "2d"'


def parse_duration(text: str) -> timedelta:
    """Read a duration.

    Args:
        text: whole numbers, each with its unit (d, h, m or s), largest unit first, no spaces.

    Raises:
        ValueError: the text has another form; a bare number is one, because its unit would be a guess.
    """
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError(f"{text!r} is not {FORM}")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """Write a duration in the form `parse_duration` reads; parts of a second are dropped, zero is "0s".

    Args:
        duration: zero or more.

    Raises:
        ValueError: the duration is negative.
    """
    if duration < timedelta(0):
        raise ValueError(f"a duration cannot be negative, received {duration}")
    minutes, seconds = divmod(duration.days * 86400 + duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s")]
    return "".join(f"{number}{unit}" for number, unit in parts if number) or "0s"
