"""The spec file of a command: read as far as it is valid, with what is wrong in it as warnings."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import typer

from annex_pool.commands.output import print_note, print_warning
from annex_pool.environment import Environment
from annex_pool.locate import find_place
from annex_pool.place import Place, Where
from annex_spec import PartialSpec, Problem, annex_warnings, load_partly

_OPTION = "spec_file"


def read_spec(ctx: typer.Context, path: Path) -> PartialSpec:
    """Read the spec file; each problem in it is one warning on standard error.

    Args:
        ctx: the context of the command.
        path: the file.
    """
    spec = load_partly(path)
    warn_of_problems(ctx, spec)
    return spec


def warn_of_problems(ctx: typer.Context, spec: PartialSpec) -> None:
    """Print each problem of the spec file as one warning on standard error.

    An annex can be operated without any file, so there is no warning if the default file does not exist.

    Args:
        ctx: the context of the command.
        spec: the spec file.
    """
    source = ctx.get_parameter_source(_OPTION)
    if _missing(spec.path) and source is not None and source.name == "DEFAULT":
        return
    for problem in spec.problems:
        print_warning(f"{spec.path}: {_line(problem)}")


def note_warnings(spec: PartialSpec, name: str, now: datetime) -> None:
    """Print to standard error the warnings about an annex of the file, if it declares one of this name."""
    annex = spec.annexes.get(name)
    if annex is not None:
        for warning in annex_warnings(annex, spec.annexes.values(), now):
            print_note(warning)


def meant(environment: Environment, spec: PartialSpec, name: str, where: Where) -> Place:
    """The one annex that a command is about, with what an operator should know printed to standard error.

    Args:
        environment: external dependencies.
        spec: the spec file.
        name: the annex's name.
        where: the command line.

    Raises:
        AnnexError: see `find_place`.
    """
    place = find_place(environment, spec, name, where)
    note_place(spec, place)
    return place


def note_place(spec: PartialSpec, place: Place) -> None:
    """Say on standard error which annex is meant, if the spec file does not say that, and what could not be asked."""
    declared = spec.places.get(place.name)
    if declared is None and not place.declared:
        print_note(f"annex {place.name} is not declared by {spec.path}; the one in {place.region} is meant")
    elif declared is not None and declared.region is None:
        print_note(f"{spec.path} declares annex {place.name} in no Region; the one in {place.region} is meant")
    elif declared is not None and not place.declared:
        print_note(
            f"annex {place.name} is declared in {declared.region} by {spec.path}; the one in {place.region} is meant"
        )
    for note in place.notes:
        print_note(note)


def _missing(path: Path) -> bool:
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _line(problem: Problem) -> str:
    where = f"{problem.table} {problem.key}".strip() or "the whole file"
    return f"{where}: received {problem.received}; allowed: {problem.allowed}; fix: {problem.fix}"
