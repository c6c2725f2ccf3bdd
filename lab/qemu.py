"""Machines of QEMU, one per instance: an overlay over the cached disk, a port of the VPC, a console, a power button."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lab import LabError
from lab.machines import STOCK_IMAGE_ID, Machine, MachineState
from lab.network import Network
from lab.processes import run, start
from lab.qemu_machine import command_line
from lab.qemu_monitor import execute

POWER_OFF_SECONDS = 60.0  # a guest on an emulated CPU needs about ten to stop HTCondor and its services
PRESS_SECONDS = 2.0  # a guest ignores the button until its login manager runs: press it again


@dataclass
class _Running:
    directory: Path
    process: subprocess.Popen[bytes]
    ended: threading.Event = field(default_factory=threading.Event)
    stopping: bool = False


class QemuHost:
    """The MachineHost (see `lab.machines`) that runs real machines. Safe to call from several threads."""

    def __init__(
        self,
        directory: Path,
        *,
        network: Network,
        disk: Path,
        stock_disk: Path,
        kernel: Path,
        power_off_seconds: float = POWER_OFF_SECONDS,
    ) -> None:
        """Args:
        directory: parent of one directory per machine, with its disk while it runs, and its console's log.
        network: the network to plug machines into; it must have been created.
        disk: the raw disk image under every machine's own; it is not written to.
        stock_disk: the same, of the image without HTCondor, which machines of `STOCK_IMAGE_ID` boot.
        kernel: the kernel for both disks.
        power_off_seconds: how long a machine may take to power off after ``stop``.
        """
        self._directory = directory
        self._network = network
        self._disk, self._stock_disk = disk, stock_disk
        self._kernel = kernel
        self._patience = power_off_seconds
        self._machines: dict[str, _Running] = {}
        self._lock = threading.Lock()

    def start(self, machine: Machine) -> None:
        """As the protocol.

        Raises:
            LabError: an instance of that id was started before, or QEMU or the network refuse.
        """
        with self._lock:
            if machine.instance_id in self._machines:
                raise LabError(
                    f"instance {machine.instance_id} was started before; an instance has one machine in its life"
                )
            directory = self._directory / machine.instance_id
            directory.mkdir(parents=True)
            overlay = directory / "disk.qcow2"
            disk = self._stock_disk if machine.image_id == STOCK_IMAGE_ID else self._disk
            run("qemu-img", "create", "-q", "-f", "qcow2", "-b", disk, "-F", "raw", overlay)
            port = self._network.plug(machine.instance_id, mac=machine.mac, ip=machine.ip)
            try:
                words = command_line(machine, directory=directory, disk=overlay, kernel=self._kernel, port=port)
                process = start(words, log=directory / "qemu.log", pass_fds=(port,))
            finally:
                os.close(port)  # QEMU has its own copy: the port ends with the process
            running = _Running(directory, process)
            self._machines[machine.instance_id] = running
        threading.Thread(target=_await_end, args=(running,), name=f"end-of-{machine.instance_id}", daemon=True).start()

    def stop(self, instance_id: str) -> None:
        """As the protocol."""
        with self._lock:
            running = self._machines.get(instance_id)
            if running is None or running.stopping:
                return
            running.stopping = True
        threading.Thread(target=self._power_off, args=(running,), name=f"stop-{instance_id}", daemon=True).start()

    def states(self) -> dict[str, MachineState]:
        """As the protocol."""
        with self._lock:
            machines = dict(self._machines)
        return {instance_id: _state(running) for instance_id, running in machines.items()}

    def console(self, instance_id: str) -> Path:
        """Log of the machine's serial line."""
        return self._directory / instance_id / "console.log"

    def close(self) -> None:
        """As the protocol."""
        with self._lock:
            machines = list(self._machines.values())
        for running in machines:
            running.process.kill()
        for running in machines:
            running.ended.wait()

    def _power_off(self, running: _Running) -> None:
        deadline = time.monotonic() + self._patience
        while time.monotonic() < deadline:
            with suppress(OSError):  # not up yet, or gone at this moment: the next round or the kill decides
                execute(running.directory / "monitor", "system_powerdown")
            if running.ended.wait(PRESS_SECONDS):
                return
        running.process.kill()


def _await_end(running: _Running) -> None:
    running.process.wait()
    for name in ("disk.qcow2", "monitor", "console"):
        (running.directory / name).unlink(missing_ok=True)
    running.ended.set()


def _state(running: _Running) -> MachineState:
    if running.process.poll() is not None:
        return MachineState.OFF
    return MachineState.RUNNING if (running.directory / "monitor").exists() else MachineState.STARTING
