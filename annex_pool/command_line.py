"""What the commands share: their arguments and the way they speak."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from annex_pool.checker import Answer

SpecFile = Annotated[
    Path, typer.Option("--spec", envvar="ANNEX_SPEC", help="The file that declares the pool and its annexes.")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The annex's name in the spec file.")]
Span = Annotated[str | None, typer.Option("--for", metavar="DURATION", help='At least so long from now, such as "2h".')]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Until then: ISO 8601 with the offset from UTC.")]
DEFAULT_SPEC = Path("annexes.toml")


def say_answer(name: str, answer: Answer) -> None:
    """Tell what the lease checker found."""
    reason = f" ({answer.reason})" if answer.reason else ""
    end = f", lease until {answer.end}" if answer.end else ""
    typer.echo(f"{name}: {answer.phase}{reason}{end}")
    for problem in answer.problems:
        typer.echo(f"{name}: {problem}")


def say_error(text: str) -> None:
    """Tell, on the error output, what did not work."""
    typer.echo(f"error: {text}", err=True)
