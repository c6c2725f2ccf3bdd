"""Declaration of a scenario: a function of a `Stage`, with what is left in the end and what it needs of a world."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.world.stage import Can, Stage

Play = Callable[[Stage], None]


def scene(ends: str | tuple[Any, ...], *needs: Can, failing: bool = False) -> Callable[[Play], Play]:
    """Declare a scenario.

    Args:
        ends: ENDED, GONE (the group too), RUNNING (two instances), or the fields of an `End`.
        needs: what it needs of a world.
        failing: True if the last run fails, because the lease is not in order. Default: False.
    """

    def declare(play: Play) -> Play:
        play.ends, play.needs, play.failing = ends, needs, failing  # type: ignore[attr-defined]
        return play

    return declare
