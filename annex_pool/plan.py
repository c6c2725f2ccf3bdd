"""Worst case of an annex, computed from its declaration alone, with every step shown. Pure.

Two limits hold. Time holds always: no lease exceeds the maximum lifetime, extended or renewed, and execution points
power themselves off. `max_instance_hours` holds while the lease checker works: it counts, and ends the lease when the
hours are used up. Execution points know only the end that was published last, and that end can move later. Instances
that start after the checker failed are not counted. After either limit an instance can still run for `overrun`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from annex_lease.entries import HOUR_SECONDS
from annex_lease.ownership import stack_name
from annex_lease.tags import format_time
from annex_lease.terms import CHECK_PERIOD, ON_DEMAND_BASE, ON_DEMAND_PERCENTAGE, SHUTDOWN_AFTER_END, SUBNETS
from annex_pool.deployed_terms import DeployedTerms
from annex_spec import AnnexSpec, format_duration

SELF_SHUTDOWN = SHUTDOWN_AFTER_END.default_value
"""Time from the end of the lease until an execution point powers itself off, even if AWS and the checker do nothing.

The spec cannot change it, so every annex of a spec has the default.
"""
REPLACEMENT = timedelta(minutes=15)
"""Longest time that the replacement of such an execution point runs: it reads an end in the past and retires.

systemd stops its retire script after 8 minutes (annex-retire.service); the rest is for booting and shutting down.
"""
NOT_COUNTED = (
    "costs besides instance-hours, unless price_per_hour includes them: volumes, addresses, data, the stack itself",
    "the minimum of one minute that EC2 bills for an instance that ends within its first minute",
    "the part of a minute that passes before the checker sees an instance that replaces another one",
    "an annex that lost both its lease checker and its execution points' way to boot or to call EC2 Auto Scaling: its "
    "group replaces them until an operator runs `annex stop`; an alarm reports a silent checker",
    "instances that AWS launches before it terminates the ones that they replace, after a deployment that changes "
    f"{SUBNETS.name}, {ON_DEMAND_BASE.name} or {ON_DEMAND_PERCENTAGE.name}",
    "another deployment: `cdk destroy` and `cdk deploy` begin a new lease with its own maximum lifetime and limit",
)
"""Costs that the numbers do not include."""


@dataclass(frozen=True)
class WorstCase:
    """Worst case of one annex. Hours are instance-hours.

    Attributes:
        spec: the declaration, or the lease that is deployed.
        overrun: longest time that an instance can run after the end of the lease.
        unextended_hours: maximum without an extension or renewal; None if the declared end is an absolute time.
        lifetime_hours: maximum by the maximum lifetime.
        limit_hours: maximum by `max_instance_hours`, while the lease checker works; None if it is not declared.
        stack: name of the annex's stack.
    """

    spec: AnnexSpec | DeployedTerms
    overrun: timedelta
    unextended_hours: Decimal | None
    lifetime_hours: Decimal
    limit_hours: Decimal | None
    stack: str

    @property
    def accepted_jobs(self) -> tuple[str, ...] | None:
        """The jobs that may run on the annex, in sentences; None where only the deployed lease is known."""
        return self.spec.job_policy.sentences(self.spec.name) if isinstance(self.spec, AnnexSpec) else None

    @property
    def worst_hours(self) -> Decimal:
        """Maximum, with or without a working lease checker: the limit by time."""
        return self.lifetime_hours

    @property
    def worst_hours_while_checked(self) -> Decimal:
        """Maximum while the lease checker works: the smaller limit."""
        return self._while_checked(self.lifetime_hours)

    @property
    def unextended_hours_while_checked(self) -> Decimal | None:
        """Maximum without an extension or renewal, while the lease checker works."""
        return None if self.unextended_hours is None else self._while_checked(self.unextended_hours)

    def _while_checked(self, hours: Decimal) -> Decimal:
        return hours if self.limit_hours is None else min(hours, self.limit_hours)

    def money(self, hours: Decimal) -> Decimal | None:
        """Price of a number of instance-hours, in the currency of `price_per_hour`; None if no price is declared."""
        price = self.spec.price_per_hour
        # Through text: 0.1 means the decimal number as written.
        return None if price is None else hours * Decimal(str(price))

    def as_data(self) -> dict[str, object]:
        """The JSON object of `annex plan --json`.

        Keys: name, region, stack, size; lease_seconds or null, lease_ends_at or null, max_lifetime_seconds,
        grace_seconds, renew_while_busy_seconds or null, max_instance_hours or null, price_per_hour or null;
        latest_end_seconds (after the creation of the group), overrun_seconds; instance_hours and cost, each with
        unextended, by_max_lifetime, by_limit, worst (always holds), unextended_while_checked and worst_while_checked
        (hold while the lease checker works, as by_limit does); derivation, not_counted and accepted_jobs (lists of
        sentences; the last is null if only the deployed lease is known).
        cost is null without a price; a number in either is null if it does not apply. With --deployed also deployed
        (see `Redeployment.as_data`, and `changes`, a list of sentences; null if the annex is not deployed).
        """
        spec = self.spec
        bounds = {
            "unextended": self.unextended_hours,
            "by_max_lifetime": self.lifetime_hours,
            "by_limit": self.limit_hours,
            "worst": self.worst_hours,
            "unextended_while_checked": self.unextended_hours_while_checked,
            "worst_while_checked": self.worst_hours_while_checked,
        }
        costs = {key: None if hours is None else self.money(hours) for key, hours in bounds.items()}
        return {
            "name": spec.name,
            "region": spec.region,
            "stack": self.stack,
            "size": spec.size,
            "lease_seconds": _seconds(spec.lease),
            "lease_ends_at": format_time(spec.lease_ends_at) if spec.lease_ends_at else None,
            "max_lifetime_seconds": _seconds(spec.max_lifetime),
            "grace_seconds": _seconds(spec.grace),
            "renew_while_busy_seconds": _seconds(spec.renew_while_busy),
            "max_instance_hours": spec.max_instance_hours,
            "price_per_hour": None if spec.price_per_hour is None else float(spec.price_per_hour),
            "latest_end_seconds": _seconds(spec.max_lifetime),
            "overrun_seconds": _seconds(self.overrun),
            "instance_hours": {key: _number(hours) for key, hours in bounds.items()},
            "cost": None if spec.price_per_hour is None else {key: _number(cost) for key, cost in costs.items()},
            "accepted_jobs": None if self.accepted_jobs is None else list(self.accepted_jobs),
            "derivation": list(derivation(self)),
            "not_counted": list(NOT_COUNTED),
        }


def plan(spec: AnnexSpec | DeployedTerms, stack: str | None = None) -> WorstCase:
    """Compute the worst case of this annex.

    Args:
        spec: its declaration, or the lease that is deployed.
        stack: name of its stack. Default: None - that of this project's app.
    """
    # A working checker empties the group within one period. At its first run after the grace it terminates by id what
    # is left. Without a checker the execution points' own timers count: the group replaces an instance once after its
    # timer, and the replacement retires. The later of the two is the limit.
    overrun = max(spec.grace + CHECK_PERIOD, SELF_SHUTDOWN + REPLACEMENT)
    unextended = spec.max_lifetime if spec.renew_while_busy is not None else spec.lease
    return WorstCase(
        spec=spec,
        overrun=overrun,
        unextended_hours=None if unextended is None else _hours(unextended + overrun) * spec.size,
        lifetime_hours=_hours(spec.max_lifetime + overrun) * spec.size,
        limit_hours=None if spec.max_instance_hours is None else spec.max_instance_hours + _hours(overrun) * spec.size,
        stack=stack or stack_name(spec.name),
    )


def derivation(planned: WorstCase) -> tuple[str, ...]:
    """The steps of the computation, one sentence each."""
    spec, size = planned.spec, planned.spec.size
    grace, lifetime, overrun = (format_duration(value) for value in (spec.grace, spec.max_lifetime, planned.overrun))
    period, timer, replaced = (format_duration(value) for value in (CHECK_PERIOD, SELF_SHUTDOWN, REPLACEMENT))
    steps = [
        f"the lease ends {lifetime} after the deployment at the latest (max_lifetime): no extension, no renewal and no "
        "busy execution point can exceed that",
        f"while the lease checker works, an instance runs for at most {format_duration(spec.grace + CHECK_PERIOD)} "
        f"after the end: grace {grace}, and {period} between two checks",
        f"without it, an execution point powers itself off {timer} after the end at the latest; the group, which "
        "nothing emptied, replaces it once; the replacement reads an end in the past and retires, in at most "
        f"{replaced}",
        f"so an instance can run for the longer of the two, {overrun}, after the end",
        f"at worst, by time: {size} x ({lifetime} + {overrun}) = {shown_hours(planned.lifetime_hours)}, with or "
        "without a working lease checker",
    ]
    if spec.max_instance_hours is not None and planned.limit_hours is not None:
        steps.append(
            f"by money: {spec.max_instance_hours} (max_instance_hours) + {size} x {overrun} = "
            f"{shown_hours(planned.limit_hours)}, only while the lease checker works: nothing else counts, so if it "
            "fails while few instances run, only time limits those that start later"
        )
        steps.append(
            f"at worst while the lease checker works: the smaller of the two, "
            f"{shown_hours(planned.worst_hours_while_checked)}"
        )
    return tuple(steps)


def shown_hours(hours: Decimal) -> str:
    """Instance-hours for people: at most two decimals, never rounded down."""
    return f"{shown_amount(hours)} instance-hours"


def shown_amount(value: Decimal) -> str:
    """A number with at most two decimals, never rounded down: a worst case must not be shown too small."""
    rounded = value.quantize(Decimal("0.01"), rounding="ROUND_CEILING")
    return f"{rounded:f}".rstrip("0").rstrip(".")


def _hours(span: timedelta) -> Decimal:
    return Decimal(int(span.total_seconds())) / HOUR_SECONDS


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(shown_amount(value))
