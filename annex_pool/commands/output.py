"""Printing that several commands share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from annex_lease.tags import shown
from annex_pool.check import Answer

# Wider than every row, because a program cannot read a row that is broken to fit an imagined terminal.
_PIPE_WIDTH = 240
_UNLIMITED = 100_000  # characters, for measuring a table that need not fit


def console() -> Console:
    """Console on standard output that prints text as it is, without markup."""
    made = Console(highlight=False, markup=False, emoji=False)
    if not made.is_terminal:
        made.width = _PIPE_WIDTH
    return made


def natural_width(table: Table, out: Console) -> int:
    """Width of a table in which no cell is cut or folded, in characters."""
    return out.measure(table, options=out.options.update(max_width=_UNLIMITED)).maximum


def print_rows(out: Console, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table without folding: an id or a command that is broken to fit a terminal cannot be copied."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    table.width = natural_width(table, out)
    out.print(table, soft_wrap=True)


def plain(value: object) -> str:
    """A value for one line of a terminal: as it is, or quoted and escaped if it holds characters that do not print."""
    text = str(value)
    return text if text.isprintable() else shown(text)


def print_answer(name: str, answer: Answer) -> None:
    """Print the lease checker's answer: phase, reason, end and problems."""
    reason = f" ({answer.reason})" if answer.reason else ""
    end = f", lease until {answer.end}" if answer.end else ""
    typer.echo(f"{name}: {answer.phase.value}{reason}{end}")
    for problem in answer.problems:
        typer.echo(f"{name}: {problem}")


def print_note(text: str) -> None:
    """Print to standard error what an operator should know."""
    _to_stderr(f"note: {plain(text)}")


def print_warning(text: str) -> None:
    """Print to standard error what is wrong and does not keep the command from its work."""
    _to_stderr(f"warning: {plain(text)}")


def print_error(text: str) -> None:
    """Print an error to standard error."""
    _to_stderr(f"error: {text}")


def _to_stderr(text: str) -> None:
    # A message that cannot be written, to a closed pipe or a full disk, must not keep the command from its work.
    with suppress(OSError):
        typer.echo(text, err=True)
