"""The CDK CLI as a subprocess: deployments of a run, in a process group that ends with the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from verify.outcome import NotRunError

ROOT = Path(__file__).parents[1]
DEPLOY_SECONDS = 20 * 60.0
_TAIL = 1500


@dataclass(frozen=True)
class Deployment:
    """A deployment that ended.

    Attributes:
        succeeded: True if it did what it was to do.
        output: the last of what the CLI printed.
    """

    succeeded: bool
    output: str


class ProcessGroup:
    """A process group that subprocesses join, so that another process can end them all, also those of a killed run."""

    def __init__(self) -> None:
        """Start the process that keeps the group's id in use until this one ends."""
        # The end of a single deployment (SIGTERM to the group) leaves this process.
        wait = "import signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN); sys.stdin.read()"
        self._holder = subprocess.Popen(
            [sys.executable, "-c", wait], stdin=subprocess.PIPE, process_group=0, stdout=subprocess.DEVNULL
        )

    @property
    def id(self) -> int:
        """Id of the group."""
        return self._holder.pid

    def close(self) -> None:
        """End every process of the group."""
        end_group(self.id)
        self._holder.wait()
        if self._holder.stdin is not None:
            self._holder.stdin.close()


def end_group(group: int) -> None:
    """Kill all processes of a group; there may be none."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


class Cdk:
    """Runs `cdk deploy` with the app of a run."""

    def __init__(self, directory: Path, group: ProcessGroup, region: str) -> None:
        """Keep the settings; nothing is started.

        Args:
            directory: an empty directory for its files.
            group: process group of the CLI.
            region: Region of the stacks.
        """
        self._directory = directory
        self._group = group
        self._region = region
        self._count = 0

    def deploy(self, stacks: Sequence[str], spec: str, *, reporting: str, release: Path = ROOT) -> Deployment:
        """Deploy these stacks, several at a time.

        Args:
            stacks: their names.
            spec: text of the spec file.
            reporting: name of the annex whose instances report on their console.
            release: directory with the packages to deploy. Default: this checkout.

        Raises:
            NotRunError: there is no CDK CLI, or it did not end in time.
        """
        self._count += 1
        file = self._directory / f"annexes-{self._count}.toml"
        file.write_text(spec, encoding="utf-8")
        log = self._directory / f"deploy-{self._count}.log"
        # -P: the directory of the app itself is not searched for modules.
        app = f"{sys.executable} -P {release / 'verify/app.py'}"
        words = [_program(), "deploy", *stacks, "--require-approval", "never", "--concurrency", "5", "--app", app]
        words += ["-c", f"annexes={file}", "-c", f"reporting={reporting}", "--no-notices", "--ci"]
        words += ["--output", str(self._directory / f"cdk.out-{self._count}")]
        with log.open("wb") as output:
            process = subprocess.Popen(
                words,
                cwd=ROOT,  # cdk.json has the feature flags
                env=_environment(os.environ, release, self._region),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=self._group.id,
            )
            try:
                code = process.wait(DEPLOY_SECONDS)
            except subprocess.TimeoutExpired:
                raise NotRunError(f"`cdk deploy` took longer than {DEPLOY_SECONDS / 60:.0f} minutes") from None
            finally:
                if process.poll() is None:
                    os.killpg(self._group.id, signal.SIGTERM)
        return Deployment(code == 0, log.read_text(encoding="utf-8", errors="replace")[-_TAIL:])


def _program() -> str:
    """The CDK CLI of this Python's environment, whose version fits the library."""
    program = Path(sys.executable).parent / "cdk"
    if not program.exists():
        raise NotRunError(f"there is no {program}: start scripts/verify-account, which installs it")
    return str(program)


def _environment(environ: Mapping[str, str], release: Path, region: str) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{environ.get('PATH', os.defpath)}"
    extra = {"PYTHONPATH": str(release), "PYTHONDONTWRITEBYTECODE": "1", "CDK_DISABLE_CLI_TELEMETRY": "true"}
    return {**environ, "PATH": path, "AWS_REGION": region, "AWS_DEFAULT_REGION": region, **extra}
