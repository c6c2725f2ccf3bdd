"""A sandbox leaves the host as it was after every end of its command, and can be entered while it runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab import LabError, sandbox

REPOSITORY = Path(__file__).parents[2]
OUTER = """
import sys
from pathlib import Path
from lab.sandbox import run_inside
sys.exit(run_inside(sys.argv[2:], state_file=Path(sys.argv[1])))
"""
# Makes one resource of each kind, with an orphan in a session of its own, then waits or exits as its argument says.
INNER = """
import os, subprocess, sys, time
from pathlib import Path
from lab import sandbox
marker, result, then = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
sandbox.stop_on_signals()
subprocess.run(["sh", "-c", f"exec setsid sleep {marker} &"], check=True)
for words in ("ip netns add pool", "ip link add vpc0 type bridge",
              "ip link add here0 type veth peer name there0 netns pool", "mount -t tmpfs annex-test /mnt"):
    subprocess.run(words.split(), check=True)
(sandbox.directory() / "file").touch()
(Path(os.environ["TMPDIR"]) / marker).touch()
result.write_text("made")
if then != "wait":
    sys.exit(int(then))
try:
    time.sleep(600)
except KeyboardInterrupt:
    time.sleep(0.3)
    result.write_text("stopped in order")
    sys.exit(130)
"""


@pytest.fixture
def marker() -> Iterator[str]:
    """Argument of `sleep` that no other process of this machine has; afterwards nothing of the sandbox is left."""
    before = host()
    marker = f"600.{uuid.uuid4().int % 10**12}"
    yield marker
    assert eventually(lambda: not processes(marker)), "a process of the sandbox is alive"
    assert eventually(lambda: host() == before)


def host() -> dict[str, object]:
    return {
        "interfaces": sorted(p.name for p in Path("/sys/class/net").iterdir()),
        "namespaces": sorted(p.name for p in Path("/run/netns").glob("*")),
        "mounts": Path("/proc/mounts").read_text(),
        "run": Path("/run/annex-lab").exists(),
        "resolver": Path("/etc/resolv.conf").read_text(),
        "name": os.uname().nodename,
    }


def processes(marker: str) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"sleep" in words[0] and marker.encode() in words:
            found.append(int(entry.name))
    return found


def eventually(true: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def running(directory: Path, marker: str, then: str) -> Iterator[subprocess.Popen[bytes]]:
    """Outer process of a sandbox in which every resource has been made."""
    command = [sys.executable, "-c", INNER, marker, str(directory / "result"), then]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    # A shell starts a background program with SIGINT ignored, and the program keeps that.
    words = ["env", "--default-signal=INT", sys.executable, "-c", OUTER, str(directory / "state"), *command]
    with subprocess.Popen(words, env=environment, start_new_session=True) as outer:
        try:
            assert eventually((directory / "result").exists)
            yield outer
        finally:
            outer.kill()


@pytest.mark.parametrize("status", [0, 3])
def test_nothing_is_left_after_the_commands_end(tmp_path: Path, marker: str, status: int) -> None:
    with running(tmp_path, marker, str(status)) as outer:
        assert outer.wait(timeout=60) == status
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_lets_the_command_stop_in_order(tmp_path: Path, marker: str, number: signal.Signals) -> None:
    with running(tmp_path, marker, "wait") as outer:
        outer.send_signal(number)
        # INT to one process arrives as INT, from a terminal as INT to all; TERM and HUP become INT inside.
        assert outer.wait(timeout=60) == 130
    assert (tmp_path / "result").read_text() == "stopped in order"


def test_nothing_is_left_after_kill_9(tmp_path: Path, marker: str) -> None:
    with running(tmp_path, marker, "wait") as outer:
        assert processes(marker)
        outer.kill()
        outer.wait(timeout=60)
    assert eventually(lambda: not processes(marker))
    assert (tmp_path / "state").exists()
    assert eventually(lambda: not sandbox.is_running(tmp_path / "state"))
    with pytest.raises(LabError, match="no lab is running"):
        sandbox.entering(tmp_path / "state", ["true"])


def test_a_running_sandbox_can_be_entered(tmp_path: Path, marker: str) -> None:
    with running(tmp_path, marker, "wait") as outer:
        here = sandbox.entering(tmp_path / "state", ["ip", "-brief", "link"])
        assert "vpc0" in subprocess.run(here, check=True, capture_output=True, text=True).stdout
        there = sandbox.entering(tmp_path / "state", ["ip", "-brief", "link"], namespace="pool")
        assert "there0" in subprocess.run(there, check=True, capture_output=True, text=True).stdout
        same = sandbox.entering(tmp_path / "state", ["sh", "-c", "test -e $ANNEX_LAB_DIRECTORY/file && pwd"])
        assert subprocess.run(same, check=True, capture_output=True, text=True).stdout.strip() == str(Path.cwd())
        with pytest.raises(LabError, match="running already"):
            sandbox.run_inside(["true"], state_file=tmp_path / "state")
        outer.terminate()
        outer.wait(timeout=60)


def test_outside_there_is_no_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(sandbox.VARIABLE, raising=False)
    assert not sandbox.inside()
    with pytest.raises(LabError, match="python -m lab"):
        sandbox.directory()


def test_an_ordinary_user_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="needs root"):
        sandbox.run_inside(["true"])
