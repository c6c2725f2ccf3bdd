"""What an annex may cost at worst, worked out from its declaration alone, with every step shown. Pure.

Two things bound it. Time, always: no lease ends later than its reach, whoever extends or renews it, and execution
points end by themselves. Money, while the lease checker works: it counts `max_instance_hours` and ends the lease when
they are used up; the end that execution points know moves later while few of them run, and whatever starts after the
checker died is counted by nobody. After either an instance can still run for a while; `Plan.overrun` is how long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from annex_lease.tags import format_time
from annex_spec import AnnexSpec, format_duration

CHECK_PERIOD = timedelta(minutes=1)
"""How often the lease checker looks."""
SHUTDOWN_AFTER_END = timedelta(minutes=30)
"""How long after the end of the lease an execution point switches itself off, whatever AWS and the checker do."""
REPLACEMENT = timedelta(minutes=15)
"""How long what replaces such an execution point can run: it reads an end in the past and gives itself back.

Its script of giving back is cut off after 8 minutes (annex-retire.service); the rest is for booting and shutting down.
"""
NOT_COUNTED = (
    "what is billed besides instance-hours unless price_per_hour holds it: volumes, addresses, data, the stack itself",
    "the minute that EC2 bills at least for an instance that ends within its first minute",
    "the part of a minute by which the checker learns late of an instance that replaces another one",
    "an annex that lost both its lease checker and its execution points' way to boot or to call EC2 Auto Scaling: its "
    "group goes on replacing them until somebody runs `annex stop`; the alarms tell of a silent checker",
    "another deployment: `cdk destroy` and `cdk deploy` begin a new lease with a reach and a limit of its own",
)
"""What the figures leave out."""


@dataclass(frozen=True)
class Plan:
    """The worst case of one annex. Hours are instance-hours.

    Attributes:
        spec: the declaration.
        overrun: how long an instance can run after the end of the lease.
        unextended_hours: at most, if nobody extends or renews the lease; None if that follows from no duration.
        reach_hours: at most, by the reach.
        limit_hours: at most, by the instance-hours allowed, while the lease checker works; None if none are declared.
    """

    spec: AnnexSpec
    overrun: timedelta
    unextended_hours: Decimal | None
    reach_hours: Decimal
    limit_hours: Decimal | None

    @property
    def worst_hours(self) -> Decimal:
        """The most instance-hours there can be, whether the lease checker works or not: the bound by time."""
        return self.reach_hours

    @property
    def worst_hours_while_checked(self) -> Decimal:
        """The most instance-hours there can be while the lease checker works: the smaller of the bounds."""
        return self._while_checked(self.reach_hours)

    @property
    def unextended_hours_while_checked(self) -> Decimal | None:
        """As `unextended_hours`, while the lease checker works."""
        return None if self.unextended_hours is None else self._while_checked(self.unextended_hours)

    def _while_checked(self, hours: Decimal) -> Decimal:
        return hours if self.limit_hours is None else min(hours, self.limit_hours)

    def money(self, hours: Decimal) -> Decimal | None:
        """The price of so many instance-hours, in the currency of `price_per_hour`; None if none is declared."""
        price = self.spec.price_per_hour
        # By way of text: 0.1 is meant as the decimal number it is written as.
        return None if price is None else hours * Decimal(str(price))

    def as_data(self) -> dict[str, object]:
        """The plan as `annex plan --json` prints it.

        Keys: name, region, stack, size, lease_seconds or null, lease_ends_at or null, max_lifetime_seconds, grace_seconds,
        renew_while_busy_seconds or null, max_instance_hours or null, price_per_hour or null; latest_end_seconds (after
        the creation of the group), overrun_seconds; instance_hours and cost, each with unextended, by_reach, by_limit,
        worst (whatever happens), unextended_while_checked and worst_while_checked (if the lease checker works; only
        then by_limit holds) (cost is null without a price; a number of either is null if it does not apply);
        derivation and not_counted (lists of sentences).
        """
        spec = self.spec
        bounds = {
            "unextended": self.unextended_hours,
            "by_reach": self.reach_hours,
            "by_limit": self.limit_hours,
            "worst": self.worst_hours,
            "unextended_while_checked": self.unextended_hours_while_checked,
            "worst_while_checked": self.worst_hours_while_checked,
        }
        costs = {key: None if hours is None else self.money(hours) for key, hours in bounds.items()}
        return {
            "name": spec.name,
            "region": spec.region,
            "stack": f"Annex-{spec.name}",
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
            "derivation": list(derivation(self)),
            "not_counted": list(NOT_COUNTED),
        }


def plan(spec: AnnexSpec) -> Plan:
    """The worst case of this annex."""
    # A working checker empties the group within its period, and at its next look after the grace it terminates by id
    # what is still there. Without a checker the execution points' own timers count; the group replaces once what such
    # a timer switched off, and the replacement takes itself away. The later of the two is the bound.
    overrun = max(spec.grace + CHECK_PERIOD, SHUTDOWN_AFTER_END + REPLACEMENT)
    unextended = spec.max_lifetime if spec.renew_while_busy is not None else spec.lease
    return Plan(
        spec=spec,
        overrun=overrun,
        unextended_hours=None if unextended is None else _hours(unextended + overrun) * spec.size,
        reach_hours=_hours(spec.max_lifetime + overrun) * spec.size,
        limit_hours=None if spec.max_instance_hours is None else spec.max_instance_hours + _hours(overrun) * spec.size,
    )


def derivation(planned: Plan) -> tuple[str, ...]:
    """How the worst case comes about, one sentence for each step."""
    spec, size = planned.spec, planned.spec.size
    grace, reach, overrun = (format_duration(value) for value in (spec.grace, spec.max_lifetime, planned.overrun))
    period, timer, replaced = (format_duration(value) for value in (CHECK_PERIOD, SHUTDOWN_AFTER_END, REPLACEMENT))
    steps = [
        f"the lease ends {reach} after the deployment at the latest (reach): no extension, no renewal and no busy "
        "execution point can pass that",
        f"while the lease checker works, an instance runs for at most {format_duration(spec.grace + CHECK_PERIOD)} "
        f"after the end: grace {grace}, and {period} between two looks",
        f"if it does not, an execution point switches itself off {timer} after the end at the latest; the group, which "
        f"nobody emptied, replaces it once, and the replacement reads an end in the past and gives itself back, in at "
        f"most {replaced}",
        f"so the later of the two, {overrun}, is what can run after the end",
        f"at worst, by time: {size} x ({reach} + {overrun}) = {shown_hours(planned.reach_hours)}, whether the lease "
        "checker works or not",
    ]
    if spec.max_instance_hours is not None and planned.limit_hours is not None:
        steps.append(
            f"by money: {spec.max_instance_hours} (max_instance_hours) + {size} x {overrun} = "
            f"{shown_hours(planned.limit_hours)}, only while the lease checker works: it alone counts, so if it dies "
            "when few instances run, those that start later are bounded by time"
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
    """A number with at most two decimals, never rounded down: a worst case that is a little too small is none."""
    rounded = value.quantize(Decimal("0.01"), rounding="ROUND_CEILING")
    return f"{rounded:f}".rstrip("0").rstrip(".")


def _hours(span: timedelta) -> Decimal:
    return Decimal(int(span.total_seconds())) / 3600


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else int(span.total_seconds())


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(shown_amount(value))
