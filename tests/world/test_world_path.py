"""Length of the path from the schedule to the end of an annex's instances."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from tests.world.aws_model import Call
from tests.world.aws_state import Account
from tests.world.stage import HOUR, Stage
from tests.world.worlds import ModelWorld

LONGEST = 18
"""Most modules of the product that a reader has to follow. It may become smaller, and not larger.

The entries of the record and the findings of earlier runs are modules of their own, apart from what reads them.
"""
ENTRY, LAST = "annex_lease.handler", "annex_lease.actuator"


class Until:
    """Every call is carried out; the first one of this operation ends the tracing."""

    def __init__(self, operation: str) -> None:
        self._operation = operation
        self.reached = False

    def carry_out(self, call: Call, do: Callable[[dict[str, Any]], dict[str, Any]], past: Account) -> dict[str, Any]:
        """See `tests.world.aws_model.Faults`."""
        del past
        if call.operation == self._operation:
            sys.setprofile(None)
            self.reached = True
        return do(call.params)


def test_the_path_from_the_schedule_to_the_termination_is_short() -> None:
    """Modules whose code runs, by the globals of each function: those of a dataclass are the globals of its module."""
    stage = Stage(ModelWorld())
    # The scheduled action of the group empties it before the check, but for instances that are protected.
    stage.make(policy={"grace_seconds": 0}, protect_new=True)
    stage.minutes(2)
    assert len(stage.alive()) == 2
    stage.world.advance(HOUR)
    until = Until("TerminateInstances")
    stage.world.aws.faults = until  # type: ignore[attr-defined]
    modules: set[str] = set()

    def trace(frame: FrameType, event: str, _: object) -> None:
        name = str(frame.f_globals.get("__name__", ""))
        if event == "call" and name.startswith("annex_"):
            modules.add(name)

    before = sys.getprofile()
    sys.setprofile(trace)
    try:
        stage.run()
    finally:
        sys.setprofile(before)
    assert until.reached
    assert not stage.alive()
    assert {ENTRY, LAST} <= modules
    assert len(modules) <= LONGEST, sorted(modules)
