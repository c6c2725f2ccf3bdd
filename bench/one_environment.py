"""One execution environment of the checker's function, as Lambda makes it: import, first run, then warm runs.

Started by `bench.function_cost` in a fresh interpreter, with the function's environment variables; prints JSON: seconds
of wall clock and of CPU since the interpreter was started (``BENCH_STARTED``, a time), for each run, and for one
listing of all instances after them; the bytes that a run logs; and the most memory that the process had, in MiB.
"""

import contextlib
import io
import json
import os
import resource
import sys
import time


class _Context:
    def get_remaining_time_in_millis(self) -> int:
        return 240_000


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(runs: int) -> None:
    """Run the function a number of times."""
    from annex_lease.aws import AnnexAccess, list_instances, shared_clients
    from annex_lease.handler import handler
    from annex_lease.invocation import CheckerSettings

    found: dict[str, list[float]] = {"wall": [time.time() - float(os.environ["BENCH_STARTED"])], "cpu": [_cpu()]}
    log = io.StringIO()
    for _ in range(runs):
        wall, cpu = time.perf_counter(), _cpu()
        with contextlib.redirect_stdout(log):
            handler({"check": "scheduled"}, _Context())
        found["wall"].append(time.perf_counter() - wall)
        found["cpu"].append(_cpu() - cpu)
    settings = CheckerSettings.from_environ(os.environ)
    annex = AnnexAccess(settings.group, "", shared_clients(), name=settings.name, id=settings.id)
    wall, cpu = time.perf_counter(), _cpu()
    listed = len(list_instances(annex))
    listing = {"wall": time.perf_counter() - wall, "cpu": _cpu() - cpu}
    # Linux counts in KiB (getrusage(2), ru_maxrss).
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    measured = {"log": len(log.getvalue()) / runs, "listed": listed, "listing": listing, "peak": peak}
    print(json.dumps({**found, **measured}))  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]))
