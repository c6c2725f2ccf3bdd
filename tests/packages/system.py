"""Runs install files in a root directory, against a package server in network namespaces of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from annex_boot.installation import DIRECTORY, install_command, install_files
from lab.ca import Authority
from lab.package_server import HOSTS

REPOSITORY = Path(__file__).parents[2]
TESTBED = Path(__file__).with_name("system.sh")
NAMESPACES = ("--mount", "--net", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc")
NAMES = (*HOSTS, "mirror.system.lab")


@dataclass(frozen=True)
class System:
    """A machine: the root directory below, files over it, and the directories that the package server has.

    Attributes:
        lower: root directory.
        directory: directory for the files and the server's certificate; each system has its own.
    """

    lower: Path
    directory: Path

    def write(self, path: str, text: str) -> None:
        """Writes a file of the machine."""
        file = self.directory / "files" / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def install(self, *served: Path, series: str = "25.x", after: str = "", **settings: str) -> tuple[int, list[str]]:
        """Runs `install`, then a command; returns the status of `install` and the lines of all output."""
        assigned = "".join(f"{name}={value} " for name, value in settings.items())
        command = f"{assigned}{self.prepared(series)}; status=$?; {after or ':'}; exit $status"
        return self.run(command, *served)

    def prepared(self, series: str = "25.x") -> str:
        """Writes the install files, and returns the command that installs."""
        for name, text in install_files().items():
            self.write(DIRECTORY + name, text)
        return install_command(series)

    def run(self, command: str, *served: Path) -> tuple[int, list[str]]:
        """Runs a command; returns its status and the lines of its output."""
        certificate, key = self.directory / "server.crt", self.directory / "server.key"
        authority = Authority(self.directory / "authority")
        authority.create()
        authority.issue(certificate, key)
        self.write("etc/hosts", f"127.0.0.1 localhost {' '.join(NAMES)}\n")
        values = {
            "lower": self.lower,
            "files": self.directory / "files",
            "served": " ".join(map(str, served)),
            "certificate": certificate,
            "key": key,
            "authority": authority.certificate,
            "python": sys.executable,
            "PYTHONPATH": REPOSITORY,
        }
        done = subprocess.run(
            ["unshare", *NAMESPACES, "bash", str(TESTBED), command],
            env=os.environ | {name: str(value) for name, value in values.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )
        print(done.stdout)
        return done.returncode, done.stdout.splitlines()
