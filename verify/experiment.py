"""An experiment: an assumption about AWS, where it is from, and how to look."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from verify.outcome import NotRunError, Outcome, Seen, Verdict

if TYPE_CHECKING:
    from verify.scene import Scene


_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Experiment:
    """An experiment.

    Attributes:
        number: its number, in the order in which experiments run.
        title: what it is about, in a few words.
        assumed: the assumption, as one clause.
        source: page that the assumption is from.
        minutes: about how long it takes on AWS, without the deployment.
        look: makes the observation; raises NotRunError if that is impossible.
        annexes: letters of the annexes that it needs.
    """

    number: int
    title: str
    assumed: str
    source: str
    minutes: int
    look: Callable[[Scene], Seen] = field(repr=False)
    annexes: tuple[str, ...] = ("a",)

    def run(self, scene: Scene) -> Outcome:
        """The outcome; a failure is the reason why nothing can be said, and never an answer."""
        began = monotonic()
        try:
            seen = self.look(scene)
        except NotRunError as reason:
            return self.outcome(Verdict.NOT_RUN, str(reason), (), monotonic() - began)
        except Exception as error:  # noqa: BLE001 - an answer of another form must not keep the others from running
            # The place of the checkout is the user's.
            trace = tuple(traceback.format_exc().replace(f"{_ROOT}/", "").splitlines())
            return self.outcome(Verdict.NOT_RUN, f"{type(error).__name__}: {error}", trace, monotonic() - began)
        verdict = Verdict.HELD if seen.held else Verdict.WRONG
        return self.outcome(verdict, seen.text, seen.details, monotonic() - began)

    def outcome(self, verdict: Verdict, seen: str, details: tuple[str, ...] = (), seconds: float = 0.0) -> Outcome:
        """An outcome of this experiment."""
        return Outcome(self.number, self.title, self.assumed, self.source, verdict, seen, details, seconds)
