"""Runner of a check's stages, side by side: output, duration and result of each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import FrameType

POLL_SECONDS = 0.1
STOP_SECONDS = 60.0  # for each of INT and TERM; a lab needs some seconds to stop its machines in order
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Stage:
    """One command of a check.

    Args:
        name: name in options and reports.
        command: program and arguments.
        cores: how many cores it keeps busy, on average. Stages run side by side as long as the sum fits.
        needs: names of the stages that must have passed before it starts.
        nice: its niceness; 0 by default. A stage that only computes leaves the cores to those that watch a clock.
    """

    name: str
    command: tuple[str, ...]
    cores: float
    needs: tuple[str, ...] = ()
    nice: int = 0


class Status(StrEnum):
    """Result of a stage; only PASSED is success."""

    PASSED = "passed"
    FAILED = "FAILED"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True)
class Outcome:
    """The end of one stage: wall time and processor time in seconds, and why it did not pass."""

    stage: Stage
    status: Status
    seconds: float = 0.0
    processor_seconds: float = 0.0
    reason: str = ""


@dataclass
class _Running:
    stage: Stage
    process: subprocess.Popen[bytes]
    log: Path
    began: float


@dataclass
class Runner:
    """Runs stages in their order, as many at once as the cores allow.

    Args:
        stages: those to run. A stage whose needs are not among them does not wait for those.
        cores: how many cores there are. A stage that wants more runs when no other does.
        logs: an existing directory; each stage's output is kept there, in a file of its name.
    """

    stages: Sequence[Stage]
    cores: float
    logs: Path
    outcomes: list[Outcome] = field(default_factory=list)
    _waiting: list[Stage] = field(default_factory=list)
    _running: list[_Running] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _signalled: str = ""

    def run(self) -> list[Outcome]:
        """Runs every stage that can run; one that cannot has an outcome too. Outcomes are in the order of the stages.

        INT, TERM and HUP end the running stages, first with the signal of Ctrl-C; the rest is then not run.
        """
        self._waiting = list(self.stages)
        before = self._catch_signals()
        try:
            while self._waiting or self._running:
                if self._signalled:
                    self._stop_all(f"ended by {self._signalled}")
                    break
                self._give_up_blocked()
                self._start_what_fits()
                self._collect()
                if self._running:
                    time.sleep(POLL_SECONDS)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return sorted(self.outcomes, key=lambda outcome: self.stages.index(outcome.stage))

    def _catch_signals(self) -> dict[int, signal._HANDLER]:
        """Lets INT, TERM and HUP end the run; returns the handlers there were.

        They are only noted: an exception between the start of a stage and its record would lose the stage. A shell
        starts what runs in the background with INT ignored. It is caught here even then: what is ignored stays ignored
        in every program that the stages start, and some of them are asked to end by INT.
        """
        began_ignoring = signal.getsignal(signal.SIGINT) is signal.SIG_IGN

        def note(number: int, _frame: FrameType | None) -> None:
            if number != signal.SIGINT or not began_ignoring:
                self._signalled = self._signalled or signal.Signals(number).name

        return {number: signal.signal(number, note) for number in SIGNALS}

    def _give_up_blocked(self) -> None:
        """Skips stages that need a stage that did not pass."""
        bad = {outcome.stage.name for outcome in self.outcomes if outcome.status is not Status.PASSED}
        for stage in list(self._waiting):
            if missing := [name for name in stage.needs if name in bad]:
                bad.add(stage.name)
                self._waiting.remove(stage)
                self._end(Outcome(stage, Status.NOT_RUN, reason=f"needs {' and '.join(missing)}"))

    def _start_what_fits(self) -> None:
        pending = {each.name for each in self._waiting} | {each.stage.name for each in self._running}
        for stage in list(self._waiting):
            used = sum(each.stage.cores for each in self._running)
            fits = used + stage.cores <= self.cores or not self._running
            if fits and not pending.intersection(stage.needs):
                self._waiting.remove(stage)
                self._start(stage)

    def _start(self, stage: Stage) -> None:
        log = self.logs / f"{stage.name}.log"
        words = ["nice", "-n", str(stage.nice), *stage.command] if stage.nice else list(stage.command)
        self._say(f"started  {stage.name}")
        try:
            with log.open("wb") as output:
                # A session of its own: Ctrl-C in the terminal reaches the runner alone, which ends the stages in order.
                process = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
                )
        except OSError as error:
            self._end(Outcome(stage, Status.NOT_RUN, reason=str(error)))
            return
        self._running.append(_Running(stage, process, log, time.monotonic()))
        if stage.nice:
            # Where the kernel groups processes by session, the niceness of the group counts: sched(7), autogroup.
            with suppress(OSError):
                Path(f"/proc/{process.pid}/autogroup").write_text(str(stage.nice))

    def _collect(self) -> None:
        for running in list(self._running):
            pid, status, usage = os.wait4(running.process.pid, os.WNOHANG)
            if pid == 0:
                continue
            self._running.remove(running)
            code = running.process.returncode = os.waitstatus_to_exitcode(status)
            took = time.monotonic() - running.began
            used = usage.ru_utime + usage.ru_stime
            passed = Status.PASSED if code == 0 else Status.FAILED
            self._end(Outcome(running.stage, passed, took, used, "" if code == 0 else _cause(code)))
            if code:
                self._show(running.log)

    def _stop_all(self, why: str) -> None:
        for number in STOPPING:
            for running in self._running:
                signal_group(running.process.pid, number)
            until = time.monotonic() + STOP_SECONDS
            while self._running and time.monotonic() < until:
                for running in list(self._running):
                    if running.process.poll() is not None:
                        self._running.remove(running)
                        signal_group(running.process.pid, signal.SIGKILL)  # what the stage's first process left behind
                        took = time.monotonic() - running.began
                        self._end(Outcome(running.stage, Status.FAILED, took, reason=why))
                time.sleep(POLL_SECONDS)
        for stage in self._waiting:
            self._end(Outcome(stage, Status.NOT_RUN, reason=why))
        self._waiting.clear()

    def _end(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        took = f" after {outcome.seconds:.0f} s, {outcome.processor_seconds:.0f} s cpu" if outcome.seconds else ""
        because = f": {outcome.reason}" if outcome.reason else ""
        self._say(f"{outcome.status}  {outcome.stage.name}{took}{because}")

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:7.1f}s  {text}", flush=True)  # noqa: T201  the runner's own output

    def _show(self, log: Path) -> None:
        print(f"--- {log.stem}, whole", flush=True)  # noqa: T201
        with log.open("rb") as output:
            sys.stdout.buffer.writelines(output)
        print(f"--- end of {log.stem}", flush=True)  # noqa: T201


def table(outcomes: Sequence[Outcome]) -> str:
    """The outcomes as text: status, wall and processor seconds, name, reason, one line each."""
    lines = ["status     wall     cpu  stage"]
    for each in outcomes:
        because = f"  ({each.reason})" if each.reason else ""
        name = each.stage.name
        lines.append(f"{each.status:8} {each.seconds:5.0f} s {each.processor_seconds:5.0f} s  {name}{because}")
    return "\n".join(lines)


def signal_group(leader: int, number: signal.Signals) -> None:
    """Sends a signal to a process group; harmless when it is gone."""
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        return


def _cause(code: int) -> str:
    return f"exit status {code}" if code > 0 else f"ended by signal {-code}"
