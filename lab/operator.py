"""Commands of an operator or user on the pool's host: `annex`, `cdk`, HTCondor's tools."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.image.store import cache_directory
from lab.sandbox import directory
from lab.steps import StepError

REPOSITORY = Path(__file__).parents[1]
REGION = "us-east-1"
ACCOUNT = "000000000000"
SAVED = "operator.json"
COMMAND_SECONDS = 900.0  # no promise: cdk and annex give up by themselves; this is for what hangs


@dataclass(frozen=True)
class Operator:
    """Commands on the pool's host: inside its network namespace, with the lab's AWS credentials.

    ``tools`` holds the pool's HTCondor commands, ``home`` is an empty home of its own: neither configuration nor
    credentials of the person who runs the lab reach these commands.
    """

    namespace: str
    home: Path
    tools: Path
    authority: Path
    spec: Path

    def environment(self) -> dict[str, str]:
        venv = Path(sys.executable).parent
        return {
            "PATH": f"{self.tools}:{venv}:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.home),
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),  # noqa: S108  the sandbox's own, which vanishes with it
            "TERM": os.environ.get("TERM", "dumb"),
            "LANG": "C.UTF-8",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CA_BUNDLE": str(self.authority),
            "AWS_PAGER": "",  # the image has no pager
            "NODE_EXTRA_CA_CERTS": str(self.authority),
            "CONDOR_CONFIG": str(self.home / "condor_config"),
            "ANNEX_SPEC": str(self.spec),
            "CDK_DISABLE_CLI_TELEMETRY": "true",
            # What jsii unpacks, by content, for all labs: to unpack it takes as long as a synthesis.
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(cache_directory() / "jsii"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def shell_environment(self) -> dict[str, str]:
        """Environment of a shell: `annex` reads the annexes.toml of the directory, as `cdk` does."""
        return {key: value for key, value in self.environment().items() if key != "ANNEX_SPEC"}

    def save_environment(self) -> None:
        """Stores the environment for commands that enter the sandbox later."""
        (directory() / SAVED).write_text(json.dumps(self.environment()))

    @staticmethod
    def saved_environment() -> dict[str, str]:
        """Environment that ``save_environment`` stored."""
        saved: dict[str, str] = json.loads((directory() / SAVED).read_text())
        return saved

    def command(self, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.namespace, *words]

    def run(self, *words: str, stdin: str = "", seconds: float = COMMAND_SECONDS, check: bool = True) -> str:
        """Returns the output of the command.

        Raises:
            StepError: it exited non-zero (and ``check``), or took longer than ``seconds``.
        """
        shown = " ".join(words)
        try:
            done = subprocess.run(
                self.command(*words),
                env=self.environment(),
                cwd=REPOSITORY,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            raise StepError(f"`{shown}` took longer than {seconds:.0f} s: {late.stdout!r} {late.stderr!r}") from late
        if check and done.returncode != 0:
            raise StepError(f"`{shown}` exited {done.returncode}:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        return done.stdout

    def bootstrap(self) -> None:
        """`cdk bootstrap`, from an empty directory: with the account named it need not synthesise the app."""
        self.run("env", "-C", str(self.home), "cdk", "bootstrap", f"aws://{ACCOUNT}/{REGION}", "--no-notices", "--ci")

    def cdk(self, *words: str, seconds: float = COMMAND_SECONDS) -> str:
        return self.run("cdk", *words, "-c", f"annexes={self.spec}", "--output", str(self.home / "cdk.out"),
                        "--no-notices", "--ci", seconds=seconds)  # fmt: skip

    def annex(self, *words: str) -> str:
        return self.run("annex", *words)

    def status(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("annex", "status", name, "--json"))
        return found
