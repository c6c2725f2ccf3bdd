"""Scenarios played on the model with something going wrong, and whether the end is the same all the same."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from annex_lease import actuator
from annex_lease import tags as lease_tags
from annex_lease.launches import REPORT_KIND
from tests.world.aws_faults import Fault, FaultAt
from tests.world.aws_model import Call, NoFaults
from tests.world.aws_state import Account
from tests.world.scenarios import SCENARIOS, Scenario, named
from tests.world.stage import Stage
from tests.world.worlds import ModelWorld

# Written at run time with the time of the run in them, so another run writes something else.
_TIMELY = {lease_tags.TAG_USED, lease_tags.TAG_BUSY, lease_tags.TAG_CLOSED}
_TIMELY_END = {lease_tags.TAG_END, lease_tags.TAG_NOTIFIED, lease_tags.TAG_WARNED, lease_tags.TAG_SCHEDULED}


@dataclass(frozen=True)
class Undisturbed:
    """Course of a scenario without a fault.

    Attributes:
        calls: its calls, each one that finds the account in another state than every earlier call of the same kind.
        states: what those calls found.
        left: what is left in the end.
    """

    calls: tuple[Call, ...]
    states: tuple[str, ...]
    left: dict[str, Any]


class _Watch(NoFaults):
    """Notes the calls that find the account in a state in which no earlier call of the same kind found it."""

    def __init__(self, world: ModelWorld) -> None:
        self._world = world
        self.seen: dict[str, Call] = {}

    def carry_out(self, call: Call, do: Any, past: Account) -> dict[str, Any]:
        """See `Faults`."""
        state = f"{call.operation} {call.params} {_state(self._world.aws.account)}"
        self.seen.setdefault(state, call)
        return super().carry_out(call, do, past)


def _state(account: Account) -> str:
    instances = [(one.id, one.state, one.lifecycle, one.protected, one.tags) for one in account.instances.values()]
    groups = [(vars(one) | {"reacts_at": None, "activities": None}) for one in account.groups.values()]
    return f"{groups} {instances} {account.secrets} {account.topics}"


def left_of(stage: Stage) -> dict[str, Any]:
    """Remains of an annex, without the times of the runs."""
    group = stage.group()
    policy = stage.site.policy
    # The notified end matters while there are instances. It follows a renewal and the hours that were used, which take
    # time from their runs.
    notified = stage.alive() and not policy.renew_seconds and policy.max_instance_hours is None
    dropped = _TIMELY | (set() if notified else _TIMELY_END)
    if group is None:
        return {"alive": len(stage.alive())}
    left = {key: group[key] for key in ("MinSize", "MaxSize", "DesiredCapacity", "DeletionProtection")}
    left |= {"new protected": group["NewInstancesProtectedFromScaleIn"], "alive": len(stage.alive())}
    left |= {"suspended": sorted(one["ProcessName"] for one in group["SuspendedProcesses"])}
    left |= {"warm pool": "WarmPoolConfiguration" in group}
    left |= {"scheduled": sorted(stage.scheduled()) if stage.alive() else []}
    tags = stage.tags()
    # A process that was killed forgot for how long no instance was in service, and reports that later. A report that
    # was begun by the last run is repeated by the next.
    kinds = tags.pop(lease_tags.TAG_REPORTED, "").split()
    reported = " ".join(kind for kind in kinds if kind not in (REPORT_KIND, actuator._BEGUN))
    # A disorder that is over leaves an empty tag, and one that never was leaves none.
    tags |= {lease_tags.TAG_REPORTED: reported} if reported else {}
    left["tags"] = {key: value for key, value in tags.items() if key not in dropped}
    if lease_tags.TAG_OVERRIDES in tags:
        # A void override has the time of the run that found it.
        left["tags"][lease_tags.TAG_OVERRIDES] = tags[lease_tags.TAG_OVERRIDES].split("@")[:2]
    return left


@cache
def undisturbed(name: str) -> Undisturbed:
    """The scenario of this name without a fault."""
    world = ModelWorld()
    watch = _Watch(world)
    world.aws.faults = watch
    stage = Stage(world, strict=False)  # it lasts as long as a disturbed one would
    scenario = named(name)
    scenario.act(stage)
    return Undisturbed(tuple(watch.seen.values()), tuple(watch.seen), left_of(stage))


@cache
def first_seen() -> dict[str, frozenset[int]]:
    """The calls of each scenario that none before it makes in the same state: most begin with the same deploy."""
    seen: set[str] = set()
    first: dict[str, frozenset[int]] = {}
    for scenario in SCENARIOS:
        played = undisturbed(scenario.name)
        pairs = zip(played.states, played.calls, strict=True)
        first[scenario.name] = frozenset(call.number for state, call in pairs if state not in seen)
        seen.update(played.states)
    return first


def cases(scenario: Scenario, fault: Fault) -> list[int]:
    """The numbers of the calls at which this fault says something that no other case says.

    Killed: every call. Lost: every call that changes something, as a listing that was made and not answered is one that
    timed out. The others: every call that was not disturbed like this in an earlier scenario, and of the ways to refuse
    a listing only one, as there is nothing to be done about any.
    """
    played = undisturbed(scenario.name)
    listings = {call.number for call in played.calls if call.operation.startswith("Describe")}
    numbers = [call.number for call in played.calls]
    if fault is Fault.KILLED:
        return numbers
    if fault is Fault.LOST:
        return [number for number in numbers if number not in listings]
    fresh = [number for number in numbers if number in first_seen()[scenario.name]]
    if fault in (Fault.DENIED, Fault.STALE):
        return [number for number in fresh if fault is Fault.DENIED or number in listings]
    return [number for number in fresh if number not in listings]


def play_with(scenario: Scenario, fault: Fault, number: int) -> None:
    """Play the scenario with one fault at the call of this number; the end must be the same."""
    world = ModelWorld()
    faults = FaultAt(fault, {number})
    world.aws.faults = faults
    stage = Stage(world, strict=False)
    if fault is Fault.STALE:
        stage.before_run = world.aws.remember
    scenario.act(stage)
    assert faults.struck, "the scenario is deterministic, so the call is made"
    what = (
        f"{scenario.name}, {fault.value} at call {number}, {faults.struck[0].operation} at {faults.struck[0].at:.0f} s"
    )
    assert scenario.left(stage) == scenario.end, f"{what}: {scenario.left(stage)}; last run {stage.runs[-1]}"
    assert left_of(stage) == undisturbed(scenario.name).left, what
