"""State that the parts of the cloud share: the lock, the machines, and the clock."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from lab.cloud.emulator import responses
from lab.machines import Machine, MachineHost, MachineState

lock = threading.RLock()
"""Held while instances and groups are read or changed: requests, the clock and CloudFormation run in threads."""


@contextlib.contextmanager
def scope(account: str, region: str) -> Iterator[None]:
    """Act for an account and region outside a request."""
    with responses.request_scope(account, region):
        yield


@dataclass
class Machines:
    """The machine host, driven from worker threads: starting or stopping a machine must not block a request."""

    host: MachineHost
    clock: Callable[[], float] = time.time
    _workers: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, "machine"))
    _starts: dict[str, "Future[None]"] = field(default_factory=dict)
    _stops: dict[str, "Future[None]"] = field(default_factory=dict)

    def start(self, machine: Machine) -> None:
        """Begin to start a machine."""
        self._starts[machine.instance_id] = self._workers.submit(self.host.start, machine)

    def stop(self, instance_id: str) -> None:
        """Begin to stop a machine; repeating it is harmless."""
        if instance_id not in self._stops:
            self._stops[instance_id] = self._workers.submit(self._stop, instance_id)

    def _stop(self, instance_id: str) -> None:
        started = self._starts.get(instance_id)
        if started is None or started.exception() is None:
            self.host.stop(instance_id)

    def states(self) -> dict[str, MachineState]:
        """The machines' states: ``starting`` until the host has begun, ``off`` if it could not start one."""
        # First the starts under way, then the host: in the other order a start that ends in between looks lost.
        starts = {instance_id: start.done() for instance_id, start in list(self._starts.items())}
        states = dict(self.host.states())
        for instance_id, done in starts.items():
            if not done:
                states[instance_id] = MachineState.STARTING
            elif self.start_failure(instance_id) is not None:
                states[instance_id] = MachineState.OFF
        return states

    def start_failure(self, instance_id: str) -> str | None:
        """Reason why a machine could not be started, or None."""
        start = self._starts.get(instance_id)
        error = start.exception() if start is not None and start.done() else None
        return None if error is None else str(error)

    def forget(self, instance_id: str) -> None:
        """Remove the records of a machine that is gone."""
        self._starts.pop(instance_id, None)
        self._stops.pop(instance_id, None)

    def close(self) -> None:
        """Stop every machine and wait for it."""
        self._workers.shutdown(wait=True, cancel_futures=True)
        self.host.close()


_machines: list[Machines] = []


def install(machines: Machines) -> None:
    """Set the machine host of this cloud's instances."""
    _machines[:] = [machines]


def machines() -> Machines:
    """The machine host of this cloud's instances."""
    if not _machines:
        raise RuntimeError("the cloud has no machine host: call world.install() before serving requests")
    return _machines[0]


def now() -> float:
    """The cloud's time, seconds since the epoch."""
    return machines().clock()
