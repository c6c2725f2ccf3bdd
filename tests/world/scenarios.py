"""Histories of an annex by name, each with what must be left in the end. They are played on any `World`.

A scenario writes what an operator, CloudFormation or an execution point does with the operator's clients, and lets the
function run as the schedule does. It says what it needs of a world; its end is the same however its runs were
disturbed, as long as the disturbance ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.world import (
    scenes_caps,
    scenes_decisions,
    scenes_end,
    scenes_grace,
    scenes_hours,
    scenes_launches,
    scenes_life,
    scenes_lost,
    scenes_notices,
    scenes_readings,
    scenes_replaced,
    scenes_reports,
    scenes_sizes,
)
from tests.world.stage import MINUTE, Can, Stage, World

AFTER = 12  # minutes of runs after a scenario's last step: enough for two empty listings after a hook and a shutdown
LATER = 45
"""The same for a disturbed one: a new process begins to measure an absence again, and has the grace after it."""


@dataclass(frozen=True)
class End:
    """Remains at the end; None: anything is allowed."""

    phase: str | None
    alive: int
    desired: int | None = 0
    launch_suspended: bool | None = True


@dataclass(frozen=True)
class Scenario:
    """A history: what happens, and what is left in the end; `failing`: the last run reports that as not in order."""

    name: str
    play: Callable[[Stage], None]
    end: End
    needs: frozenset[Can]
    failing: bool = False

    def lacking(self, world: World) -> list[str]:
        """Reasons that keep the scenario from being played in this world; empty if there are none."""
        return [f"{need.value}: {world.lacks[need]}" for need in sorted(self.needs, key=str) if need in world.lacks]

    def act(self, stage: Stage) -> None:
        """Play it, and let the function run for some more minutes."""
        self.play(stage)
        stage.minutes(3)
        for minute in range(AFTER if stage.strict else LATER):
            # The undisturbed play shows that it stays like this.
            if self.left(stage) == self.end and (minute > 3 or not stage.strict):
                break
            stage.minutes(1)

    def left(self, stage: Stage) -> End:
        """Remains now."""
        group = stage.group()
        return End(
            None if self.end.phase is None else stage.runs[-1].phase,
            len(stage.alive()),
            group["DesiredCapacity"] if group else None,
            "Launch" in {one["ProcessName"] for one in group["SuspendedProcesses"]} if group else None,
        )

    def check(self, stage: Stage) -> None:
        """Compare the remains with the expected ones."""
        left = self.left(stage)
        assert left == self.end, f"{self.name}: {left}, not {self.end}; last run {stage.runs[-1]}"
        failed = stage.runs[-1].error is not None
        stage.expect(failed == self.failing, f"the last run {'failed' if failed else 'did not fail'}")


ENDED = End("ended", 0)
GONE = End("ended", 0, None, None)
RUNNING = End("active", 2, 2, False)


_ROOMS = (
    scenes_life,
    scenes_lost,
    scenes_end,
    scenes_grace,
    scenes_decisions,
    scenes_caps,
    scenes_sizes,
    scenes_hours,
    scenes_readings,
    scenes_notices,
    scenes_reports,
    scenes_launches,
    scenes_replaced,
)


def _all() -> Iterator[Scenario]:
    ends = {"ENDED": ENDED, "GONE": GONE, "RUNNING": RUNNING}
    for room in _ROOMS:
        for name, scene in vars(room).items():
            if hasattr(scene, "ends") and scene.__module__ == room.__name__:
                ending = scene.ends
                end = ends[ending] if isinstance(ending, str) else End(*ending)
                yield Scenario(name.replace("_", " "), scene, end, frozenset(scene.needs), scene.failing)


SCENARIOS = tuple(_all())
"""All scenarios."""


def named(name: str) -> Scenario:
    """The scenario of this name."""
    (found,) = (one for one in SCENARIOS if one.name == name)
    return found


__all__ = ["AFTER", "MINUTE", "SCENARIOS", "End", "Scenario", "named"]
