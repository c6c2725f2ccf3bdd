"""A demonstration that is kept running, and one that is interrupted."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

from lab.__main__ import ENTER, LOOKS
from lab.demo import STACK
from tests.demo.running_demo import ROOT, STOP_SECONDS, RunningDemo, demonstration

SILENCE_SECONDS = 900  # longer than any step of a demonstration may wait by itself without anything new


def await_line(demo: RunningDemo, words: str) -> list[str]:
    """Everything it printed up to the line that holds the words."""
    seen, until = "", time.monotonic() + SILENCE_SECONDS
    while words not in (printed := demo.printed()):
        if printed != seen:
            seen, until = printed, time.monotonic() + SILENCE_SECONDS
        assert demo.process.poll() is None, f"it ended without {words!r}:\n{printed}"
        assert time.monotonic() < until, f"nothing new for {SILENCE_SECONDS} s:\n{printed}"
        time.sleep(0.2)
    return printed.splitlines()


def test_keep_leaves_it_running_and_its_hints_work(tmp_path: Path) -> None:
    with demonstration(tmp_path, "--keep") as demo:
        lines = await_line(demo, "Ctrl-C here")
        hints = [line.strip() for line in lines if "python -m lab exec" in line]
        assert hints == [f"{ENTER}{words}" for words in LOOKS], lines
        said = {}
        for hint in hints:
            done = subprocess.run(["bash", "-c", hint], cwd=ROOT, capture_output=True, text=True, check=False, input="",
                                  env=demo.environment())  # fmt: skip
            assert done.returncode == 0, (hint, done.stdout, done.stderr)
            said[hint.removeprefix(ENTER)] = done.stdout + done.stderr
        assert said["condor_status"].count(".annex-demo.pool.lab") >= 2
        assert "active" in said["annex status demo"]
        assert "the lease checker would do" in said["annex check demo --dry-run"]
        assert "at worst" in said["annex plan demo"]
        assert "no differences" in said[f"cdk diff {STACK} -c annexes=lab/annexes.toml"].lower()
        assert len(demo.machines()) == 2
        demo.process.send_signal(signal.SIGTERM)
        demo.process.wait(STOP_SECONDS)
    assert demo.process.returncode == 0, demo.printed()


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    with demonstration(tmp_path) as demo:
        await_line(demo, "cdk bootstrap")
        assert any("lab.cloud" in words for words in demo.processes().values())
        demo.process.send_signal(signal.SIGINT)
        demo.process.wait(STOP_SECONDS)
    assert demo.process.returncode != 0
    assert "interrupted" in demo.printed()
