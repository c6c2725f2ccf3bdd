"""What the lab's cloud needs of whatever runs its instances' machines."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True)
class Machine:
    """One instance's machine, as the cloud orders it."""

    instance_id: str
    mac: str
    ip: str
    image_id: str
    instance_type: str


class MachineState(StrEnum):
    """STARTING until the machine executes its first instruction; OFF when it has switched itself off or was killed."""

    STARTING = "starting"
    RUNNING = "running"
    OFF = "off"


class MachineHost(Protocol):
    """Starts and stops machines. No call waits for a machine; none restarts one: replacing is the cloud's business."""

    def start(self, machine: Machine) -> None:
        """Switches a new machine on: once for every ``instance_id``."""

    def stop(self, instance_id: str) -> None:
        """Presses the power button, and pulls the plug after a bounded time. Harmless when it is off or unknown."""

    def states(self) -> dict[str, MachineState]:
        """The state of every machine that was ever started, by instance id."""

    def close(self) -> None:
        """Pulls every plug, and waits until all is gone."""
