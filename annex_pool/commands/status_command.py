"""`annex status`: options and printing. On a terminal the table has colours; in a pipe it is plain and unwrapped."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from annex_lease.lease import Phase
from annex_lease.ownership import stack_name
from annex_lease.tags import format_time
from annex_pool.annex_status import NOT_DEPLOYED, AnnexStatus
from annex_pool.command_error import InputError
from annex_pool.commands.arguments import (
    DEFAULT_SPEC,
    AnnexId,
    OptionalName,
    Regions,
    SpecFile,
    Stack,
    read_where,
)
from annex_pool.commands.output import console, natural_width, print_error
from annex_pool.commands.spec_file import note_place, read_spec
from annex_pool.environment import Environment
from annex_pool.locate import all_places, find_place
from annex_pool.place import Place, Where
from annex_pool.status import look
from annex_spec import PartialSpec, SpecError, format_duration

UNKNOWN = "?"
_NONE = "-"
# CLASSAD_LIFETIME, of an ad that its daemon did not withdraw:
# https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html#CLASSAD_LIFETIME
_AD_LIFETIME = "15m"
COLUMNS = (
    "annex",
    "phase",
    "lease end (UTC)",
    "left",
    "size",
    "granted",
    "instances",
    "joined",
    "busy",
    "jobs",
    "hours",
    "next warning (UTC)",
)
_COLOURS = {Phase.ACTIVE: "green", Phase.GRANTED: "green", Phase.WAITING: "yellow", Phase.DRAINING: "yellow"}
_STYLES = {phase.value: colour for phase, colour in _COLOURS.items()}
_EXPLAINED = {Phase.WAITING.value, Phase.DRAINING.value}


def status_command(
    ctx: typer.Context,
    name: OptionalName = None,
    spec_file: SpecFile = DEFAULT_SPEC,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON: one object, or a list without NAME.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Every annex in every enabled Region of the account, declared or not.")
    ] = False,
    region: Regions = None,
    stack: Stack = None,
    annex_id: AnnexId = None,
) -> None:
    """Show the lease, instances, slots and jobs.

    Compares the instances in AWS with the slots in the pool. Exit code 1 if one side did not answer.
    """
    spec, where = read_spec(ctx, spec_file), read_where(region, stack, annex_id)
    places, refused = _places(ctx.obj, spec, name, where, everything=everything)
    for place in places:
        note_place(spec, place)
    statuses = look(ctx.obj, places)
    if as_json:
        data = [status.as_data() for status in statuses]
        typer.echo(json.dumps(data[0] if name else data, indent=2))
    else:
        show_statuses(statuses, console())
    errors = list(dict.fromkeys([*refused, *(error for status in statuses for error in status.errors)]))
    for error in errors:
        print_error(error)
    if errors:
        raise typer.Exit(1)


def _places(
    environment: Environment, spec: PartialSpec, name: str | None, where: Where, *, everything: bool
) -> tuple[list[Place], tuple[str, ...]]:
    """The annexes that are asked for, and what could not be asked."""
    if name is not None and everything:
        raise InputError(f"received NAME {name} and --all: give only one of the two")
    if name is not None:
        return [find_place(environment, spec, name, where)], ()
    if where.stack is not None or where.id is not None:
        raise InputError("received --stack or --id without NAME: they name one of several annexes of a name")
    if where.stated and not everything:
        raise InputError("received --region without NAME or --all: --region is the Region of the annex NAME")
    if not spec.places and not everything:
        raise InputError(f"{SpecError(spec.path, spec.problems)}\n  `annex status --all` needs no spec file")
    return all_places(environment, spec, where, everything=everything)


def show_statuses(statuses: Sequence[AnnexStatus], out: Console) -> None:
    """Print one row for each annex, and below the rows everything that needs an operator's attention.

    On a terminal that is too narrow for a row, each annex has one line for each column instead.
    """
    _show_rows([_row(status) for status in statuses], out)
    names = Counter(status.name for status in statuses)
    for status in statuses:
        if status.phase != NOT_DEPLOYED and (names[status.name] > 1 or status.stack != stack_name(status.name)):
            out.print(
                f"{status.name}: stack {status.stack} in {status.region}, id {status.id or 'unknown'}", soft_wrap=True
            )
        for slot in status.unmatched_slots or ():
            out.print(
                f"{status.name}: slot {slot} claims to belong to this annex, but matches none of its alive instances",
                soft_wrap=True,
            )
        if status.unmatched_slots:
            ends = f"the pool may list the slots of a terminated instance for {_AD_LIFETIME} more"
            out.print(f"{status.name}: {ends}", soft_wrap=True)
        for line in _reasons(status):
            out.print(f"{status.name}: {line}", soft_wrap=True)
        if status.overdue:
            out.print(f"{status.name}: {status.overdue} instances should be gone by now", soft_wrap=True)
        for problem in status.problems:
            out.print(f"{status.name}: {problem}", soft_wrap=True)


def _reasons(status: AnnexStatus) -> list[str]:
    """Reasons of the phase and of the end of the lease."""
    lines = []
    if status.phase in _EXPLAINED and status.reason:
        lines.append(f"{status.phase}: {status.reason}")
    if status.phase == Phase.ENDED.value:
        asked = f"EC2 was asked twice, last at {format_time(status.time)}, and listed nothing"
        lines.append(f"ended: {status.reason}; {asked}")
    if status.lease is not None and not status.closed:
        lines.append(f"the lease {status.lease.explained()}")
    return lines


def _show_rows(rows: Sequence[Sequence[Text]], out: Console) -> None:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in COLUMNS:
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    if natural_width(table, out) <= out.width:
        out.print(table)
        return
    label = max(map(len, COLUMNS))
    for row in rows:
        for column, cell in zip(COLUMNS, row, strict=True):
            out.print(Text.assemble((column.ljust(label), "bold"), "  ", cell), soft_wrap=True)


def _row(status: AnnexStatus) -> list[Text]:
    if status.phase == NOT_DEPLOYED:
        cells = [status.name, NOT_DEPLOYED, *[_NONE] * (len(COLUMNS) - 2)]
        return [Text(cell, style="dim") for cell in cells]
    phase = status.phase or UNKNOWN
    lease = [UNKNOWN, UNKNOWN]
    if status.lease is not None:
        left = max(status.lease.effective_end - status.time, timedelta(0))
        lease = [format_time(status.lease.effective_end), format_duration(left) if left else "over"]
    numbers = [_number(value) for value in (status.size, status.joined, status.protected, status.jobs_running)]
    granted = _NONE if status.granted is None and status.size is not None else _number(status.granted)
    size, joined, busy, jobs = numbers
    warning = _NONE if status.next_warning is None else format_time(status.next_warning)
    cells = [status.name, phase, *lease, size, granted, _instances(status), joined, busy, jobs, _hours(status), warning]
    return [Text(cell, style=_STYLES.get(phase, "") if cell is phase else "") for cell in cells]


def _instances(status: AnnexStatus) -> str:
    if status.instances is None:
        return UNKNOWN
    states = Counter(instance.state for instance in status.instances)
    counted = ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
    return f"{len(status.instances)} ({counted})" if counted else "0"


def _hours(status: AnnexStatus) -> str:
    if status.hours is None:
        return UNKNOWN if status.phase is None else _NONE
    used = f"{status.hours.used:.2f}/{status.hours.limit}"
    if status.hours.price is None:
        return used
    cost, limit = (number * status.hours.price for number in (status.hours.used, status.hours.limit))
    return f"{used} = {cost:.2f}/{limit:.2f}"


def _number(value: int | None) -> str:
    return UNKNOWN if value is None else str(value)
