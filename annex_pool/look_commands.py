"""The words and options of the commands that only look: plan, status, leftovers."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from annex_lease.tags import TAG_NAME
from annex_pool.command_line import DEFAULT_SPEC, Name, SpecFile, say_error
from annex_pool.error import InputError
from annex_pool.leftovers import KINDS, NOT_FOUND, leftovers
from annex_pool.leftovers_text import show_leftovers
from annex_pool.looking import look
from annex_pool.plan import plan
from annex_pool.plan_text import show_plan
from annex_pool.table import console, show
from annex_spec import load

LEFTOVERS_HELP = f"""List everything that is left of annex NAME in AWS; without NAME, of every annex of the spec file.

Exit code 0 only if every listing answered, twice, and nothing is left; 1 if anything is left or could not be listed;
2 for wrong input. A secret that is pending deletion counts as left, and says so.

Looked at, in every Region that the spec file names: {", ".join(KINDS)}; and whatever the tagging service lists under
the tag {TAG_NAME}.

Cannot be found this way: {"; ".join(NOT_FOUND)}.
"""


def plan_command(
    ctx: typer.Context,
    name: Name,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    spec_file: SpecFile = DEFAULT_SPEC,
) -> None:
    """Show what annex NAME may cost at worst, and why, from the spec file alone: AWS is not asked."""
    planned = plan(load(spec_file).annex(name))
    if as_json:
        typer.echo(json.dumps(planned.as_data(), indent=2))
    else:
        show_plan(planned, console())


def status_command(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Default: every annex of the spec.")] = None,
    spec_file: SpecFile = DEFAULT_SPEC,
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
        say_error(error)
    if errors:
        raise typer.Exit(1)


def leftovers_command(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Default: every annex of the spec.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Of any annex, also one that the spec file no longer declares.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    spec_file: SpecFile = DEFAULT_SPEC,
) -> None:  # its help is LEFTOVERS_HELP
    """List what is left in AWS."""
    if everything and name is not None:
        raise InputError(f"received NAME {name} and --all: --all looks for every annex, give only one of the two")
    spec = load(spec_file)
    specs = None if everything else [spec.annex(name)] if name is not None else list(spec.annexes.values())
    found = leftovers(ctx.obj, spec, specs)
    if as_json:
        typer.echo(json.dumps(found.as_data(), indent=2))
    else:
        show_leftovers(found, console())
    for error in found.errors:
        say_error(error)
    if not found.nothing:
        raise typer.Exit(1)
