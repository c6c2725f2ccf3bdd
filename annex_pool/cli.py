"""The `annex` command: its subcommands and exit codes.

Exit codes: 0 done; 1 failed, in whole or in part; 2 the input is not allowed.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from annex_lease.version import __version__
from annex_pool.command_error import AnnexError
from annex_pool.commands.check_command import check_command
from annex_pool.commands.lease_commands import (
    extend_command,
    push_command,
    renew_command,
    shorten_command,
    stop_command,
)
from annex_pool.commands.leftovers_command import LEFTOVERS_HELP, leftovers_command
from annex_pool.commands.output import print_error
from annex_pool.commands.plan_command import plan_command
from annex_pool.commands.status_command import status_command
from annex_pool.environment import Environment
from annex_spec import SpecError

# In the order of an annex's life.
_VERBS = ("plan", "credential", "status", "extend", "shorten", "renew", "check", "stop", "leftovers")
_ORDER = {name: position for position, name in enumerate(_VERBS)}


class _ReportingGroup(TyperGroup):
    """Command group that reports an expected error as one message and an exit code, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SpecError as error:
            print_error(str(error))
            raise typer.Exit(2) from None
        except AnnexError as error:
            print_error(str(error))
            raise typer.Exit(error.exit_code) from None

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands in the order of an annex's life, others last; Typer would list groups of commands last."""
        return sorted(self.commands, key=lambda name: _ORDER.get(name, len(_ORDER)))


# No rich boxes around errors and no local variables in tracebacks: a token could be among them.
app = typer.Typer(
    cls=_ReportingGroup,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
credential = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Credential of the annex for the pool.")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"annex {__version__}")
        raise typer.Exit


_Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
]


@app.callback()
def _annex(ctx: typer.Context, version: _Version = False) -> None:
    """Operate leased HTCondor execution points on EC2."""
    if ctx.obj is None:
        ctx.obj = Environment()


@credential.callback()
def _credential() -> None:
    """Credential of the annex for the pool."""


app.command("plan")(plan_command)
app.add_typer(credential, name="credential")
credential.command("push")(push_command)
app.command("status")(status_command)
app.command("extend")(extend_command)
app.command("shorten")(shorten_command)
app.command("renew")(renew_command)
app.command("check")(check_command)
app.command("stop")(stop_command)
app.command("leftovers", help=LEFTOVERS_HELP)(leftovers_command)


def main() -> None:
    """Run the command with the arguments of the process; output that cannot be written is one line and exit code 1."""
    if isinstance(sys.stdout, TextIOWrapper):
        # A text of AWS can hold characters that the terminal's encoding lacks.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        try:
            app(prog_name="annex")
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        # Python would try to write the rest once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1 if isinstance(error, BrokenPipeError) else f"error: the command could not finish: {error}")
