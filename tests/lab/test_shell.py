"""`python -m lab shell`: the pool's host of a new lab, with the tools of an operator and nothing deployed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
SCRIPT = """\
echo "spec: ${ANNEX_SPEC:-none}"
condor_reconfig
aws sts get-caller-identity --query Account
aws autoscaling describe-auto-scaling-groups --query AutoScalingGroups
exit 7
"""


def test_the_tools_answer_and_the_status_is_that_of_the_command(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    done = subprocess.run(
        [sys.executable, "-m", "lab", "shell", "--machines", "none", "--", "bash", "-c", SCRIPT],
        cwd=REPOSITORY,
        env={**os.environ, "ANNEX_LAB_STATE_FILE": str(state)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 7, done.stdout + done.stderr
    assert done.stdout.splitlines() == [
        "spec: none",
        'Sent "Reconfig" command to local master',
        '"000000000000"',
        "[]",
    ], done.stderr
    assert not state.exists()


def test_without_a_command_it_is_a_shell(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lab", "shell", "--machines", "none"],
        cwd=REPOSITORY,
        env={**os.environ, "ANNEX_LAB_STATE_FILE": str(tmp_path / "state.json")},
        input='echo "this is $BASH in $PWD"\n',
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.strip()) == (0, f"this is /usr/bin/bash in {REPOSITORY}"), done.stderr
