"""Time from the end of a lease until no instance is alive, for fleets of 1 to 10,000: this project and condor_annex.

Both run against the lab's cloud, side by side. Its machines exist in the API only and start and end at once; An
instance is alive while AWS bills it: neither shutting down nor terminated. Two times are left, by the cloud's clock:
the wait for the next run, for which the clock advances, and the real time of the calls.

- *checker*: the function runs every minute; the last run before the end stays awake for it.
- *run lost*: that last run is missing, so the next one comes a whole minute after the end: the worst case.
- *condor_annex*: see `bench.withdrawn`. The end falls anywhere between two of its runs: measured are ends 10, 80,
  150, 220 and 290 s before its next run.

AWS takes at most 1,000 ids in a TerminateInstances call and terminates none of more
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html).

Usage: ``python -m bench.lease_end [COUNT ...]`` (default: 1 20 1500 10000; about ten minutes on two cores).
"""

from __future__ import annotations

import statistics
import sys
from datetime import timedelta

from rich.console import Console
from rich.table import Table

from bench.cloud import Cloud, running
from bench.fleet import Fleet
from bench.withdrawn import WithdrawnAnnex

COUNTS = (1, 20, 1500, 10_000)
TARGET_SECONDS = 75.0
FIRST_RUNS = (10.0, 80.0, 150.0, 220.0, 290.0)
MOST_IDS = 1000
BEFORE = timedelta(seconds=50)


def checker_seconds(cloud: Cloud, count: int, *, run_lost: bool) -> float:
    """Seconds from the end of a lease until no instance is alive, under the lease checker.

    Raises:
        RuntimeError: instances outlive it.
    """
    fleet = Fleet(cloud, count)
    fleet.start()
    end = fleet.end
    cloud.until(end + timedelta(minutes=1) if run_lost else end - BEFORE)
    fleet.check()
    elapsed = cloud.now() - end
    cloud.settle()
    left = len(fleet.alive())
    fleet.remove()
    if left:
        raise RuntimeError(f"{left} of {count} instances outlive their lease")
    return elapsed.total_seconds()


def withdrawn_seconds(cloud: Cloud, count: int) -> tuple[list[float], str]:
    """The same for condor_annex, one figure for each first run; if instances stay alive, no figure but the reason."""
    found = []
    for number, first_run in enumerate(FIRST_RUNS if count <= MOST_IDS else FIRST_RUNS[:1]):
        annex = WithdrawnAnnex(cloud, count, f"old-{count}-{number}")
        seconds = annex.seconds_after(cloud.now(), first_run)
        annex.remove()
        if seconds is None:
            return [], annex.refused
        found.append(seconds)
    return found, ""


def main(counts: list[int]) -> int:
    """Measure and print; 1 if the target is missed."""
    table = Table("instances", "checker", "run lost", "condor_annex: mean", "from", "to", "mean to checker's worst")
    notes, slowest = [], 0.0
    with running() as cloud:
        for count in counts:
            typical = checker_seconds(cloud, count, run_lost=False)
            worst = checker_seconds(cloud, count, run_lost=True)
            old, refused = withdrawn_seconds(cloud, count)
            slowest = max(slowest, typical, worst)
            row = [f"{count:,}", f"{typical:.1f} s", f"{worst:.1f} s"]
            if old:
                mean = statistics.mean(old)
                row += [f"{mean:.0f} s", f"{min(old):.0f} s", f"{max(old):.0f} s", f"{mean / worst:.1f}"]
            else:
                row += ["never", "-", "-", "-"]
                notes.append(f"condor_annex, {count:,} instances: {refused}")
            table.add_row(*row)
    console = Console(width=120)
    console.print(table, *notes, sep="\n")
    console.print(f"checker's slowest: {slowest:.1f} s; target: at most {TARGET_SECONDS:.0f} s, for every number")
    return int(slowest > TARGET_SECONDS)


if __name__ == "__main__":
    sys.exit(main([int(one) for one in sys.argv[1:]] or list(COUNTS)))
