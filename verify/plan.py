"""Plan of a run: what it makes, what that costs at most, where, and for how long. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from annex_lease.duration import format_duration
from verify.experiment import Experiment
from verify.options import Options
from verify.run import MARK, Run

LEASE = timedelta(minutes=60)
MAX_LIFETIME = timedelta(minutes=70)
"""No instance of a run exists longer than this and `GRACE`, even if the run, its machine and its watchdog are gone."""
GRACE = timedelta(0)
SIZE = 2
"""Most instances of an annex."""

# us-east-1, November 2026: docs/reference/costs.md, and "Amazon EC2 On-Demand Pricing". Spot costs less.
_TYPE_PER_HOUR = {"t3.micro": 0.0104, "t3.small": 0.0208, "t3.medium": 0.0416}
_ADDRESS_AND_VOLUME_PER_HOUR = 0.0072
_ANNEX_PER_MONTH, _HOURS_OF_A_MONTH = 0.60, 730
_REST = 0.02  # requests, log, the files that the CDK uploads
_DEAREST_REGION = 2.0  # the list prices of sa-east-1 are about 1.6 times those of us-east-1


@dataclass(frozen=True)
class Plan:
    """Plan of a run.

    Attributes:
        run: the run.
        account: id of the account, or a text that says that it is not known.
        options: the command line.
        experiments: the experiments to run.
    """

    run: Run
    account: str
    options: Options
    experiments: Sequence[Experiment]

    @property
    def letters(self) -> tuple[str, ...]:
        """The annexes that the experiments need."""
        return tuple(sorted({letter for each in self.experiments for letter in each.annexes}))

    @property
    def instance_hours(self) -> float:
        """Most instance-hours, if everything lasts until the lease ends it.

        A change of the purchase option may replace an instance before it ends the old one, so each counts twice.
        """
        return len(self.letters) * SIZE * 2 * (MAX_LIFETIME + GRACE).total_seconds() / 3600

    @property
    def most_dollars(self) -> float | None:
        """Most that the run can cost, at list prices of the dearest Region; None: the type's price is not known."""
        price = _TYPE_PER_HOUR.get(self.options.instance_type)
        return None if price is None else _DEAREST_REGION * price * self.instance_hours + self.other_dollars

    @property
    def other_dollars(self) -> float:
        """Most that everything else costs: addresses and volumes, the annexes, requests."""
        annexes = len(self.letters) * _ANNEX_PER_MONTH / _HOURS_OF_A_MONTH * MAX_LIFETIME.total_seconds() / 3600
        return _DEAREST_REGION * (self.instance_hours * _ADDRESS_AND_VOLUME_PER_HOUR + annexes + _REST)

    def text(self) -> str:
        """The plan, as it is printed before the question."""
        stacks = " and ".join(self.run.stack(letter) for letter in self.letters)
        numbers = ", ".join(str(each.number) for each in self.experiments)
        minutes = sum(each.minutes for each in self.experiments) + (12 if self.letters else 0)
        makes = f"{stacks}: each a VPC, an Auto Scaling group of 0 to {SIZE} {self.options.instance_type}, functions,"
        lines = [
            f"account {self.account}, Region {self.run.region}, run {self.run.id}",
            f"experiments {numbers}; about {minutes} minutes",
            f"makes  {makes}" if self.letters else "makes  nothing",
            *(
                ["       a schedule, a secret, roles, an alarm and a topic", f"       all with the tag {MARK}"]
                * bool(stacks)
            ),
            f"costs  at most {self._costs()}",
            f"ends   by itself after {format_duration(MAX_LIFETIME)}: the annexes have a lease of their own",
            "keeps  nothing, except files in the bucket of the CDK's bootstrap, as every `cdk deploy` does,",
            "       and metrics, which CloudWatch keeps for 15 months without charge",
        ]
        return "\n".join(lines)

    def _costs(self) -> str:
        if self.most_dollars is not None:
            return f"${self.most_dollars:.2f}"
        times = f"{self.instance_hours:.1f} times the price of an hour of {self.options.instance_type}"
        return f"${self.other_dollars:.2f} and {times}, which is not known here"
