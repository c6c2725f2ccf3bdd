"""Interface between the lab's cloud and the host of its instances' machines."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

STOCK_IMAGE_ID = "ami-0deb1a13deb1a13de"
"""Debian's image of the lab. A machine of any other id boots the image with HTCondor."""


@dataclass(frozen=True)
class Machine:
    """Declaration of one instance's machine."""

    instance_id: str
    mac: str
    ip: str
    image_id: str
    instance_type: str


class MachineState(StrEnum):
    """STARTING until the machine executes its first instruction; OFF when it has powered itself off or was killed."""

    STARTING = "starting"
    RUNNING = "running"
    OFF = "off"


class MachineHost(Protocol):
    """Starts and stops machines. No call waits for a machine or restarts one: the cloud replaces instances."""

    def start(self, machine: Machine) -> None:
        """Starts a new machine: once for every ``instance_id``."""

    def stop(self, instance_id: str) -> None:
        """Presses the power button, and kills the machine after a bounded time. Harmless if it is off or unknown."""

    def states(self) -> dict[str, MachineState]:
        """The state of every machine that was ever started, by instance id."""

    def close(self) -> None:
        """Kills every machine and waits for its end."""
