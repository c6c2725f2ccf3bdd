"""The command refuses wrong arguments with one clear error."""

import subprocess
import sys
from pathlib import Path

import pytest

from .driving import ROOT, free_port


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--bind", "192.0.2.1:1"], 1, "error: cannot serve on 192.0.2.1:1 and"),
        (["--machines", "paper"], 2, "invalid choice: 'paper'"),
        (["--tls-cert", "only.pem"], 2, "--tls-cert and --tls-key go together"),
        (["--tls-cert", "no.pem", "--tls-key", "no.key"], 2, "there is no file no.pem"),
        (["--machines", "qemu"], 1, "error: this must run inside the lab's sandbox"),
    ],
)
def test_bad_arguments(tmp_path: Path, words: list[str], status: int, message: str) -> None:
    state = str(tmp_path / "state")
    good = ["--bind", f"127.0.0.1:{free_port()}", "--metadata", f"127.0.0.1:{free_port()}", "--state", state]
    command = [sys.executable, "-m", "lab.cloud", *good, "--machines", "none", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
