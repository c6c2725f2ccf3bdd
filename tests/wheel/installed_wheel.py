"""Virtual environments in which a wheel is installed, and the files that it is built from."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK_THE_CDK = """\
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"aws_cdk", "constructs", "jsii"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
"""


class Installed:
    """A virtual environment with the wheel."""

    def __init__(self, path: Path, wheel: Path, *, borrow: bool, cdk: bool = True) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(path)], check=True)
        self.path, self.python = path, path / "bin/python"
        (self.packages,) = path.glob("lib/python*/site-packages")
        install = [
            "-m",
            "pip",
            "--python",
            str(self.python),
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            str(wheel),
        ]
        subprocess.run([sys.executable, *install], check=True, umask=0o022)
        if borrow:
            # The libraries of the environment that runs the tests; its editable installation is not among them.
            (self.packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
        if not cdk:
            # Not as sitecustomize: Debian's own Python brings one, which is found before that of an environment.
            (self.packages / "block_the_cdk.py").write_text(BLOCK_THE_CDK)
            (self.packages / "block_the_cdk.pth").write_text("import block_the_cdk\n")

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        env = {"PATH": f"{self.path / 'bin'}:{os.environ['PATH']}", "HOME": str(cwd)}
        return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def tracked() -> list[str]:
    """Files of the project, committed or not, except what .gitignore names."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in {*out.split("\0")} - {""} if (ROOT / name).is_file())
