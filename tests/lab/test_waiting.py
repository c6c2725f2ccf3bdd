"""Waits end after a time without progress, not by the clock of an idle machine."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from lab import sandbox, steps
from lab.site import machines_progress
from lab.steps import StepError, wait_for


class Clock:
    """Clock that advances only in sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(steps, "time", clock)
    yield clock


def test_the_first_true_value_is_the_answer() -> None:
    values: Iterator[object] = iter([None, 0, "", [], "answer", "later"])
    assert wait_for("answer", 60, lambda: next(values)) == "answer"


def test_without_progress_the_time_is_limited(clock: Clock) -> None:
    with pytest.raises(StepError, match=r"^no answer within 60 s$"):
        wait_for("answer", 60, lambda: None)
    assert 60 <= clock.now <= 61


def test_a_wait_with_progress_continues(clock: Clock) -> None:
    lines = count()
    assert wait_for("answer", 60, lambda: clock.now >= 3600, progress=lambda: next(lines) // 100)
    assert clock.now >= 3600


def test_a_wait_without_further_progress_ends(clock: Clock) -> None:
    with pytest.raises(StepError, match=r"^no answer within 60 s\nthe log$"):
        wait_for("answer", 60, lambda: None, progress=lambda: min(clock.now, 1000), otherwise=lambda: "the log")
    assert 1060 <= clock.now <= 1061


def test_a_machine_that_only_repeats_the_end_of_the_lease_makes_no_progress(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(sandbox.VARIABLE, str(tmp_path))
    console = tmp_path / "machines/i-1/console.log"
    console.parent.mkdir(parents=True)
    before = machines_progress()
    console.write_text("[    1.0] boots\n")
    booting = machines_progress()
    assert before != booting
    console.write_text("[    1.0] boots\n[   20.0] annex: lease until 2026-11-28T18:24:48Z\n")
    assert machines_progress() == booting
    console.write_text("[    1.0] boots\n[   20.0] annex: lease until 2026-11-28T18:24:48Z\n[   30.0] joins\n")
    assert machines_progress() != booting
