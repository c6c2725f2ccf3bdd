"""Runner of this directory's scenarios in a pool of two machines."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from annex_boot.archive import boot_archive
from annex_boot.settings import EpSettings

REPOSITORY = Path(__file__).parents[2]
TESTBED = Path(__file__).parent / "testbed.sh"
SETTINGS = EpSettings(
    annex="demo",
    credential_arn="arn:aws:secretsmanager:us-east-1:123456789012:secret:Annex-demo-AbCdEf",
    collector="cm.example.edu:9618",
    trust_domain="example.edu",
    root_device="/dev/xvda",
    archive="example-bucket/assets/0123.gz",
    archive_digest=hashlib.sha256(boot_archive()).hexdigest(),
    times={
        "drain_before_end": 10,
        "idle_timeout": 40,
        "join_timeout": 900,
        "shutdown_after_end": 600,
    },
    protect_busy=True,
)


@dataclass(frozen=True)
class Bed:
    """A pool and an execution point in namespaces, each a copy of the machine image's root directory."""

    root: Path
    user_data: Path
    archive: Path

    def run(self, scenario: str, **environment: str) -> dict[str, str]:
        """Run a scenario; return what it found. Prints everything, for the report of a failure.

        The scenario also sees ``python``, this interpreter, and the given variables.

        Each wait in a scenario has a limit of its own; the one here is for what hangs.
        """
        namespaces = ["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
        done = subprocess.run(
            [
                "unshare",
                *namespaces,
                "bash",
                str(TESTBED),
                str(self.root),
                str(self.user_data),
                str(self.archive),
                scenario,
            ],
            env=os.environ | {"PYTHONPATH": str(REPOSITORY), "python": sys.executable} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1500,
            check=False,
        )
        print(done.stdout)
        found = {}
        for line in done.stdout.splitlines():
            if line.startswith("RESULT "):
                name, _, value = line.removeprefix("RESULT ").partition(" ")
                found[name] = value.strip()
            elif line.startswith("VALUE "):
                name, _, value = line.removeprefix("VALUE ").partition(" = ")
                found[name] = value.strip()
        return found
