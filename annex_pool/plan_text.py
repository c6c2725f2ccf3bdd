"""`annex plan` for people: what was declared, the worst case, and how it comes about."""

from __future__ import annotations

from decimal import Decimal

from rich.console import Console

from annex_lease.tags import format_time
from annex_pool.plan import NOT_COUNTED, Plan, derivation, shown_amount, shown_hours
from annex_spec import AnnexSpec, format_duration


def show_plan(planned: Plan, out: Console) -> None:
    """Print the plan."""
    out.print(f"{planned.spec.name}: stack Annex-{planned.spec.name} in {planned.spec.region}", soft_wrap=True)
    for label, value in _rows(planned):
        out.print(f"{label:<20}  {value}", soft_wrap=True)
    for number, step in enumerate(derivation(planned), 1):
        out.print(f"{number}. {step}", soft_wrap=True)
    for text in NOT_COUNTED:
        out.print(f"not counted: {text}", soft_wrap=True)


def _rows(planned: Plan) -> list[tuple[str, str]]:
    spec = planned.spec
    limit, renew = spec.max_instance_hours, spec.renew_while_busy
    return [
        ("size", f"{spec.size} instance{'' if spec.size == 1 else 's'}"),
        ("lease", _lease(spec)),
        ("renewed while busy", "no" if renew is None else f"by {format_duration(renew)}"),
        ("limit", "none (max_instance_hours)" if limit is None else f"{limit} instance-hours"),
        ("latest end", f"{format_duration(spec.max_lifetime)} after the deployment (reach)"),
        ("if nobody extends it", _amount(planned, planned.unextended_hours)),
        ("at worst", _amount(planned, planned.worst_hours)),
        *_while_checked(planned),
    ]


def _while_checked(planned: Plan) -> list[tuple[str, str]]:
    if planned.limit_hours is None:
        return []
    counted = _amount(planned, planned.worst_hours_while_checked)
    return [("while it is counted", f"{counted}, if the lease checker works")]


def _lease(spec: AnnexSpec) -> str:
    if spec.lease_ends_at is not None:
        return f"until {format_time(spec.lease_ends_at)}"
    return f"{format_duration(spec.lease)} from the deployment" if spec.lease is not None else ""


def _amount(planned: Plan, hours: Decimal | None) -> str:
    if hours is None:
        return "depends on when it is deployed: never more than at worst"
    money = planned.money(hours)
    price = (
        ""
        if money is None
        else f" = {shown_amount(money)} at {Decimal(str(planned.spec.price_per_hour)):f} per instance-hour"
    )
    return f"at most {shown_hours(hours)}{price}"
