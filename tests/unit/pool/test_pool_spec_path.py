"""The command with any path of a spec file in its environment: one error, and no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("path", "received"),
    [
        (b"", "No such file"),
        (b"/", "Is a directory"),
        (b"none/annexes.toml", "No such file"),
        (b"\xff\xfe", "No such file"),
        (b"a" * 300, "File name too long"),
        (b"/dev/null", "nothing"),
        (b"/dev/zero", "more than 1048576 bytes"),
    ],
)
def test_a_path_in_the_environment(path: bytes, received: str) -> None:
    # The plainest locale, in which Python can print no other character.
    environment = {
        **os.environb,
        b"ANNEX_SPEC": path,
        b"LC_ALL": b"C",
        b"PYTHONUTF8": b"0",
        b"PYTHONCOERCECLOCALE": b"0",
    }
    command = [sys.executable, "-m", "annex_pool", "plan", "demo"]
    done = subprocess.run(command, cwd=ROOT / "docs", env={**environment, b"PYTHONPATH": os.fsencode(ROOT)},
                          capture_output=True, check=False)  # fmt: skip
    said = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 2, said
    assert done.stdout == b""
    assert f"received: {received}" in said
    assert "allowed: " in said and "fix: " in said
    assert "Traceback" not in said
