"""The `annex` command: its words, options and exit codes. What it does is in the other modules.

Exit codes: 0 done; 1 it could not be done, or not all of it; 2 what was asked for is not allowed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from annex_lease.contract import format_time
from annex_pool.checker import Answer
from annex_pool.credential import push
from annex_pool.error import AnnexError
from annex_pool.extending import extend
from annex_pool.looking import look
from annex_pool.moment import read_duration, read_time
from annex_pool.outside import Outside
from annex_pool.stopping import stop
from annex_pool.table import console, show
from annex_spec import SpecError, load


class _Reporting(TyperGroup):
    """Turns the errors we expect into one message and an exit code, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SpecError as error:
            _say_error(str(error))
            raise typer.Exit(2) from None
        except AnnexError as error:
            _say_error(str(error))
            raise typer.Exit(error.exit_code) from None


# No rich boxes around errors and no local variables in tracebacks: a token could be among them.
app = typer.Typer(
    cls=_Reporting, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False
)
credential = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The annex's credential for the pool.")
app.add_typer(credential, name="credential")

SpecFile = Annotated[
    Path, typer.Option("--spec", envvar="ANNEX_SPEC", help="The file that declares the pool and its annexes.")
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The annex's name in the spec file.")]


@app.callback()
def _annex(ctx: typer.Context) -> None:
    """Give an annex its credential, look at it, extend its lease, or stop it."""
    if ctx.obj is None:
        ctx.obj = Outside()


@credential.callback()
def _credential() -> None:
    """The annex's credential for the pool."""


@credential.command("push")
def _push(
    ctx: typer.Context,
    name: Name,
    spec_file: SpecFile = Path("annexes.toml"),
    token_command: Annotated[
        str, typer.Option(envvar="ANNEX_TOKEN_COMMAND", help="The pool's program that issues the token.")
    ] = "condor_token_create",  # noqa: S107 - a program, no secret
    token_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Push the token in FILE (- for standard input) instead.")
    ] = None,
) -> None:
    """Issue a token for annex NAME, store it in its secret, and have its instances granted."""
    spec = load(spec_file)
    pushed = push(ctx.obj, spec.pool, spec.annex(name), token_command, token_file)
    typer.echo(f"{name}: stored a token for {pushed.identity}, valid until {format_time(pushed.expires)}")
    _say_answer(name, pushed.answer)


@app.command("status")
def _status(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Default: every annex of the spec.")] = None,
    spec_file: SpecFile = Path("annexes.toml"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: one object, or a list without NAME.")] = False,
) -> None:
    """Show the lease, the instances in AWS against the slots in the pool, and the jobs running."""
    spec = load(spec_file)
    statuses = look(ctx.obj, spec.pool, [spec.annex(name)] if name else list(spec.annexes.values()))
    if as_json:
        data = [status.as_data() for status in statuses]
        typer.echo(json.dumps(data[0] if name else data, indent=2))
    else:
        show(statuses, console())
    errors = list(dict.fromkeys(error for status in statuses for error in status.errors))
    for error in errors:
        _say_error(error)
    if errors:
        raise typer.Exit(1)


@app.command("extend")
def _extend(
    ctx: typer.Context,
    name: Name,
    span: Annotated[
        str | None, typer.Option("--for", metavar="DURATION", help='At least so long from now, such as "2h".')
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="TIME", help="Until then: ISO 8601 with the offset from UTC.")
    ] = None,
    spec_file: SpecFile = Path("annexes.toml"),
) -> None:
    """Move the end of the lease of annex NAME to a later time, within its reach."""
    span_read = None if span is None else read_duration("--for", span)
    until_read = None if until is None else read_time("--until", until)
    extended = extend(ctx.obj, load(spec_file).annex(name), span=span_read, until=until_read)
    before = format_time(extended.before)
    if extended.answer is None:
        typer.echo(f"{name}: the lease ends at {before} already; nothing was written")
        return
    typer.echo(f"{name}: lease end {before} -> {format_time(extended.after)}")
    _say_answer(name, extended.answer)


@app.command("stop")
def _stop(
    ctx: typer.Context,
    name: Name,
    wait: Annotated[bool, typer.Option(help="Wait until no instance is left.")] = True,
    wait_for: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Wait at most so long. Default: the lease's grace and 5m.")
    ] = None,
    spec_file: SpecFile = Path("annexes.toml"),
) -> None:
    """End the lease of annex NAME now and take its instances away."""
    longest = None if wait_for is None else read_duration("--wait-for", wait_for)
    stopped = stop(
        ctx.obj, load(spec_file).annex(name), wait=wait, longest=longest, say=lambda text: typer.echo(f"{name}: {text}")
    )
    for failure in stopped.failures:
        _say_error(failure)
    if stopped.left and wait:
        _say_error(f"still there: {', '.join(stopped.left)}; run `annex stop {name}` again, it may be repeated")
    if stopped.failures or (stopped.left and wait):
        raise typer.Exit(1)


def _say_answer(name: str, answer: Answer) -> None:
    reason = f" ({answer.reason})" if answer.reason else ""
    end = f", lease until {answer.end}" if answer.end else ""
    typer.echo(f"{name}: {answer.phase}{reason}{end}")
    for problem in answer.problems:
        typer.echo(f"{name}: {problem}")


def _say_error(text: str) -> None:
    typer.echo(f"error: {text}", err=True)


def main() -> None:
    """Run the command with the arguments of the process."""
    app(prog_name="annex")
