"""The watchdog cleans up when the run is gone, and only then; the processes of the run end before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.project_files import ROOT
from verify.cdk import ProcessGroup
from verify.session import one_interrupt

# A run: it starts the watchdog, and a child in its process group.
RUNNER = """
import subprocess, sys, time
from pathlib import Path
from verify.cdk import ProcessGroup
from verify.run import Run
from verify.watchdog import Watchdog
group = ProcessGroup()
watchdog = Watchdog(Run("0a1b2c3d", "eu-west-1"), group.id, Path(sys.argv[1]), [sys.executable, sys.argv[2]])
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"], process_group=group.id)
print(child.pid, watchdog.id, flush=True)
if sys.argv[3] == "dismiss":
    group.close()
    watchdog.dismiss()
    sys.exit()
time.sleep(120)
"""
# The watchdog, with a clean-up that only notes that it was asked.
WATCHDOG = """
import sys
from verify import watchdog
class Noted:
    def __init__(self, aws, run, say):
        self.run, self.say = run, say
    def clean(self):
        self.say(f"asked to clean {self.run}")
        return ()
watchdog.Cleanup = Noted
watchdog._PAUSE_SECONDS = 0.1
sys.exit(watchdog.main(sys.argv[1:]))
"""
Start = Callable[[str], tuple[subprocess.Popen[str], int, int]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a run; gives its process, and the ids of its child and its watchdog."""
    (tmp_path / "run.py").write_text(RUNNER)
    (tmp_path / "watchdog.py").write_text(WATCHDOG)
    settings = {"PYTHONPATH": str(ROOT), "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
    words = [sys.executable, "-P", str(tmp_path / "run.py"), str(tmp_path / "log"), str(tmp_path / "watchdog.py")]
    started: list[subprocess.Popen[str]] = []

    def run(how: str) -> tuple[subprocess.Popen[str], int, int]:
        process = subprocess.Popen([*words, how], env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        child, watchdog = process.stdout.readline().split()
        return process, int(child), int(watchdog)

    yield run
    for process in started:
        process.kill()
        process.communicate()


def ended(pid: int) -> bool:
    """True if a process is gone, or only its parent has to read its status."""
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


def await_end(pid: int) -> None:
    until = time.monotonic() + 30
    while not ended(pid):
        assert time.monotonic() < until, f"process {pid} has not ended"
        time.sleep(0.05)


def test_after_a_kill_it_ends_the_processes_and_cleans_up(start: Start, tmp_path: Path) -> None:
    process, child, watchdog = start("wait")
    assert os.getsid(watchdog) == watchdog
    os.kill(watchdog, signal.SIGTERM)
    os.kill(watchdog, signal.SIGINT)
    process.kill()
    process.wait()
    await_end(child)
    await_end(watchdog)
    log = (tmp_path / "log").read_text()
    assert log.count("asked to clean 0a1b2c3d") == 2
    assert log.splitlines()[-1].endswith("done")


def test_a_run_that_cleaned_up_itself_dismisses_it(start: Start, tmp_path: Path) -> None:
    process, child, watchdog = start("dismiss")
    assert process.wait(30) == 0
    assert ended(child)
    assert ended(watchdog)
    assert not (tmp_path / "log").exists()


def test_the_first_signal_interrupts_and_the_next_ones_do_not() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with one_interrupt():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_process_group_ends_as_a_whole() -> None:
    group = ProcessGroup()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"], process_group=group.id)
    group.close()
    assert child.wait(10) == -signal.SIGKILL
