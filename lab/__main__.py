"""Commands of the lab: run the demonstration, run a command in a new lab, or in the running one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from lab import LabError, image, sandbox
from lab.demo import ANNEX, STACK, Demo, write_report
from lab.network import POOL_NAMESPACE
from lab.operator import Operator
from lab.site import Site
from lab.steps import StepError, Steps

# One demonstration at a time is what a person wants; who wants several gives each a file.
STATE_FILE = Path(os.environ.get("ANNEX_LAB_STATE_FILE", "/run/htcondor-annex-lab.json"))
# Commands that show a running demonstration; the tutorial has the same.
ENTER = ".venv/bin/python -m lab exec -- "
LOOKS = (
    "condor_status",
    f"annex status {ANNEX}",
    f"annex check {ANNEX} --dry-run",
    f"annex plan {ANNEX}",
    f"cdk diff {STACK} -c annexes=lab/annexes.toml",
    "bash",
)

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)


@app.command()
def demo(
    keep: Annotated[bool, typer.Option("--keep", help="Stop after the extension; leave it all running.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write what happened to this file, as JSON.")] = None,
) -> None:
    """Shows an annex from deployment to removal; exits 0 only if every step succeeded."""
    enter_sandbox(state_file=STATE_FILE)
    console = Console()
    steps = Steps(console)
    error: str | None = None
    try:
        with show_site(steps) as site:
            try:
                Demo(site, steps).run(keep=keep)
            except StepError:
                console.print(site.evidence(), style="dim", markup=False, highlight=False, soft_wrap=True)
                raise
            console.print(steps.summary())
            if keep:
                look_around(console)
    except (StepError, LabError) as failed:
        error = str(failed)
    except KeyboardInterrupt:
        error = None if keep and all(step.ok for step in steps.done) else "interrupted"
    if report is not None:
        write_report(steps, report, error)
    if error is not None:
        console.print(f"The demonstration failed: {error}", style="red", markup=False, highlight=False)
        raise typer.Exit(1)


@app.command(context_settings={"ignore_unknown_options": True})
def run(
    command: Annotated[list[str], typer.Argument(help="Program and arguments, after --.")],
    machines: Annotated[str, typer.Option(help="qemu: boot a machine per instance; none: pretend.")] = "qemu",
) -> None:
    """Runs a command inside a new lab, beside its pool and cloud; exits with the command's status."""
    enter_sandbox(state_file=None)
    with failing_clearly(), Site(machines=machines):
        status = subprocess.run(command, check=False).returncode
    raise typer.Exit(status)


@app.command(context_settings={"ignore_unknown_options": True})
def shell(
    command: Annotated[list[str] | None, typer.Argument(help="Program and arguments, after --. Default: bash.")] = None,
    machines: Annotated[str, typer.Option(help="qemu: boot a machine per instance; none: pretend.")] = "qemu",
) -> None:
    """Opens a shell on the pool's host of a new lab in which nothing is deployed; the tutorial is done there."""
    enter_sandbox(state_file=STATE_FILE)
    with failing_clearly(), Site(machines=machines) as site:
        words = site.operator.command(*(command or ("bash",)))
        status = subprocess.run(words, check=False, env=site.operator.shell_environment()).returncode
    raise typer.Exit(status)


@app.command(name="exec", context_settings={"ignore_unknown_options": True})
def execute(command: Annotated[list[str], typer.Argument(help="Program and arguments, after --.")]) -> None:
    """Runs a command on the pool's host of the running demonstration: annex, cdk, condor_status, bash ..."""
    with failing_clearly():
        if not sandbox.inside():
            again = [sys.executable, "-m", "lab", "exec", "--", *command]
            words = sandbox.entering(STATE_FILE, again, namespace=POOL_NAMESPACE)
            os.execvp(words[0], words)  # noqa: S606  no shell: the command replaces this process and keeps its terminal
        os.execvpe(command[0], command, Operator.saved_environment())  # noqa: S606


def enter_sandbox(*, state_file: Path | None) -> None:
    """Returns only inside a sandbox. Otherwise runs this command in a new one and exits with its status."""
    with failing_clearly():
        if sandbox.inside():
            sandbox.stop_on_signals()
            return
        # Built outside the sandbox: the cache is the user's, and a failed build leaves no sandbox behind.
        image.disk_image()
        image.stock_disk()
        raise typer.Exit(sandbox.rerun(state_file=state_file))


@contextmanager
def show_site(steps: Steps) -> Iterator[Site]:
    """The site, with its start shown as the first step."""
    with ExitStack() as stack:
        with steps.step("a pool and a cloud start on this machine"):
            site = stack.enter_context(Site())
        yield site


@contextmanager
def failing_clearly() -> Iterator[None]:
    """One line and exit status 1 for the errors of the lab."""
    try:
        yield
    except (LabError, StepError) as failed:
        typer.echo(f"lab: {failed}", err=True)
        raise typer.Exit(1) from failed


def look_around(console: Console) -> None:
    """Prints commands that show the running lab, and waits for Ctrl-C or TERM."""
    for words in LOOKS:
        console.print(f"  {ENTER}{words}", highlight=False, soft_wrap=True)
    console.print("Ctrl-C here (or TERM to this process) ends it and removes everything.")
    signal.pause()


if __name__ == "__main__":
    app()
