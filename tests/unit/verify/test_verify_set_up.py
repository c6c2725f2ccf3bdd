"""`scripts/verify-account` in a checkout without an environment: it makes its own, or refuses in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.project_files import ROOT
from verify.outcome import REFUSED

PYTHON = """#!/bin/bash
# The system's Python: `-c` is the question about its version, `-m venv DIRECTORY` makes an environment.
case "$1" in
-c) exit {version} ;;
-V) echo "Python 3.10.0" ;;
-m) mkdir -p "$3/bin" && cp fake/pip fake/python "$3/bin" ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the files that the set-up reads, and with a Python that starts nothing."""
    (tmp_path / "scripts").mkdir()
    for name in ("scripts/verify-account", "scripts/venv.sh", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    fake(tmp_path, "python3", PYTHON.format(version=0))
    fake(tmp_path, "pip", "#!/bin/bash\nexit 0\n")
    fake(tmp_path, "python", '#!/bin/bash\necho "run: $*"\nexit 3\n')
    return tmp_path


def fake(checkout: Path, name: str, text: str) -> None:
    path = checkout / "fake" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def run(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run it with almost no environment, from another directory."""
    elsewhere = checkout / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    environment = {"PATH": f"{checkout}/fake:{os.defpath}", "HOME": str(elsewhere)}
    return subprocess.run(
        ["/bin/bash", checkout / "scripts/verify-account", *words],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_run_makes_an_environment_and_the_second_one_finds_it(checkout: Path) -> None:
    for made in (True, False):
        done = run(checkout, "--only", "7")
        assert (done.returncode, done.stderr) == (3, ""), "the code is the command's"
        assert done.stdout.splitlines()[-1] == "run: -m verify --only 7"
        assert ("making .venv" in done.stdout) is made


def test_another_release_makes_its_environment_again(checkout: Path) -> None:
    run(checkout)
    (checkout / "requirements.txt").write_text("other\n")
    assert "making .venv" in run(checkout).stdout


@pytest.mark.parametrize(
    ("program", "text", "said"),
    [
        ("python3", PYTHON.format(version=1), "needs Python 3.11 or newer, found Python 3.10.0"),
        ("pip", "#!/bin/bash\nexit 1\n", "nothing was made in the account"),
        ("python3", "#!/bin/bash\n[ $1 = -c ]\n", "nothing was made in the account"),
    ],
)
def test_a_set_up_that_fails_is_a_refusal_and_is_tried_again(
    checkout: Path, program: str, text: str, said: str
) -> None:
    before = (checkout / "fake" / program).read_text()
    fake(checkout, program, text)
    done = run(checkout, "--list")
    assert done.returncode == REFUSED, "1 would say that an assumption is wrong"
    (line,) = done.stderr.splitlines()
    assert line.startswith("set-up: ")
    assert said in line
    assert "run:" not in done.stdout
    fake(checkout, program, before)
    assert run(checkout).returncode == 3
