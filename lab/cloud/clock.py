"""Thread that advances instances, groups and schedules."""

import logging
import threading

from lab.cloud import alarms, instances, scaling, scheduling, world

_log = logging.getLogger(__name__)


class Clock:
    """Ticks until it is stopped.

    Args:
        period: Seconds between two ticks.
    """

    def __init__(self, period: float) -> None:
        self._period = period
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lab-clock", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and wait for the tick under way."""
        self._stopped.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopped.wait(self._period):
            try:
                tick()
            except Exception:  # noqa: BLE001 - a clock that stops would freeze every instance: log it and continue
                _log.exception("a tick of the lab's clock failed")


def tick() -> None:
    """One step of instances, groups, schedules and alarms."""
    with world.lock:
        instances.advance(world.machines().states())
        scaling.advance()
        alarms.tick()
        # In the lock too: a request may take a step while the thread takes one, and each would fire the same schedule.
        scheduling.tick()
