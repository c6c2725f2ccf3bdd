"""The lab's cloud with machines and a clock that a test controls by files of a directory.

``python controlled.py API METADATA STATE``: ``STATE/machines/ID`` holds a machine's state, ``STATE/hold`` makes new
machines stay in "starting", ``STATE/deaf`` makes them ignore the power button, ``STATE/clock`` is added to the time.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from lab.cloud.server import Settings, run
from lab.machines import Machine, MachineState


class FileMachines:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.files = directory / "machines"
        self.files.mkdir(parents=True, exist_ok=True)

    def start(self, machine: Machine) -> None:
        if machine.image_id == "ami-00000000000000bad":
            raise RuntimeError("this image does not boot")
        held = (self.directory / "hold").exists()
        (self.files / machine.instance_id).write_text(MachineState.STARTING if held else MachineState.RUNNING)

    def stop(self, instance_id: str) -> None:
        if not (self.directory / "deaf").exists():
            (self.files / instance_id).write_text(MachineState.OFF)

    def states(self) -> dict[str, MachineState]:
        return {one.name: MachineState(one.read_text() or "starting") for one in self.files.iterdir()}

    def close(self) -> None:
        (self.directory / "closed").touch()


def main(api: str, metadata: str, state: Path) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    offset = state / "clock"

    def clock() -> float:
        return time.time() + (float(offset.read_text() or 0) if offset.exists() else 0.0)

    run(Settings(api, metadata, state), FileMachines(state), stop, clock)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    os._exit(0)  # see lab.cloud.server.run
