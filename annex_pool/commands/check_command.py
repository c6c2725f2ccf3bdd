"""`annex check`: options and printing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated

import typer

from annex_pool.commands.arguments import DEFAULT_SPEC, AnnexId, Name, Regions, SpecFile, Stack, read_where
from annex_pool.commands.output import plain, print_answer, print_error
from annex_pool.commands.spec_file import meant, read_spec
from annex_pool.place import deployed_annex

_IDS_SHOWN = 3
_COUNT = "_count"
_REST = frozenset({"action", "reason"})


def check_command(
    ctx: typer.Context,
    name: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what a check would do now.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the lease checker's answer as received.")] = False,
    region: Regions = None,
    stack: Stack = None,
    annex_id: AnnexId = None,
    spec_file: SpecFile = DEFAULT_SPEC,
) -> None:
    """Run the lease checker now, and show its actions.

    The checker also runs by itself every minute.
    """
    place = meant(ctx.obj, read_spec(ctx, spec_file), name, read_where(region, stack, annex_id))
    answer = ctx.obj.ask_checker(deployed_annex(ctx.obj, place), dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps(answer.data, indent=2))
    else:
        print_answer(name, answer)
        done = "would do" if dry_run else "did"
        if not answer.actions:
            typer.echo(f"{name}: the lease checker {done} nothing: the annex is as its lease requires")
        for number, action in enumerate(answer.actions, 1):
            typer.echo(f"{name}: {done} {number}. {action_line(action)}")
    for error in answer.errors:
        print_error(error)
    if answer.errors:
        raise typer.Exit(1)


def action_line(action: Mapping[str, object]) -> str:
    """One line for an action, such as `TerminateInstances instance_ids 25 (i-1, i-2, i-3, ...): the lease ended`.

    Args:
        action: as the lease checker reports it (`annex_lease.actions.as_data`): lists may be cut, their numbers not.
    """
    parts = [plain(action.get("action", "?"))]
    for key, value in action.items():
        if isinstance(value, list):
            if value:
                parts.append(f"{plain(key)} {_listed(value, action.get(key + _COUNT))}")
        elif key not in _REST and value is not None and not _counts_a_list(key, action):
            parts.append(f"{plain(key)} {plain(value)}")
    line = " ".join(parts[:1]) + (f" {', '.join(parts[1:])}" if parts[1:] else "")
    reason = action.get("reason")
    return f"{line}: {plain(reason)}" if reason else line


def _listed(ids: list[object], number: object) -> str:
    number = number if isinstance(number, int) else len(ids)
    first = ", ".join(plain(each) for each in ids[:_IDS_SHOWN])
    return f"{number} ({first}{', ...' if number > _IDS_SHOWN else ''})"


def _counts_a_list(key: str, action: Mapping[str, object]) -> bool:
    return key.endswith(_COUNT) and isinstance(action.get(key.removesuffix(_COUNT)), list)
