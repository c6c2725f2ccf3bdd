"""Watchdog of a run: cleans up when the run's process is gone without having done so.

It has a session of its own, so that neither the terminal nor a signal to the run's processes ends it. It reads a pipe
that only the run holds open: the kernel closes it with the run, also after kill -9.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from annex_pool.command_error import AnnexError
from annex_pool.region import Connections
from verify.cdk import end_group
from verify.cleanup import Cleanup
from verify.run import Run

PROGRAM = (sys.executable, "-m", "verify.watchdog")
READY, DONE = "ready", "done"
_END_SECONDS = 60.0
# CloudFormation may still make a stack, by a request that was under way when the run was killed.
_JOIN_SECONDS = 0.5
_PAUSE_SECONDS, _CLEAN_IN_A_ROW, _HOURS = 20.0, 2, 1.0


class Watchdog:
    """The watchdog's process, as the run sees it."""

    def __init__(self, run: Run, group: int, log: Path, program: Sequence[str] = PROGRAM) -> None:
        """Start it, and wait until it watches.

        Args:
            run: the run to clean up after.
            group: process group to end before that.
            log: file for its messages.
            program: command of the process. Default: `PROGRAM`.

        Raises:
            RuntimeError: it did not start.
        """
        words = [*program, run.id, run.region, str(group), str(log)]
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, text=True
        )
        if self._process.stdout is None or self._process.stdout.readline().strip() != READY:
            self._process.kill()
            raise RuntimeError(f"the watchdog did not start; see {log}")

    def dismiss(self) -> None:
        """End it: the run has cleaned up."""
        self._process.communicate(f"{DONE}\n", timeout=_END_SECONDS)

    @property
    def id(self) -> int:
        """Id of its process."""
        return self._process.pid


def watch(run: Run, group: int, log: Path) -> int:
    """Wait for the end of the run; clean up if it did not say that it has.

    Returns:
        0 if nothing is left.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)

    def say(text: str) -> None:
        with suppress(OSError), log.open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%H:%M:%S')} {text}\n")

    connect = Connections()
    print(READY, flush=True)  # noqa: T201 - the run waits for it
    if DONE in sys.stdin.read():
        return 0
    say(f"run {run.id} is gone; cleaning up")
    for _ in range(2):
        # A process that was just being started joins its group a moment later.
        end_group(group)
        time.sleep(_JOIN_SECONDS)
    end, clean = time.monotonic() + 3600 * _HOURS, 0
    left: tuple[str, ...] = ()
    while clean < _CLEAN_IN_A_ROW and time.monotonic() < end:
        try:
            left = Cleanup(connect(run.region), run.id, say).clean()
        except AnnexError as error:  # the credentials, which may come back: SSO, a new session
            left = (str(error),)
        clean = 0 if left else clean + 1
        say(f"left: {'; '.join(left) or 'nothing'}")
        time.sleep(_PAUSE_SECONDS)
    say("done" if not left else "gave up: run scripts/verify-account --clean")
    return 1 if left else 0


def main(words: Sequence[str]) -> int:
    """Run as a process of its own; the words are those of `Watchdog`."""
    parser = argparse.ArgumentParser(prog="verify.watchdog")
    parser.add_argument("run")
    parser.add_argument("region")
    parser.add_argument("group", type=int)
    parser.add_argument("log", type=Path)
    asked = parser.parse_args(words)
    return watch(Run(asked.run, asked.region), asked.group, asked.log)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
