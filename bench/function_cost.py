"""Duration, memory and cost of the lease checker's function, for annexes of several sizes side by side.

Measured here, on the lab's cloud: a fresh interpreter that imports the function and checks an annex (cold), the checks
after that (warm), one listing of all instances, which a check makes now and then, and the most memory that the process
had. Assumptions are printed as such. Prices are AWS's list prices for us-east-1 without any free tier:

- https://aws.amazon.com/lambda/pricing/ (Arm: $0.0000133334 per GB-second, $0.20 per million requests)
- https://aws.amazon.com/eventbridge/pricing/ (Scheduler: $1.00 per million invocations; the first 14 million of an
  account's month are free)
- https://aws.amazon.com/cloudwatch/pricing/ (logs: $0.50 per GB taken in)

A function has one vCPU per 1,769 MB of memory (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html),
so CPU time here becomes more time there in that proportion. Since August 2025 the time of the import is billed as well
(https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/). Not included, because they do
not depend on the function: the secret and the alarm.

A check reads the description of the whole group, so its duration grows with the instances: COUNT, all month. The exit
code is 1 if the smallest annex costs more than the target, or if for the largest the memory does not suffice or a
listing takes more than a quarter of the function's time.

Usage: ``python -m bench.function_cost [COUNT ...]`` (default: 1 200 1500 10000).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from annex_lease.aws import PAGE_SIZE
from annex_lease.invocation import RUN_SECONDS
from bench.cloud import Cloud, running
from bench.fleet import Fleet

MEMORY_MB = (256, 384, 512)
"""Sizes of the function to compare."""
FUNCTION_MB = 384
"""Size of the function as the constructs make it."""
CHECKS = 730 * 60
"""A month of checks, one a minute."""
GB_SECOND, REQUEST, SCHEDULED, LOG_BYTE = 0.0000133334, 0.20e-6, 1.00e-6, 0.50e-9
TARGET = 0.10
COUNTS = [1, 200, 1500, 10_000]
COLD_STARTS, WARM_RUNS = 3, 15
CALL_SECONDS = 0.05
"""Assumed: time of an API call within the Region."""
PAGE_SECONDS = 0.5
"""Assumed: time of the answer with a full page of instances."""
LISTINGS = 2
"""Listings that make one: by the tag of the group, and by the id of the annex."""
LIFE_CHECKS = 120
"""Assumed: checks until Lambda makes a new environment. AWS promises no number; hours are usual."""
PLATFORM_LOG = 350
"""Assumed: bytes of Lambda's own START, END and REPORT lines, and of CloudWatch's 26 bytes for each event."""
VCPU_MB = 1769
LISTING_CHECKS = 10
"""Checks between two listings of all instances (`annex_lease.memory`)."""


@dataclass(frozen=True)
class Duration:
    """Seconds, here."""

    wall: float
    cpu: float

    def billed(self, memory: int, waiting: float = CALL_SECONDS) -> float:
        """Seconds in a function of so many MB, with its share of a processor and so many seconds of waiting for AWS.

        The time in which the lab's cloud made its answers is left out.
        """
        return self.cpu * VCPU_MB / memory + waiting


@dataclass(frozen=True)
class Measured:
    """Medians for one number of instances.

    Attributes:
        count: number of instances.
        cold: import and first check.
        warm: one check after that.
        listing: one listing of all instances.
        log: bytes that a check logs.
        peak: most memory of the process, in MiB.
    """

    count: int
    cold: Duration
    warm: Duration
    listing: Duration
    log: float
    peak: float

    def listing_seconds(self, memory: int) -> float:
        """Seconds of a listing in a function of so many MB."""
        return self.listing.billed(memory, LISTINGS * (CALL_SECONDS + self.count / PAGE_SIZE * PAGE_SECONDS))


def measure(cloud: Cloud, count: int) -> Measured:
    """Measure the function for an annex with so many instances."""
    fleet = Fleet(cloud, count)
    fleet.start()
    runs = [_environment(cloud, fleet) for _ in range(COLD_STARTS)]
    if any(one["listed"] != count for one in runs):
        raise RuntimeError(f"not all of {count} instances were listed")
    cold = [{kind: one[kind][0] + one[kind][1] for kind in ("wall", "cpu")} for one in runs]
    warm = [
        {"wall": wall, "cpu": cpu} for one in runs for wall, cpu in zip(one["wall"][2:], one["cpu"][2:], strict=True)
    ]
    fleet.remove()
    return Measured(
        count,
        _median(cold),
        _median(warm),
        _median([one["listing"] for one in runs]),
        statistics.median(one["log"] for one in runs),
        max(one["peak"] for one in runs),
    )


def _median(runs: Sequence[Mapping[str, float]]) -> Duration:
    return Duration(*(statistics.median(one[kind] for one in runs) for kind in ("wall", "cpu")))


def _environment(cloud: Cloud, fleet: Fleet) -> dict[str, Any]:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_CA_BUNDLE": str(cloud.authority),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        **fleet.environment,
        "BENCH_STARTED": str(time.time()),
    }
    command = [sys.executable, "-m", "bench.one_environment", str(WARM_RUNS)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def month(one: Measured, memory: int) -> dict[str, float]:
    """Dollars in a month, by service, for a function of so many MB."""
    starts = CHECKS / LIFE_CHECKS
    seconds = starts * one.cold.billed(memory) + (CHECKS - starts) * one.warm.billed(memory)
    seconds += CHECKS / LISTING_CHECKS * one.listing_seconds(memory)
    return {
        "Lambda, duration": seconds * memory / 1024 * GB_SECOND,
        "Lambda, requests": CHECKS * REQUEST,
        "EventBridge Scheduler": CHECKS * SCHEDULED,
        "CloudWatch Logs": CHECKS * (one.log + PLATFORM_LOG) * LOG_BYTE,
    }


def main(counts: Sequence[int]) -> int:
    """Measure and print; 1 if a target is missed."""
    with running() as cloud:
        found = [measure(cloud, count) for count in counts]
    console = Console(width=130)
    first = found[0]
    sizes = Table("instances", "memory", "ratio", "cold, CPU", "warm, CPU", "ratio", "listing, CPU", *_listing_heads())
    prices = Table("instances", *(f"dollars a month, {memory} MB" for memory in MEMORY_MB))
    for one in found:
        listings = [f"{one.listing_seconds(memory):.1f} s" for memory in MEMORY_MB]
        times = [f"{each.cpu * 1000:.0f} ms" for each in (one.cold, one.warm, one.listing)]
        ratio = f"{one.warm.cpu / first.warm.cpu:.2f}"
        memory = (f"{one.peak:.0f} MiB", f"{one.peak / first.peak:.2f}")
        sizes.add_row(f"{one.count:,}", *memory, *times[:2], ratio, times[2], *listings)
        prices.add_row(f"{one.count:,}", *(f"{sum(month(one, memory).values()):.4f}" for memory in MEMORY_MB))
    parts = Table(f"{first.count:,} instances, {FUNCTION_MB} MB", "dollars a month")
    for name, dollars in month(first, FUNCTION_MB).items():
        parts.add_row(name, f"{dollars:.4f}")
    console.print(sizes, prices, parts, sep="\n")
    console.print(
        f"Measured: memory and CPU, {first.log:.0f} bytes of log a check. Computed: times in a function. Assumed: "
        f"{CHECKS:,} checks; one API call each, {CALL_SECONDS * 1000:.0f} ms; {LISTINGS} listings every "
        f"{LISTING_CHECKS} checks, {PAGE_SECONDS} s more for {PAGE_SIZE:,} instances; a new environment every "
        f"{LIFE_CHECKS} checks; "
        f"{PLATFORM_LOG} bytes of Lambda's own log. Targets: at most ${TARGET:.2f} a month for {first.count:,} "
        f"instances; memory within {FUNCTION_MB} MB and one listing within {RUN_SECONDS // 4} s for "
        f"{found[-1].count:,}."
    )
    slow = found[-1].listing_seconds(FUNCTION_MB) / LISTINGS > RUN_SECONDS / 4
    return int(sum(month(first, FUNCTION_MB).values()) > TARGET or found[-1].peak > FUNCTION_MB or slow)


def _listing_heads() -> list[str]:
    return [f"in {memory} MB" for memory in MEMORY_MB]


if __name__ == "__main__":
    sys.exit(main([int(each) for each in sys.argv[1:]] or COUNTS))
