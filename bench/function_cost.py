"""Duration of the lease checker's function, cold and warm, and the cost of an annex in a month that follows from it.

Measured here: a fresh interpreter that imports the function and checks an annex on the lab's cloud (cold), and the
checks after that (warm); each is one call of AWS's API. Assumptions are printed as such. Prices are AWS's list prices
for us-east-1 without any free tier:

- https://aws.amazon.com/lambda/pricing/ (Arm: $0.0000133334 per GB-second, $0.20 per million requests)
- https://aws.amazon.com/eventbridge/pricing/ (Scheduler: $1.00 per million invocations; the first 14 million of an
  account's month are free)
- https://aws.amazon.com/cloudwatch/pricing/ (logs: $0.50 per GB taken in)

A function has one vCPU per 1,769 MB of memory (https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html),
so CPU time here becomes more time there in that proportion. Since August 2025 the time of the import is billed as well
(https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/). Not included,
because they do not depend on the function: the secret, the alarms, the heartbeat's metric.

A check reads the description of the whole group, so its duration grows with the instances: COUNT, all month.

Usage: ``python -m bench.function_cost [COUNT]`` (default: 2).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.cloud import Cloud, running
from bench.fleet import Fleet

MEMORY_MB = 256
CHECKS = 730 * 60
"""A month of checks, one a minute."""
GB_SECOND, REQUEST, SCHEDULED, LOG_BYTE = 0.0000133334, 0.20e-6, 1.00e-6, 0.50e-9
TARGET = 0.10
COLD_STARTS, WARM_RUNS = 5, 30
CALL_SECONDS = 0.05
"""Assumed: additional time of an API call within the Region."""
LIFE_CHECKS = 120
"""Assumed: checks until Lambda makes a new environment. AWS promises no number; hours are usual."""
PLATFORM_LOG = 350
"""Assumed: bytes of Lambda's own START, END and REPORT lines, and of CloudWatch's 26 bytes for each event."""
VCPU_MB = 1769


@dataclass(frozen=True)
class Duration:
    """Seconds, here; `billed` is the duration with the function's share of a processor."""

    wall: float
    cpu: float

    @property
    def billed(self) -> float:
        """Seconds in the function, the waiting of one API call included."""
        return max(self.wall - self.cpu, 0.0) + self.cpu * VCPU_MB / MEMORY_MB + CALL_SECONDS


def measure(cloud: Cloud, count: int) -> tuple[Duration, Duration, float]:
    """Cold and warm duration for a number of instances, medians, and the bytes that a check logs."""
    fleet = Fleet(cloud, count)
    fleet.start()
    cold_wall, cold_cpu, warm_wall, warm_cpu, log = [], [], [], [], 0.0
    for _ in range(COLD_STARTS):
        found = _environment(cloud, fleet)
        cold_wall.append(found["wall"][0] + found["wall"][1])
        cold_cpu.append(found["cpu"][0] + found["cpu"][1])
        warm_wall += found["wall"][2:]
        warm_cpu += found["cpu"][2:]
        log = found["log"]
    median = statistics.median
    return Duration(median(cold_wall), median(cold_cpu)), Duration(median(warm_wall), median(warm_cpu)), log


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


def month(cold: Duration, warm: Duration, log: float) -> dict[str, float]:
    """Dollars in a month, by service."""
    starts = CHECKS / LIFE_CHECKS
    seconds = starts * cold.billed + (CHECKS - starts) * warm.billed
    return {
        "Lambda, duration": seconds * MEMORY_MB / 1024 * GB_SECOND,
        "Lambda, requests": CHECKS * REQUEST,
        "EventBridge Scheduler": CHECKS * SCHEDULED,
        "CloudWatch Logs": CHECKS * (log + PLATFORM_LOG) * LOG_BYTE,
    }


def main(count: int) -> int:
    """Measure and print; 1 if the target is missed."""
    with running() as cloud:
        cold, warm, log = measure(cloud, count)
    console = Console(width=110)
    durations = Table("environment", "here, wall", "here, CPU", f"in {MEMORY_MB} MB (computed)", "GB-seconds")
    for name, one in (("cold: start, import, first check", cold), ("warm: one check", warm)):
        row = [f"{value * 1000:.0f} ms" for value in (one.wall, one.cpu, one.billed)]
        durations.add_row(name, *row, f"{one.billed * MEMORY_MB / 1024:.3f}")
    costs = month(cold, warm, log)
    prices = Table(f"an annex of {count} instances in a month", "dollars")
    for name, dollars in costs.items():
        prices.add_row(name, f"{dollars:.4f}")
    prices.add_row("together", f"{sum(costs.values()):.4f}")
    without = sum(costs.values()) - costs["EventBridge Scheduler"]
    console.print(durations, prices, sep="\n")
    console.print(
        f"target: at most {TARGET:.2f}; with Scheduler's free 14 million: {without:.4f}. Measured: the columns 'here', "
        f"{log:.0f} bytes of log a check. Assumed: {CHECKS:,} checks; one API call each, {CALL_SECONDS * 1000:.0f} ms "
        f"slower than here; a new environment every {LIFE_CHECKS} checks; {PLATFORM_LOG} bytes of Lambda's own log."
    )
    return int(sum(costs.values()) > TARGET)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2))
