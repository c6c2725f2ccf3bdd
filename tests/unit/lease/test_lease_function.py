"""The two functions share one reading of Lambda's context, and one form of a log line."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable

import pytest

from annex_lease.aws import AnnexAccess, Clients, seconds_left
from annex_lease.log_line import describe, write


class Context:
    """Lambda's context, with so many milliseconds left."""

    def __init__(self, millis: int) -> None:
        self.millis = millis

    def get_remaining_time_in_millis(self) -> int:
        return self.millis


def test_time_left_is_that_of_the_context_at_each_call() -> None:
    context = Context(240_000)
    left = seconds_left(context)
    assert left() == 240.0
    context.millis = 1_500
    assert left() == 1.5


@pytest.mark.parametrize("context", [None, object()])
def test_without_a_context_a_minute_is_left(monkeypatch: pytest.MonkeyPatch, context: object) -> None:
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    left = seconds_left(context)
    assert left() == 60.0
    clock[0] += 45.0
    assert left() == 15.0


def test_nothing_limits_the_time_of_a_command() -> None:
    unlimited: Callable[[], float] = AnnexAccess("g", "", Clients()).seconds_left
    assert unlimited() == math.inf


def test_an_error_is_shown_with_its_class() -> None:
    assert describe(ValueError("no such group")) == "ValueError: no such group"


def test_a_line_is_one_json_document_of_any_values(capsys: pytest.CaptureFixture[str]) -> None:
    write({"outcome": "done", "text": "a\nb", "other": {1}})
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert json.loads(printed) == {"outcome": "done", "text": "a\nb", "other": "{1}"}
