"""Machine host without machines, for tests of APIs: a started machine runs at once."""

from lab.machines import Machine, MachineState


class NoMachines:
    """Host whose machines run from their start to their stop."""

    def __init__(self) -> None:
        self._states: dict[str, MachineState] = {}

    def start(self, machine: Machine) -> None:
        """See ``MachineHost.start``."""
        self._states[machine.instance_id] = MachineState.RUNNING

    def stop(self, instance_id: str) -> None:
        """See ``MachineHost.stop``."""
        self._states[instance_id] = MachineState.OFF

    def states(self) -> dict[str, MachineState]:
        """See ``MachineHost.states``."""
        return dict(self._states)

    def close(self) -> None:
        """See ``MachineHost.close``."""
        self._states.clear()
