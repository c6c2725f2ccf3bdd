"""The `annex` command: which words there are, and exit codes. What they do is in the other modules.

Exit codes: 0 done; 1 it could not be done, or not all of it; 2 what was asked for is not allowed.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from annex_pool.command_line import say_error
from annex_pool.environment import Environment
from annex_pool.error import AnnexError
from annex_pool.lease_commands import check_command, extend_command, push_command, renew_command, stop_command
from annex_pool.look_commands import LEFTOVERS_HELP, leftovers_command, plan_command, status_command
from annex_lease.version import __version__
from annex_spec import SpecError


class _Reporting(TyperGroup):
    """Turns the errors we expect into one message and an exit code, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except SpecError as error:
            say_error(str(error))
            raise typer.Exit(2) from None
        except AnnexError as error:
            say_error(str(error))
            raise typer.Exit(error.exit_code) from None

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of an annex's life, not of the alphabet."""
        return list(self.commands)


# No rich boxes around errors and no local variables in tracebacks: a token could be among them.
app = typer.Typer(
    cls=_Reporting, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False
)
credential = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The annex's credential for the pool.")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"annex {__version__}")  # noqa: T201 - what was asked for
        raise typer.Exit


_Version = Annotated[
    bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
]


@app.callback()
def _annex(ctx: typer.Context, version: _Version = False) -> None:
    """Give an annex its credential, look at it, extend or renew its lease, stop it, prove that nothing is left."""
    if ctx.obj is None:
        ctx.obj = Environment()


@credential.callback()
def _credential() -> None:
    """The annex's credential for the pool."""


app.command("plan")(plan_command)
app.add_typer(credential, name="credential")
credential.command("push")(push_command)
app.command("status")(status_command)
app.command("extend")(extend_command)
app.command("renew")(renew_command)
app.command("check")(check_command)
app.command("stop")(stop_command)
app.command("leftovers", help=LEFTOVERS_HELP)(leftovers_command)


def main() -> None:
    """Run the command with the arguments of the process."""
    app(prog_name="annex")
