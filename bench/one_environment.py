"""One execution environment of the checker's function, as Lambda makes it: import, first run, then warm runs.

Started by `bench.function_cost` in a fresh interpreter, with the function's environment variables; prints JSON: seconds
of wall clock and of CPU since the interpreter was started (``BENCH_STARTED``, a time) and for each run, and the bytes
that a run logs.
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
    from annex_lease.handler import handler

    found: dict[str, list[float]] = {"wall": [time.time() - float(os.environ["BENCH_STARTED"])], "cpu": [_cpu()]}
    log = io.StringIO()
    for _ in range(runs):
        wall, cpu = time.perf_counter(), _cpu()
        with contextlib.redirect_stdout(log):
            handler({"check": "scheduled"}, _Context())
        found["wall"].append(time.perf_counter() - wall)
        found["cpu"].append(_cpu() - cpu)
    print(json.dumps({**found, "log": len(log.getvalue()) / runs}))  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]))
