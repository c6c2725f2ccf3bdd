"""One demonstration, observed apart from others that run at the same time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import LabError, sandbox
from lab.network import POOL_NAMESPACE
from lab.operator import SAVED

ROOT = Path(__file__).parents[2]
# Limits for a process that hangs, no promise of speed.
COMMAND_SECONDS = 600
STOP_SECONDS = 300


def traces(temporary: Path) -> dict[str, set[str]]:
    """Resources that a lab could leave on the host, without processes.

    Args:
        temporary: directory for the temporary files of this lab only. Other labs use the shared one.
    """
    listing = {
        "interfaces": ["ip", "-o", "-br", "link"],
        "namespaces": ["ip", "netns", "list"],
        "mounts": ["cat", "/proc/self/mounts"],
    }
    found = {k: set(subprocess.run(v, capture_output=True, text=True, check=True).stdout.splitlines())
             for k, v in listing.items()}  # fmt: skip
    files = [*Path("/run").glob("*annex*"), *Path("/tmp").glob("*annex-lab*"), *temporary.iterdir()]
    return {**found, "temporary files": {str(file) for file in files}}


def left(before: dict[str, set[str]], now: dict[str, set[str]]) -> dict[str, set[str]]:
    """Resources that are new since then. The state file of a killed lab may be gone by now."""
    return {kind: now[kind] - before[kind] for kind in now if now[kind] - before[kind]}


class RunningDemo:
    """A started demonstration: its output, and its processes on the host."""

    def __init__(self, process: subprocess.Popen[str], state_file: Path, output: Path) -> None:
        self.process = process
        self._state_file = state_file
        self._output = output
        self._namespaces: set[str] = set()  # of its sandbox's processes; known even when they are all gone

    def printed(self) -> str:
        return self._output.read_text()

    def processes(self) -> dict[int, str]:
        """Command lines of its processes: the command itself, and those in its sandbox."""
        self._look_for_sandbox()
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                mine = f"={self._state_file}\0".encode() in (entry / "environ").read_bytes()
                if mine or str((entry / "ns/pid").readlink()) in self._namespaces:
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue  # ended meanwhile
        return found

    def machines(self) -> list[int]:
        return [pid for pid, words in self.processes().items() if "qemu-system" in words]

    def inside(self, *words: str) -> str:
        """Output of a command on the pool's host; empty while there is no pool, or no answer yet.

        As `python -m lab exec` runs it, without starting Python: the machines boot with what an onlooker leaves them.
        """
        try:
            enter = sandbox.entering(self._state_file, words, namespace=POOL_NAMESPACE)
            first = json.loads(self._state_file.read_text())["pid"]
            saved = json.loads(Path(f"/proc/{first}/root{sandbox.DIRECTORY}/{SAVED}").read_text())
        except (LabError, OSError, ValueError):
            return ""
        done = subprocess.run(enter, env=saved, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                              timeout=COMMAND_SECONDS)  # fmt: skip
        return done.stdout if done.returncode == 0 else ""

    def environment(self) -> dict[str, str]:
        return environment(self._state_file)

    def _look_for_sandbox(self) -> None:
        try:
            first = json.loads(self._state_file.read_text())["pid"]
            self._namespaces.add(str(Path(f"/proc/{first}/ns/pid").readlink()))
        except (OSError, ValueError):
            return  # not yet, or no longer


def environment(state_file: Path) -> dict[str, str]:
    own = {"ANNEX_LAB_STATE_FILE": str(state_file), "TMPDIR": str(state_file.with_name("tmp"))}
    return {**os.environ, "COLUMNS": "160", "PYTHONUNBUFFERED": "1", **own}


@contextmanager
def demonstration(directory: Path, *words: str) -> Iterator[RunningDemo]:
    """Context with a running `python -m lab demo`, which ends with the block and must leave nothing."""
    state_file, output, temporary = directory / "state.json", directory / "printed", directory / "tmp"
    temporary.mkdir()
    before = traces(temporary)
    # A shell starts a background program with SIGINT ignored, and the program keeps that.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "lab", "demo", *words]
    with output.open("w") as printed:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=printed, text=True,
                                   stderr=subprocess.STDOUT, env=environment(state_file))  # fmt: skip
    demo = RunningDemo(process, state_file, output)
    try:
        yield demo
    finally:
        demo.processes()  # while its sandbox can still be found
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        finally:
            process.kill()  # with it the kernel ends its sandbox
    running, remains = demo.processes(), left(before, traces(temporary))
    assert running == {}, running
    assert remains == {}, remains
