"""`annex leftovers`: options and printing."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console

from annex_lease.ownership import STACK_NAME_TAG
from annex_lease.tags import TAG_NAME
from annex_pool.command_error import InputError
from annex_pool.commands.arguments import DEFAULT_SPEC, OptionalName, Regions, SpecFile, read_where
from annex_pool.commands.image_leftovers import show_image_leftovers
from annex_pool.commands.output import console, plain, print_error, print_note, print_rows
from annex_pool.commands.spec_file import read_spec
from annex_pool.leftovers.leftover import Leftover
from annex_pool.leftovers.search import KINDS, NOT_FOUND, Leftovers, find_leftovers, unasked_places
from annex_pool.locate import deployed_names, unknown_name
from annex_pool.place import check_name, scope
from annex_pool.region import check_account
from annex_spec import SpecError

LEFTOVERS_HELP = f"""List everything that is left in AWS.

Exit code 0 only if every listing answered, twice, and nothing is left; 1 if anything is left or could not be listed;
2 if the input is not allowed. A secret that is pending deletion counts as left and is marked so.

Listed, in every Region that the account has enabled: {", ".join(KINDS)}; and every resource that the tagging service
lists under the tag {TAG_NAME}. A Region that cannot be asked is an error.

Cannot be found: {"; ".join(NOT_FOUND)}.
"""
_COLUMNS = ("annex", "region", "kind", "id", "state", "stack", "known by")


def leftovers_command(
    ctx: typer.Context,
    name: OptionalName = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Of any annex, also one that the spec file no longer declares.")
    ] = False,
    image: Annotated[
        str | None,
        typer.Option(
            "--image",
            metavar="IMAGE",
            help="Of the built image of this name instead: everything that belongs to it, in use or not, each with the "
            "command that removes it.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    region: Regions = None,
    spec_file: SpecFile = DEFAULT_SPEC,
) -> None:  # its help is LEFTOVERS_HELP
    """List everything that is left in AWS."""
    if everything and name is not None:
        raise InputError(f"received NAME {name} and --all: --all searches for every annex, give only one of the two")
    if image is not None and (everything or name is not None):
        raise InputError(f"received --image {image} and {'--all' if everything else f'NAME {name}'}: give only one")
    where, spec = read_where(region), read_spec(ctx, spec_file)
    if image is not None:
        show_image_leftovers(ctx.obj, spec, image, where, as_json=as_json)
        return
    if not spec.places and not everything and name is None:
        raise InputError(f"{SpecError(spec.path, spec.problems)}\n  `annex leftovers --all` needs no spec file")
    names = None if everything else list(spec.places) if name is None else [check_name(spec, name)]
    asked = scope(ctx.obj, spec, where)
    if name is not None and name in spec.places and not where.stated:
        check_account(ctx.obj.connect(asked.regions[0]), spec.places[name].account)
    unasked = () if where.stated and name is not None else unasked_places(ctx.obj, spec, names, asked)
    found = find_leftovers(ctx.obj, names, asked, unasked)
    if name is not None and name not in spec.places and not where.stated and found.nothing:
        # A name that was mistyped must not pass as proof. --region says that the name is meant.
        raise unknown_name(spec, name, asked.regions, deployed_names(ctx.obj, asked))
    others = {left.annex for left in found.found} | set(names or ())
    if as_json:
        typer.echo(json.dumps(found.as_data(), indent=2))
    else:
        show_leftovers(found, console())
    for other in sorted(others - set(spec.places)):
        print_note(f"annex {other} is not declared by {spec.path}")
    for error in found.errors:
        print_error(error)
    if not found.nothing:
        raise typer.Exit(1)


def show_leftovers(found: Leftovers, out: Console) -> None:
    """Print one row for each leftover; or that nothing is left, only if that is proved."""
    if found.found:
        print_rows(out, _COLUMNS, map(_row, found.found))
    where = ", ".join(found.regions)
    whose = "of any annex" if found.annexes is None else f"of annex {', '.join(found.annexes)}"
    number = len(found.found)
    if found.nothing:
        out.print(
            f"nothing is left {whose}: searched twice for {len(KINDS)} kinds of resource, and for every resource that "
            f"carries the annex's tag, in {where}{'; no other Region was searched' if found.chosen else ''}",
            soft_wrap=True,
        )
    elif number:
        out.print(f"{number} resource{' is' if number == 1 else 's are'} left {whose} in {where}", soft_wrap=True)
    else:
        out.print(f"it is not known whether anything is left {whose} in {where}", soft_wrap=True)


def _row(left: Leftover) -> tuple[str, ...]:
    resource = left.resource
    by = "the tagging service only" if resource.tagging_only else left.by
    stack = resource.tags.get(STACK_NAME_TAG, "")
    return (
        left.annex,
        left.region,
        resource.kind,
        plain(resource.id),
        resource.state or "-",
        plain(stack) or "-",
        by,
    )
