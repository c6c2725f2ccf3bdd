"""`annex plan`: options and printing."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated

import typer
from rich.console import Console

from annex_lease.ownership import stack_name
from annex_lease.tags import format_time
from annex_pool.commands.arguments import DEFAULT_SPEC, Name, SpecFile
from annex_pool.commands.output import console
from annex_pool.lease_changes import lease_changes
from annex_pool.plan import NOT_COUNTED, WorstCase, derivation, plan, shown_amount, shown_hours
from annex_pool.redeploy import Redeployment, redeployment
from annex_spec import AnnexSpec, format_duration, load


def plan_command(
    ctx: typer.Context,
    name: Name,
    deployed: Annotated[
        bool,
        typer.Option("--deployed", help="Ask AWS, and show what a deployment of this spec changes of the annex."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    spec_file: SpecFile = DEFAULT_SPEC,
) -> None:
    """Show the worst-case cost, from the spec file alone.

    AWS is asked only with --deployed. Every step of the computation is shown.
    """
    spec = load(spec_file).annex(name)
    planned = plan(spec)
    found = redeployment(ctx.obj, spec) if deployed else None
    if as_json:
        data = planned.as_data()
        if deployed:
            data["deployed"] = None if found is None else {**found.as_data(), "changes": lease_changes(name, found)}
        typer.echo(json.dumps(data, indent=2))
        return
    show_plan(planned, console())
    if deployed:
        _show_redeployment(spec, found)


def _show_redeployment(spec: AnnexSpec, found: Redeployment | None) -> None:
    if found is None:
        typer.echo(f"deployed: annex {spec.name} is not deployed in {spec.region}: a deployment begins a new lease")
        return
    for line in lease_changes(spec.name, found):
        typer.echo(f"deployed: {line}")


def show_plan(planned: WorstCase, out: Console) -> None:
    """Print the declaration, the worst case and its derivation."""
    out.print(f"{planned.spec.name}: stack {stack_name(planned.spec.name)} in {planned.spec.region}", soft_wrap=True)
    for label, value in _rows(planned):
        out.print(f"{label:<20}  {value}", soft_wrap=True)
    for number, step in enumerate(derivation(planned), 1):
        out.print(f"{number}. {step}", soft_wrap=True)
    for text in NOT_COUNTED:
        out.print(f"not counted: {text}", soft_wrap=True)


def _rows(planned: WorstCase) -> list[tuple[str, str]]:
    spec = planned.spec
    limit, renew = spec.max_instance_hours, spec.renew_while_busy
    return [
        ("size", f"{spec.size} instance{'' if spec.size == 1 else 's'}"),
        ("lease", _lease(spec)),
        ("renewed while busy", "no" if renew is None else f"by {format_duration(renew)}"),
        ("limit", "none (max_instance_hours)" if limit is None else f"{limit} instance-hours"),
        ("latest end", f"{format_duration(spec.max_lifetime)} after the deployment (max_lifetime)"),
        ("without extension", _amount(planned, planned.unextended_hours)),
        ("at worst", _amount(planned, planned.worst_hours)),
        *_while_checked(planned),
    ]


def _while_checked(planned: WorstCase) -> list[tuple[str, str]]:
    if planned.limit_hours is None:
        return []
    counted = _amount(planned, planned.worst_hours_while_checked)
    return [("while checked", f"{counted}, if the lease checker works")]


def _lease(spec: AnnexSpec) -> str:
    if spec.lease_ends_at is not None:
        return f"until {format_time(spec.lease_ends_at)}"
    return f"{format_duration(spec.lease)} from the deployment" if spec.lease is not None else ""


def _amount(planned: WorstCase, hours: Decimal | None) -> str:
    if hours is None:
        return "depends on the time of the deployment; never more than at worst"
    money = planned.money(hours)
    price = (
        ""
        if money is None
        else f" = {shown_amount(money)} at {Decimal(str(planned.spec.price_per_hour)):f} per instance-hour"
    )
    return f"at most {shown_hours(hours)}{price}"
