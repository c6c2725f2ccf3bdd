"""Arguments that several commands share, and reading the times and durations in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from annex_lease.tags import shown
from annex_lease.terms import REGION
from annex_pool.command_error import InputError
from annex_pool.place import Where
from annex_spec import parse_duration

SpecFile = Annotated[
    Path, typer.Option("--spec", envvar="ANNEX_SPEC", help="File that declares the pool and its annexes.")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the annex.")]
OptionalName = Annotated[
    str | None, typer.Argument(metavar="NAME", help="Name of the annex. Default: every annex of the spec file.")
]
Span = Annotated[
    str | None, typer.Option("--for", metavar="DURATION", help='At least this long from now, such as "2h".')
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "--region",
        metavar="REGION",
        help="Region to look in; the spec file's does not count then. May be repeated; all: every Region that the "
        "account has enabled. Default: the Region of the spec file if the annex is deployed there, otherwise all.",
    ),
]
Stack = Annotated[
    str | None,
    typer.Option("--stack", metavar="STACK", help="Name of the annex's stack, if several annexes have NAME."),
]
AnnexId = Annotated[
    str | None, typer.Option("--id", metavar="ID", help="Id of the annex (tag annex:id), if several annexes have NAME.")
]
LongestSpan = Annotated[
    str | None, typer.Option("--for", metavar="DURATION", help='At most this long from now, such as "30m".')
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Until this time: ISO 8601 with the offset from UTC.")]
DEFAULT_SPEC = Path("annexes.toml")
ALL = "all"
"""Value of --region for every Region that the account has enabled."""

_TIME_FORM = 'ISO 8601 with the offset from UTC, such as "2030-06-01T08:00:00Z" or "2030-06-01T10:00:00+02:00"'


def read_where(regions: list[str] | None, stack: str | None = None, annex_id: str | None = None) -> Where:
    """Read the options that state the place of an annex.

    Args:
        regions: values of --region.
        stack: value of --stack.
        annex_id: value of --id.

    Raises:
        InputError: a value of --region is no Region's code, or a value is empty.
    """
    given = tuple(dict.fromkeys(regions or ()))
    for region in given:
        if region != ALL and not REGION.form.matches(region):
            raise InputError(f"--region: received {shown(region)}, allowed is {REGION.form.allowed}; or {ALL}")
    for option, value in (("--stack", stack), ("--id", annex_id)):
        if value == "":
            raise InputError(f"{option}: received nothing, allowed is what `annex status --json` shows")
    return Where(() if ALL in given else given, ALL in given, stack, annex_id)


def read_duration(option: str, text: str) -> timedelta:
    """Read the duration given to an option.

    Args:
        option: the option's name, for the error.
        text: the value as typed.

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
    """Read the time given to an option; aware UTC, in whole seconds (a fraction is dropped).

    Args:
        option: the option's name, for the error.
        text: the value as typed.

    Raises:
        InputError: it has another form, or no offset: a local time means another moment on another host.
    """
    try:
        moment = datetime.fromisoformat(text)
        if moment.utcoffset() is not None:
            return moment.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        pass
    raise InputError(f"{option}: received {text!r}, allowed is {_TIME_FORM}")
