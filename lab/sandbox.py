"""Sandbox of one lab: own network, processes and mounts. It ends with its first process.

A program inside sees the host's files, an empty network, an empty /run, and no process of the host. The kernel
removes its interfaces, namespaces, mounts, processes and files below ``directory()`` with the sandbox, also after
kill -9 of the outer command.

Three processes take part: the *outer* one (the command the user typed) waits; the *first* process of the sandbox
(`lab.sandbox_init`) mounts, passes signals on and collects orphans; its child is the command itself.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from lab import LabError
from lab.processes import require

VARIABLE = "ANNEX_LAB_DIRECTORY"  # set inside, to:
DIRECTORY = Path("/run/annex-lab")  # on the sandbox's own /run, so the host has neither it nor its files
NAMESPACES = ("--mount", "--pid", "--net", "--ipc", "--uts")
FORWARDED = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
FROM_KERNEL = 0x80  # si_code of Ctrl-C: the kernel has sent it to every foreground process of the terminal already
REPOSITORY = Path(__file__).parents[1]
FIRST_PROCESS_SECONDS = 10.0


def inside() -> bool:
    """True if this process runs in a sandbox."""
    return VARIABLE in os.environ


def directory() -> Path:
    """Directory of the lab's files at run time: in memory, removed with the sandbox.

    Raises:
        LabError: this process is not in a sandbox.
    """
    if not inside():
        raise LabError("this must run inside the lab's sandbox; start it with `python -m lab`")
    return Path(os.environ[VARIABLE])


def rerun(*, state_file: Path | None = None) -> int:
    """Runs the command that this process was started with once more, inside a new sandbox; see ``run_inside``."""
    return run_inside([sys.executable, *sys.orig_argv[1:]], state_file=state_file)


def run_inside(command: Sequence[str], *, state_file: Path | None = None) -> int:
    """Runs ``command`` in a new sandbox; returns its exit status, or 128 + n when signal n ended it.

    While it runs, ``state_file`` (if given) identifies it for ``entering``. TERM, HUP and INT are passed on, and the
    command may take its time to stop in its own order. Processes that are left at its end are killed.

    Raises:
        LabError: not root, a program is missing, or a lab with this ``state_file`` is running.
    """
    if os.geteuid() != 0:
        raise LabError("the lab makes namespaces and bridges, which needs root; run it as root or with sudo")
    if state_file is not None and (pid := _running(state_file)) is not None:
        raise LabError(f"a lab is running already (its first process is {pid}, see {state_file}); end it first")
    for program in ("setpriv", "unshare", "nsenter", "ip", "mount"):
        require(program)
    # -c and not -m: the sandbox's first process finds this package wherever the command was started.
    first = f"import sys; sys.path.insert(0, {str(REPOSITORY)!r}); from lab.sandbox_init import main; main()"
    words = ["setpriv", "--pdeathsig", "KILL", "unshare", *NAMESPACES, "--fork", "--kill-child", "--mount-proc", "--"]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED | {signal.SIGCHLD})
    outer = subprocess.Popen([*words, sys.executable, "-c", first, *command])
    try:
        first_process = _first_process(outer)
        if state_file is not None and first_process is not None:
            state_file.parent.mkdir(parents=True, exist_ok=True)
            state_file.write_text(json.dumps({"pid": first_process, "started": _started(first_process)}))
        status = _wait(outer, first_process)
    finally:
        outer.kill()
        outer.wait()
        if state_file is not None:
            state_file.unlink(missing_ok=True)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return status if status >= 0 else 128 - status


def entering(state_file: Path, command: Sequence[str], *, namespace: str | None = None) -> list[str]:
    """Arguments of a command that runs ``command`` inside the running lab, for instance from another terminal.

    Args:
        state_file: the one of ``run_inside``.
        command: program and arguments.
        namespace: a named network namespace of the sandbox; by default its own, which is the cloud's.

    Raises:
        LabError: no lab is running with this ``state_file``.
    """
    pid = _running(state_file)
    if pid is None:
        raise LabError(f"no lab is running (by {state_file}); start one, for instance `python -m lab demo --keep`")
    prefix = ["nsenter", "--target", str(pid), "--mount", "--pid", "--net", "--ipc", "--uts", "--wd", "--"]
    prefix += ["env", f"{VARIABLE}={DIRECTORY}", f"TMPDIR={DIRECTORY / 'tmp'}"]
    return [*prefix, *(("ip", "netns", "exec", namespace) if namespace else ()), *command]


def is_running(state_file: Path) -> bool:
    """True if the lab that was started with this ``state_file`` is running."""
    return _running(state_file) is not None


def stop_on_signals() -> None:
    """Makes TERM and HUP raise KeyboardInterrupt, as Ctrl-C does, so that the command stops its parts in order."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # once: a second one must not interrupt the stopping
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


def _wait(outer: subprocess.Popen[bytes], first_process: int | None) -> int:
    while (status := outer.poll()) is None:
        received = signal.sigwaitinfo(FORWARDED | {signal.SIGCHLD})
        if received.si_signo != signal.SIGCHLD and received.si_code != FROM_KERNEL and first_process is not None:
            os.kill(first_process, received.si_signo)
    return status


def _first_process(outer: subprocess.Popen[bytes]) -> int | None:
    """Process id, outside, of the sandbox's first process; None if the sandbox could not be made."""
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    deadline = time.monotonic() + FIRST_PROCESS_SECONDS
    while outer.poll() is None and time.monotonic() < deadline:
        if found := children.read_text().split():
            return int(found[0])
        time.sleep(0.01)
    return None


def _running(state_file: Path) -> int | None:
    """First process of the lab of ``state_file``; None if it is gone, even if its number is in use again."""
    try:
        state = json.loads(state_file.read_text())
        alive = _started(int(state["pid"])) == state["started"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # no file, a file of a lab that was killed, or not ours
    return int(state["pid"]) if alive else None


def _started(pid: int) -> int:
    """Start time of a process that has not ended, in clock ticks since boot.

    Fields 3 and 22 of https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html. Raises ProcessLookupError.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError as error:
        raise ProcessLookupError(pid) from error
    if fields[0] in "ZX":  # ended, but its parent has not read its status yet
        raise ProcessLookupError(pid)
    return int(fields[19])
