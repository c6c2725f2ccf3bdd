"""The steps of a demonstration: what runs now, how long it took, what came out; a table at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

T = TypeVar("T")


class StepError(Exception):
    """A step did not do what it says; the message says what was seen instead."""


@dataclass
class Step:
    title: str
    began: float
    took: float | None = None
    result: str = ""
    ok: bool | None = None


@dataclass
class Steps:
    """The record of one run, shown while it grows.

    Prints a live view on a terminal, and one line per finished step elsewhere.
    """

    console: Console
    began: float = field(default_factory=time.monotonic)
    done: list[Step] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        step = Step(title, time.monotonic())
        self.done.append(step)
        live = Live(console=self.console, get_renderable=self._view, refresh_per_second=4, transient=True)
        try:
            if self.console.is_terminal:
                with live:
                    yield step
            else:
                yield step
        except BaseException:
            step.ok = False
            raise
        else:
            step.ok = True
        finally:
            step.took = time.monotonic() - step.began
            self.console.print(self._line(step), soft_wrap=True, highlight=False)

    def elapsed(self) -> float:
        return time.monotonic() - self.began

    def summary(self) -> Table:
        table = Table(title="The annex, from deploy to nothing", show_header=False)
        table.add_column(style="bold")
        table.add_column()
        for name, value in self.facts.items():
            table.add_row(name, value)
        return table

    def _line(self, step: Step) -> str:
        mark = "[green]ok[/]  " if step.ok else "[red]FAIL[/]"
        return f"{mark} {step.began - self.began:6.1f}s +{step.took or 0:5.1f}s  {step.title}  [dim]{step.result}[/]"

    def _view(self) -> Spinner:
        step = self.done[-1]
        return Spinner(
            "dots",
            f" {self.elapsed():6.1f}s +{time.monotonic() - step.began:5.1f}s  {step.title}  [dim]{step.result}[/]",
        )


def wait_for(
    what: str,
    seconds: float,
    probe: Callable[[], T | None],
    every: float = 0.5,
    *,
    progress: Callable[[], object] = lambda: None,
    otherwise: Callable[[], str] = lambda: "",
) -> T:
    """Returns the first value of ``probe`` that is true: not None, not False, not empty.

    Args:
        what: what is waited for; completes "no ...".
        seconds: how long nothing new may happen. On a busy machine everything takes longer, but it gets further.
        probe: looks for it.
        every: seconds between two looks.
        progress: something that changes while it comes nearer: then the ``seconds`` begin again.
        otherwise: what the error says besides.

    Raises:
        StepError: nothing of the kind was seen in time.
    """
    seen, until = progress(), time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if (now := progress()) != seen:
            seen, until = now, time.monotonic() + seconds
        if time.monotonic() > until:
            raise StepError(f"no {what} within {seconds:.0f} s\n{otherwise()}".rstrip())
        time.sleep(every)
