"""`annex plan`: options and printing."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Annotated

import typer
from rich.console import Console

from annex_lease.live_changes import LIVE_CHANGES
from annex_lease.tags import format_time
from annex_lease.terms import ACCOUNT, NAME
from annex_pool.command_error import AnnexError, InputError
from annex_pool.commands.arguments import DEFAULT_SPEC, AnnexId, Name, Regions, SpecFile, Stack, read_where
from annex_pool.commands.output import console
from annex_pool.commands.spec_file import meant, note_warnings, warn_of_problems
from annex_pool.deployed import list_annexes
from annex_pool.deployed_terms import DeployedTerms
from annex_pool.environment import Environment
from annex_pool.lease_changes import lease_changes
from annex_pool.live_effects import in_another_region
from annex_pool.place import Where
from annex_pool.plan import NOT_COUNTED, WorstCase, derivation, plan, shown_amount, shown_hours
from annex_pool.redeploy import Redeployment, redeployment
from annex_spec import AnnexSpec, PartialSpec, format_duration, load_partly


def plan_command(
    ctx: typer.Context,
    name: Name,
    deployed: Annotated[
        bool,
        typer.Option("--deployed", help="Ask AWS, and show what a deployment of this spec changes of the annex."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    region: Regions = None,
    stack: Stack = None,
    annex_id: AnnexId = None,
    spec_file: SpecFile = DEFAULT_SPEC,
) -> None:
    """Show the worst-case cost, from the spec file alone.

    AWS is asked only with --deployed, which also works without a spec file: then the deployed lease is shown. Every
    step of the computation is shown.
    """
    spec, where = load_partly(spec_file), read_where(region, stack, annex_id)
    if not deployed or name in spec.places:
        spec.annex(name)
    warn_of_problems(ctx, spec)
    note_warnings(spec, name, ctx.obj.now())
    if deployed:
        planned, changes, found = _deployed(ctx.obj, spec, name, where)
    else:
        _refuse(where)
        planned, changes, found = plan(spec.annex(name)), (), None
    if as_json:
        data = planned.as_data()
        if deployed:
            data["deployed"] = None if found is None else {**found.as_data(), "changes": changes}
        typer.echo(json.dumps(data, indent=2))
        return
    show_plan(planned, console())
    for line in changes:
        typer.echo(f"deployed: {line}")


def _refuse(where: Where) -> None:
    if where.stated:
        raise InputError("received --region, --stack or --id without --deployed: without it AWS is not asked")


def _deployed(
    environment: Environment, spec: PartialSpec, name: str, where: Where
) -> tuple[WorstCase, tuple[str, ...], Redeployment | None]:
    """The worst case, and what a deployment of the spec changes of the deployed annex, if there is one."""
    declared = spec.annex(name) if name in spec.places else None
    place = meant(environment, spec, name, where)
    found = redeployment(environment, place, declared if place.declared else None, spec.pool)
    if declared is not None and (found is None or not place.declared):
        return plan(declared), *_new_annex(environment, spec, declared, found)
    if found is None:
        raise AnnexError(f"annex {name} is not deployed in {place.region}, and {spec.path} does not declare it")
    if declared is not None:
        return plan(declared, found.found.stack), lease_changes(name, found), found
    lease = found.before.lease
    if lease.policy is None:
        raise AnnexError(
            f"the tags of group {found.found.group.name} declare no valid lease: {'; '.join(lease.problems)}"
        )
    lines = (
        f"{spec.path} does not declare annex {name}: this is the lease that is deployed ({found.found.described()})",
        f"the lease {lease.explained()}",
    )
    return plan(DeployedTerms.of(place.region, lease.policy), found.found.stack), lines, found


def _new_annex(
    environment: Environment, spec: PartialSpec, declared: AnnexSpec, found: Redeployment | None
) -> tuple[tuple[str, ...], Redeployment | None]:
    """Sentences about an annex that is not deployed where the spec declares it, and the one that is found elsewhere."""
    lines = [f"annex {declared.name} is not deployed in {declared.region}: a deployment begins a new lease"]
    if found is not None:
        there = found.found
        if there.aws.region != declared.region:
            moved = in_another_region(found.before.group, there.aws.region, declared.region)
            found = replace(found, effects=(moved,))
            lines.append(moved.text())
        lease = found.before.lease.explained()
        return (*lines, f"the annex {there.described()} stays as it is: the lease {lease}"), found
    aws = environment.connect(declared.region)
    lines += [
        f"{spec.path} declares no annex {each.name}, and one is deployed: {each.described()}. If this is its new name: "
        f"{LIVE_CHANGES[NAME.name].does}"
        for each in list_annexes(aws)
        if each.name not in spec.places
    ]
    if declared.account is not None:
        other = f"if it is deployed in another account than {declared.account}, the account changes"
        lines.append(f"{other}: {LIVE_CHANGES[ACCOUNT.name].does}")
    return tuple(lines), None


def show_plan(planned: WorstCase, out: Console) -> None:
    """Print the declaration, the worst case and its derivation."""
    out.print(f"{planned.spec.name}: stack {planned.stack} in {planned.spec.region}", soft_wrap=True)
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
        *(("jobs", text) for text in planned.accepted_jobs or ()),
        ("without extension", _amount(planned, planned.unextended_hours)),
        ("at worst", _amount(planned, planned.worst_hours)),
        *_while_checked(planned),
    ]


def _while_checked(planned: WorstCase) -> list[tuple[str, str]]:
    if planned.limit_hours is None:
        return []
    counted = _amount(planned, planned.worst_hours_while_checked)
    return [("while checked", f"{counted}, if the lease checker works")]


def _lease(spec: AnnexSpec | DeployedTerms) -> str:
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
