"""Effects of a deployment on the instances of a deployed annex that run, in sentences and as data. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from annex_lease.collectors import collector_ports, needs_ipv6
from annex_lease.egress import JOB_PORT, OPENED_BY, Opening, dns_network, openings, package_openings, read_ports
from annex_lease.live_changes import LIVE_CHANGES, LiveChange, Reach
from annex_lease.observed import Group, GroupMember
from annex_lease.terms import (
    IPV6,
    ON_DEMAND_BASE,
    ON_DEMAND_PERCENTAGE,
    REGION,
    ROLE_PATH,
    SIZE,
    SUBNETS,
    VPC,
)
from annex_pool.deployed_fleet import DeployedFleet
from annex_spec import AnnexSpec, PoolSpec

_OWN = "the annex's own"


@dataclass(frozen=True)
class LiveEffect:
    """Effect of one changed value on the instances that run.

    Attributes:
        change: the declared value, and what its change does.
        before: the value that is deployed, in words.
        after: the value that the spec declares, in words.
        instances: number of running instances that it concerns.
        busy: number of those on which a job runs; None: AWS does not show it.
        note: what happens to which of them, in words. Default: "".
    """

    change: LiveChange
    before: str
    after: str
    instances: int
    busy: int | None
    note: str = ""

    def text(self) -> str:
        """The effect in one sentence."""
        what = f"{self.change.term.name} changes from {self.before} to {self.after}"
        if self.change.reach is Reach.ANOTHER_ANNEX:
            what = f"THE ANNEX IS REPLACED: {what}"
        return f"{what}: {self.change.does}; {self.note or self._concerned()}"

    def as_data(self) -> dict[str, object]:
        """The effect as an object of JSON: key, effect, from, to, instances, busy and idle (null: unknown), text."""
        return {
            "key": self.change.term.name,
            "effect": self.change.reach.value,
            "from": self.before,
            "to": self.after,
            "instances": self.instances,
            "busy": self.busy,
            "idle": None if self.busy is None else self.instances - self.busy,
            "text": self.text(),
        }

    def _concerned(self) -> str:
        if not self.instances:
            return "no instance is running"
        return f"{counted(self.instances)} running, {_split(self.instances, self.busy)}"


def counted(number: int) -> str:
    """A number of instances in words."""
    return f"{number} instance{'' if number == 1 else 's'}"


def serving(group: Group) -> tuple[GroupMember, ...]:
    """Members that count towards the desired capacity: they run, or start."""
    return tuple(each for each in group.members if each.state.startswith(("Pending", "InService")))


def scaled_in(group: Group, size: int) -> int:
    """Number of instances that EC2 Auto Scaling terminates at once for a smaller MaxSize; it passes protected ones by.

    Args:
        group: the group before.
        size: the new MaxSize.
    """
    members = serving(group)
    return min(max(0, len(members) - size), sum(1 for each in members if not each.protected))


def in_another_region(group: Group, before: str, after: str) -> LiveEffect:
    """The effect of another Region on the annex that is deployed.

    Args:
        group: its group.
        before: its Region.
        after: the Region that the spec declares.
    """
    return LiveEffect(LIVE_CHANGES[REGION.name], before, after, len(group.alive()), _busy(group, None))


def live_effects(fleet: DeployedFleet, group: Group, spec: AnnexSpec, pool: PoolSpec | None) -> tuple[LiveEffect, ...]:
    """The effects of a deployment of the spec on the instances that run, in the order of the table.

    Args:
        fleet: the fleet that is deployed; a value that is not known is not compared.
        group: its group as observed.
        spec: the annex.
        pool: the pool that the spec file declares; None: it declares none, and no port is compared.
    """
    alive, busy = len(group.alive()), _busy(group, fleet.protecting)
    changed = [*_network(fleet, spec), *_purchase(fleet, spec), *_cut_off(fleet, spec, pool)]
    found = [LiveEffect(LIVE_CHANGES[key], before, after, alive, busy) for key, before, after in changed]
    found += _size(group, spec.size, busy)
    order = list(LIVE_CHANGES)
    found.sort(key=lambda each: order.index(each.change.term.name))
    return tuple(found)


_Changed = tuple[str, str, str]  # key, value before, value after


def _network(fleet: DeployedFleet, spec: AnnexSpec) -> Iterator[_Changed]:
    if fleet.vpc is None or (fleet.own_network is None and spec.vpc is None):
        return
    before, after = (_OWN if fleet.own_network else fleet.vpc), spec.vpc or _OWN
    if before != after:
        yield VPC.name, before, after
    elif spec.vpc is not None and sorted(spec.subnets) != list(fleet.subnets):
        yield SUBNETS.name, ", ".join(fleet.subnets), ", ".join(sorted(spec.subnets))


def _purchase(fleet: DeployedFleet, spec: AnnexSpec) -> Iterator[_Changed]:
    for term in (ON_DEMAND_BASE, ON_DEMAND_PERCENTAGE):
        before, after = getattr(fleet, term.name), getattr(spec, term.name)
        if before is not None and before != after:
            yield term.name, str(before), str(after)


def _cut_off(fleet: DeployedFleet, spec: AnnexSpec, pool: PoolSpec | None) -> Iterator[_Changed]:
    path = spec.role_path or "/"
    if fleet.role_path is not None and fleet.role_path != path:
        yield ROLE_PATH.name, fleet.role_path, path
    if pool is None:
        return
    wanted = spec.ipv6 or needs_ipv6(pool.collector)
    if fleet.own_network and spec.vpc is None and fleet.ipv6 is not None and fleet.ipv6 != wanted:
        yield IPV6.name, _flag(fleet.ipv6), _flag(wanted)
    if fleet.openings is None:
        return
    closed = _closed(fleet.openings, _opened(spec, pool))
    for key in OPENED_BY.values():
        ports = sorted(each.described() for each in closed if each.key == key)
        if ports:
            yield key, f"a value that opens {', '.join(ports)}", "one that does not"


def _opened(spec: AnnexSpec, pool: PoolSpec) -> tuple[Opening, ...]:
    return (
        *openings(
            collector_ports(pool.collector),
            map(read_ports, pool.access_point_ports),
            tuple(map(dns_network, spec.dns_servers)),
            spec.proxy,
        ),
        *package_openings(spec.image, spec.htcondor, spec.htcondor_mirror, spec.package_mirror, spec.proxy),
        Opening(JOB_PORT, JOB_PORT, ""),
    )


def _closed(before: Iterable[Opening], after: Iterable[Opening]) -> frozenset[Opening]:
    kept = tuple(after)
    return frozenset(each for each in before if not any(other.covers(each) for other in kept))


def _size(group: Group, size: int, busy: int | None) -> Iterator[LiveEffect]:
    excess = len(serving(group)) - size
    if size >= group.max_size or excess <= 0:
        return
    ended = scaled_in(group, size)
    kind = "idle " if busy is not None else ""
    parts = [f"{counted(excess)} of {len(serving(group))} above it"]
    if ended:
        parts.append(f"{ended} {kind}of them to end at once{'' if kind else ', busy or idle'}")
    if excess > ended:
        parts.append(f"{excess - ended} busy to stay until the jobs are done")
    note = ": ".join([parts[0], ", ".join(parts[1:])])
    kept = None if busy is None else excess - ended
    yield LiveEffect(LIVE_CHANGES[SIZE.name], str(group.max_size), str(size), excess, kept, note)


def _busy(group: Group, protecting: frozenset[str] | None) -> int | None:
    """Number of busy instances; None if one that is not protected may be busy all the same."""
    protected = {each.id for each in group.members if each.protected}
    unseen = set(group.alive()) - protected - (protecting or frozenset())
    return None if unseen else len(protected & set(group.alive()))


def _split(instances: int, busy: int | None) -> str:
    return "busy or idle" if busy is None else f"{busy} busy and {instances - busy} idle"


def _flag(value: bool) -> str:
    return "true" if value else "false"
