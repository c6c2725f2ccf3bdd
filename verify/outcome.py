"""Outcome of an experiment: an assumption, what was seen, and whether the two agree. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Verdict(Enum):
    """Result of an experiment."""

    HELD = "held"
    """The assumption was looked at, and is right."""
    WRONG = "WRONG"
    """The assumption was looked at, and is wrong."""
    NOT_RUN = "not run"
    """Nothing can be said about the assumption."""


class NotRunError(Exception):
    """An experiment cannot be run; the text gives the reason."""


@dataclass(frozen=True)
class Seen:
    """Observation of an experiment.

    Attributes:
        held: True if the assumption is right.
        text: what was seen, in one line.
        details: lines for the report, such as events and log lines.
    """

    held: bool
    text: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """Result of one experiment, as the report has it.

    Attributes:
        number: number of the experiment.
        title: what it is about.
        assumed: the assumption.
        source: page of AWS, or of this project, that the assumption is from.
        verdict: the result.
        seen: what was seen, or the reason why it was not run.
        details: lines for the report.
        seconds: how long it took.
    """

    number: int
    title: str
    assumed: str
    source: str
    verdict: Verdict
    seen: str
    details: tuple[str, ...] = ()
    seconds: float = 0.0

    def as_data(self) -> Mapping[str, object]:
        """The outcome for the JSON report."""
        return {
            "number": self.number,
            "title": self.title,
            "assumed": self.assumed,
            "source": self.source,
            "verdict": self.verdict.value,
            "seen": self.seen,
            "details": list(self.details),
            "seconds": round(self.seconds, 1),
        }


ALL_HELD, ASSUMPTION_WRONG, REFUSED, INCOMPLETE = 0, 1, 2, 3
"""Exit codes: every experiment ran and held; an assumption is wrong; refused before anything was made; an experiment
could not run, or something was left."""


@dataclass
class Findings:
    """Findings of a run.

    Attributes:
        outcomes: one for each experiment that was asked for.
        left: what was left in the account; None: that was not looked at.
        interrupted: the run was ended by a signal.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    left: tuple[str, ...] | None = None
    interrupted: bool = False

    def exit_code(self) -> int:
        """The exit code. What is left, or may be, counts before a wrong assumption: it costs money."""
        if self.left is None or self.left or self.interrupted:
            return INCOMPLETE
        verdicts = {each.verdict for each in self.outcomes}
        if Verdict.WRONG in verdicts:
            return ASSUMPTION_WRONG
        return ALL_HELD if verdicts == {Verdict.HELD} else INCOMPLETE
