"""AWS calls per run of the lease checker: while the lease is on, at its end, and afterwards.

The function runs against the lab's cloud, whose clock advances by a minute between two runs; every call that it
sends is counted. condor_annex's figures are those of its documented procedure (HTCondor 25.14.1,
`src/annex/setup/odi-lease.js`): it deletes a file, lists, terminates, and removes a target and a rule, once. It
never checks for instances that are left.

Usage: ``python -m bench.aws_calls [COUNT]`` (default: 20).
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import timedelta

from rich.console import Console
from rich.table import Table

from bench.cloud import Cloud, running
from bench.fleet import Fleet

MOST_AT_THE_END = 6
QUIET = 1
OLD_AT_THE_END = 5
_MINUTE = timedelta(minutes=1)
_MINUTES = 12


class Counted:
    """Runs of a fleet's checker and the calls of each."""

    def __init__(self, cloud: Cloud, fleet: Fleet) -> None:
        self.cloud, self.fleet = cloud, fleet

    def run(self) -> tuple[str, Counter[str]]:
        """The phase that a run reports and the calls it made."""
        self.cloud.settle()
        self.cloud.calls.clear()
        phase = str(self.fleet.check()["phase"])
        return phase, Counter(self.cloud.calls)

    def until_ended(self) -> tuple[Counter[str], Counter[str], int]:
        """Calls after the end until no instance is alive, then until that is confirmed, and the number of runs.

        Machines end at once here. With machines that take longer, each minute of shutting down adds one call.
        """
        ending, confirming = Counter[str](), Counter[str]()
        for run in range(_MINUTES):
            phase, calls = self.run()
            seen_none = not self.fleet.alive()
            (confirming if ending and not calls & Counter(self._acting()) else ending).update(calls)
            if phase == "ended" and seen_none:
                return ending, confirming, run + 1
            self.cloud.advance(_MINUTE.total_seconds())
        raise RuntimeError(f"the annex has not ended after {_MINUTES} runs: {ending} {confirming}")

    @staticmethod
    def _acting() -> list[str]:
        return ["UpdateAutoScalingGroup", "SuspendProcesses", "TerminateInstances"]


def shown(calls: Counter[str]) -> str:
    """Calls and the count of each."""
    return ", ".join(f"{name} {count}" if count > 1 else name for name, count in calls.items())


def main(count: int) -> int:
    """Measure and print; 1 if a target is missed."""
    with running() as cloud:
        fleet = Fleet(cloud, count)
        fleet.start()
        counted = Counted(cloud, fleet)
        cloud.advance(_MINUTE.total_seconds())
        _, quiet = counted.run()
        cloud.until(fleet.end)
        ending, confirming, runs = counted.until_ended()
        cloud.advance(_MINUTE.total_seconds())
        _, ended = counted.run()
    table = Table("run", "calls", "target", "condor_annex", "which")
    rows = [
        ("quiet, active", quiet, QUIET, "0"),
        ("the end, until none is alive", ending, MOST_AT_THE_END, str(OLD_AT_THE_END)),
        ("then, until that is confirmed", confirming, None, "never confirmed"),
        ("quiet, ended", ended, QUIET, "-"),
    ]
    missed = False
    for name, calls, target, old in rows:
        missed |= target is not None and calls.total() > target
        table.add_row(name, str(calls.total()), "-" if target is None else f"<= {target}", old, shown(calls))
    console = Console(width=150)
    console.print(table)
    together = ending.total() + confirming.total()
    because = together - runs * QUIET
    console.print(
        f"per ended annex of {count} instances: {together} calls in {runs} runs; {because} of them because it ended "
        f"(target: at most {MOST_AT_THE_END}), the others are the describe that each run makes anyway"
    )
    return int(missed or because > MOST_AT_THE_END)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
