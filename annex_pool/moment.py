"""The times and durations an operator types."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from annex_pool.error import InputError
from annex_spec import parse_duration

_TIME_FORM = 'ISO 8601 with the offset from UTC, such as "2030-06-01T08:00:00Z" or "2030-06-01T10:00:00+02:00"'


def read_duration(option: str, text: str) -> timedelta:
    """The duration given to an option.

    Args:
        option: the option's name, for the error.
        text: what was typed.

    Raises:
        InputError: it is not a duration longer than zero.
    """
    try:
        duration = parse_duration(text)
    except ValueError as error:
        raise InputError(f"{option}: {error}") from None
    if not duration:
        raise InputError(f"{option}: received {text!r}, allowed is a duration longer than zero")
    return duration


def read_time(option: str, text: str) -> datetime:
    """The time given to an option, aware UTC, in whole seconds (a fraction is dropped).

    Args:
        option: the option's name, for the error.
        text: what was typed.

    Raises:
        InputError: it has another form, or no offset: a local time would mean another moment on another host.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.utcoffset() is not None:
            return moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        pass
    raise InputError(f"{option}: received {text!r}, allowed is {_TIME_FORM}")
