"""The files of the project, for the tests that read all of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def project_files() -> list[Path]:
    """Every file of the project, committed or not, except what .gitignore names."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in sorted({*out.split("\0")} - {""}) if (path := ROOT / name).is_file()]


def sources(room: str) -> list[Path]:
    """The Python files of a package or a directory, or the one file of this name."""
    path = ROOT / room
    found = [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert found, f"no source below {room}"
    return found
