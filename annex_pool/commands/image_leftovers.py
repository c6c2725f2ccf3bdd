"""`annex leftovers --image`: search and printing."""

from __future__ import annotations

import json

import typer
from rich.console import Console

from annex_lease.forms import ANNEX_NAME
from annex_lease.tags import shown
from annex_pool.command_error import InputError
from annex_pool.commands.output import console, plain, print_error, print_note, print_rows
from annex_pool.environment import Environment
from annex_pool.leftovers.image_search import IMAGE_KINDS, ImageLeftovers, find_image_leftovers
from annex_pool.place import Where, scope
from annex_spec import PartialSpec

_COLUMNS = ("region", "kind", "id", "state", "used by", "remove with")


def show_image_leftovers(
    environment: Environment, spec: PartialSpec, image: str, where: Where, *, as_json: bool
) -> None:
    """Search for everything of an image and print it, with the command that removes each resource.

    Args:
        environment: external dependencies.
        spec: the spec file.
        image: the image's name, declared or not.
        where: the command line.
        as_json: print one JSON object.

    Raises:
        InputError: no image can have this name.
        AnnexError: the settings or credentials of the environment cannot be used.
        typer.Exit: something is left, or could not be listed.
    """
    if not ANNEX_NAME.matches(image):
        raise InputError(f"name of the image: received {shown(image)}, allowed is {ANNEX_NAME.allowed}")
    found = find_image_leftovers(environment, image, scope(environment, spec, where))
    if as_json:
        typer.echo(json.dumps(found.as_data(), indent=2))
    else:
        _show(found, console())
    if image not in spec.images:
        print_note(f"image {image} is not declared by {spec.path}")
    used = [each.id for _, each in found.found if each.used_by]
    if used:
        print_note(f"annexes boot {', '.join(used)}: without it they start no instance, until they are deployed again")
    for error in found.errors:
        print_error(error)
    if not found.nothing:
        raise typer.Exit(1)


def _show(found: ImageLeftovers, out: Console) -> None:
    if found.found:
        rows = (
            (region, each.kind, plain(each.id), each.state or "-", ", ".join(each.used_by) or "-", each.remove)
            for region, each in found.found
        )
        print_rows(out, _COLUMNS, rows)
    where, number = ", ".join(found.regions), len(found.found)
    if found.nothing:
        out.print(
            f"nothing is left of image {found.image}: searched twice for {len(IMAGE_KINDS)} kinds of resource in "
            f"{where}{'; no other Region was searched' if found.chosen else ''}",
            soft_wrap=True,
        )
    elif number:
        text = f"{number} resource{' is' if number == 1 else 's are'} there of image {found.image} in {where}"
        out.print(text, soft_wrap=True)
    else:
        out.print(f"it is not known whether anything is left of image {found.image} in {where}", soft_wrap=True)
