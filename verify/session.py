"""A run from its plan to the proof that nothing is left of it."""

from __future__ import annotations

import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from annex_pool.command_error import InputError
from verify import report
from verify.account import Account
from verify.anonymous import Anonymiser
from verify.cdk import Cdk, ProcessGroup
from verify.cleanup import Cleanup
from verify.experiment import Experiment
from verify.options import DEFAULT_IMAGE, Options
from verify.outcome import Findings, NotRunError, Verdict
from verify.plan import Plan
from verify.report import Header
from verify.run import Run
from verify.scene import Scene
from verify.watchdog import Watchdog

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def say(text: str) -> None:
    """Print a line at once. A terminal or a pipe that is gone must not keep the run from cleaning up."""
    with suppress(OSError):
        print(text, flush=True)  # noqa: T201


@contextmanager
def one_interrupt() -> Iterator[Callable[[], None]]:
    """The first signal raises KeyboardInterrupt; gives a function after which every signal is ignored."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def ignore() -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        ignore()
        raise KeyboardInterrupt

    for number in _SIGNALS:
        signal.signal(number, interrupt)
    try:
        yield ignore
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def caller_names(arn: str) -> dict[str, str]:
    """Names in the ARN of a caller, with what replaces them in a report.

    The account's root user has no name of its own.

    Args:
        arn: such as `arn:aws:sts::123456789012:assumed-role/Admin/alice`.
    """
    names = arn.rpartition(":")[2].split("/")[1:]
    return {name: f"<caller {number}>" for number, name in enumerate(names, 1)}


@dataclass
class Session:
    """A run.

    Attributes:
        run: its names.
        account: the account.
        options: the command line.
        experiments: the experiments, in the order in which they run.
    """

    run: Run
    account: Account
    options: Options
    experiments: Sequence[Experiment]

    def __post_init__(self) -> None:
        """Prepare an empty report."""
        image = DEFAULT_IMAGE if self.options.image == DEFAULT_IMAGE else None
        began, kind = datetime.now(UTC), self.options.instance_type
        self._header = Header(self.run.region, self.account.emulated, began, kind, image)
        self._hide = Anonymiser({**caller_names(self.account.caller), self.run.id: "RUN"})
        self._path = self.options.report or Path(f"verify-{self.run.id}.md")
        self.findings = Findings()

    def execute(self) -> Findings:
        """Run the experiments and remove everything again; the report is written after each of them.

        Raises:
            InputError: the report cannot be written; nothing was made.
        """
        try:
            self._write()
        except OSError as error:
            raise InputError(f"--report: {self._path} cannot be written: {error.strerror}") from error
        group = ProcessGroup()
        log = self._path.with_suffix(".watchdog.log")
        try:
            watchdog = Watchdog(self.run, group.id, log)
        except BaseException:
            group.close()
            raise
        with one_interrupt() as ignore_signals:
            try:
                with tempfile.TemporaryDirectory(prefix="annex-verify-", ignore_cleanup_errors=True) as directory:
                    self._experiment(Cdk(Path(directory), group, self.run.region))
            except KeyboardInterrupt:
                self.findings.interrupted = True
                say("interrupted; cleaning up")
            finally:
                ignore_signals()
                group.close()
                self.findings.left = Cleanup(self.account.aws, self.run.id, say).clean()
                self._write()
                watchdog.dismiss()
        return self.findings

    def _experiment(self, cdk: Cdk) -> None:
        plan = Plan(self.run, self.account.id, self.options, self.experiments)
        scene = Scene(run=self.run, account=self.account, options=self.options, cdk=cdk)
        if plan.letters:
            say(f"deploying {', '.join(self.run.stack(letter) for letter in plan.letters)}")
            try:
                done = scene.deploy(plan.letters)
            except NotRunError as reason:
                scene.failure = str(reason)
            else:
                scene.failure = "" if done.succeeded else f"the deployment failed: {done.output.strip()[-600:]}"
        for each in self.experiments:
            say(f"{each.number:>3} {each.title} ...")
            outcome = each.run(scene)
            self.findings.outcomes.append(outcome)
            say(f"    {outcome.verdict.value}, {outcome.seconds:.0f} s: {outcome.seen}")
            self._write()

    def _write(self) -> None:
        """Write the report; an experiment that has not been reached is in it as not run."""
        done = {each.number for each in self.findings.outcomes}
        waiting = [each.outcome(Verdict.NOT_RUN, "not reached") for each in self.experiments if each.number not in done]
        whole = Findings([*self.findings.outcomes, *waiting], self.findings.left, self.findings.interrupted)
        report.write(self._path, self._header, whole, self._hide)

    def summary(self) -> str:
        """The table, and where the report is."""
        shown = report.table(self.findings.outcomes, emulated=self.account.emulated)
        return f"\n{shown}\n\nreport: {self._path}, without ids, ARNs and names of this account"


def confirmed() -> bool:
    """Ask; only `yes` and `y` are consent."""
    if not sys.stdin.isatty():
        say("not asked, because this is no terminal: repeat with --yes")
        return False
    try:
        return input("Make all this? [y/N] ").strip().lower() in ("y", "yes")
    except (EOFError, KeyboardInterrupt):
        return False
