"""What a run will do, all of it, before anything is done: a dry run ends here. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from annex_lease.observed import Group
from annex_lease.sweep.expired import Ending, ending, readable, with_instances
from annex_lease.sweep.identity import group_tags, stack_uuid
from annex_lease.sweep.marks import TAG_ORPHAN, is_due, marked_since
from annex_lease.sweep.orphan import Judge, Standing, Verdict
from annex_lease.sweep.resources import REMOVAL_ORDER, Inventory, Kind, Resource
from annex_lease.tags import TAG_ID, TAG_NAME


@dataclass(frozen=True)
class Settings:
    """How the sweeper works.

    Attributes:
        slack: how long after its end an annex is left to its own checker. Default: 10 minutes.
        wait: how old a resource must be, and how long its mark must stand, before it is removed. Default: 1 hour.
        max_removals: with more removals than this in one run, none is done. Default: 50.
        dry_run: change nothing. Default: False.
        marking: whether orphans are marked in other runs, if not in this one. If not, as where every run is a dry run,
            nobody knows since when an orphan is one, and none is ever due: then the plan tells what would be removed
            later, and those are counted against `max_removals` too. Default: True.
    """

    slack: timedelta = timedelta(minutes=10)
    wait: timedelta = timedelta(hours=1)
    max_removals: int = 50
    dry_run: bool = False
    marking: bool = True


@dataclass(frozen=True)
class Removal:
    """An orphan that is to be removed now; of a group without a readable lease, what ends it."""

    resource: Resource
    reason: str
    ending: Ending | None = None

    @property
    def weight(self) -> int:
        """How much it takes away: one, or all instances of a group."""
        return max(1, len(self.ending.alive)) if self.ending else 1


@dataclass
class Plan:
    """What a run will do.

    Attributes:
        endings: annexes whose own, readable record says that they are over.
        marks: orphans that are found for the first time.
        waiting: orphans whose mark does not stand long enough yet.
        unmarks: what was marked and is no orphan.
        removals: orphans to remove, in the order of removal; empty if the run is aborted.
        later: what marks would lead to, were they written: every orphan that is not removed; empty where they are.
        reports: what an operator should look at; nothing is done about it.
        aborted: why nothing is removed, although something should be; None if that is not so.
    """

    endings: list[Ending] = field(default_factory=list)
    marks: list[tuple[Resource, str]] = field(default_factory=list)
    waiting: list[tuple[Resource, str]] = field(default_factory=list)
    unmarks: list[tuple[Resource, str]] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    later: list[Removal] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    aborted: str | None = None

    @property
    def orphans(self) -> int:
        """How many orphans there are, whatever is done about them now."""
        return len(self.marks) + len(self.waiting) + len(self.removals)


def make_plan(seen: Inventory, now: datetime, settings: Settings) -> Plan:
    """Judge everything that was seen.

    What could not be listed is not judged: without the instances, annexes are ended as far as their groups tell;
    without any one of the other listings there are no orphans.

    Args:
        seen: the inventory.
        now: the current time, aware.
        settings: how the sweeper works.
    """
    plan = Plan()
    names = frozenset(group.name for group in seen.groups)
    groups = [group for group in seen.groups if TAG_NAME in group_tags(group)]
    foreign = [group for group in seen.groups if TAG_NAME not in group_tags(group)]
    if seen.instances is not None:
        groups = [with_instances(group, seen.instances, names) for group in groups]
    plan.endings += [found for group in groups if (found := ending(group, now, settings.slack))]
    if seen.instances is not None and seen.others is not None and seen.stacks is not None:
        judge = Judge([*foreign, *groups], seen.stacks, now, settings.wait)
        for group in groups:
            _sort_group(plan, group, now, settings)
        for resource in (*seen.instances, *seen.others):
            _sort(plan, resource, judge.judge(resource), now, settings)
        plan.reports += [problem for group in groups if (problem := judge.problem_of_group(group))]
        plan.reports += [problem for stack in seen.stacks if (problem := judge.problem_of_stack(stack))]
        _limit(plan, settings.max_removals)
    return plan


def _sort_group(plan: Plan, group: Group, now: datetime, settings: Settings) -> None:
    """A group whose record cannot be read: ended like an orphan, in two phases, if it is surely an annex's."""
    tags = group_tags(group)
    resource = Resource(Kind.GROUP, group.name, tags, group.created)
    verdict = Verdict(Standing.LIVE, "its lease can be read")
    found = None
    if not readable(group) and now - group.created >= settings.wait:
        if TAG_ID not in tags or stack_uuid(tags) is None:
            verdict = Verdict(Standing.UNCLEAR, f"its lease cannot be read, and no {TAG_ID} tells whose it is")
        elif found := ending(group, now, settings.slack, unread=True):
            verdict = Verdict(Standing.ORPHAN, "its lease cannot be read, and it is not empty and stopped")
    _sort(plan, resource, verdict, now, settings, found)


def _sort(
    plan: Plan, resource: Resource, verdict: Verdict, now: datetime, settings: Settings, found: Ending | None = None
) -> None:
    if verdict.standing is not Standing.ORPHAN:
        if verdict.standing is Standing.UNCLEAR:
            plan.reports.append(f"{resource.kind.value} {resource.id}: {verdict.reason}")
        gone = resource.kind is Kind.INSTANCE and not resource.costs()
        if TAG_ORPHAN in resource.tags and not gone:
            plan.unmarks.append((resource, verdict.reason))
        return
    removal = Removal(resource, verdict.reason, found)
    if is_due(resource.tags, now, settings.wait):
        plan.removals.append(removal)
        return
    first = marked_since(resource.tags, now) is None
    (plan.marks if first else plan.waiting).append((resource, verdict.reason))
    if not settings.marking:
        plan.later.append(removal)


def _limit(plan: Plan, most: int) -> None:
    for removals in (plan.removals, plan.later):
        removals.sort(key=lambda removal: REMOVAL_ORDER.index(removal.resource.kind))
    weight = sum(removal.weight for removal in (*plan.removals, *plan.later))
    if weight > most:
        plan.aborted = (
            f"{weight} things would be removed in one run, allowed are {most}: nothing was removed. Look at a dry run, "
            "and raise max_removals if the list is right"
        )
        plan.waiting += _kept(plan.removals)
        plan.removals.clear()


def _kept(removals: Iterable[Removal]) -> list[tuple[Resource, str]]:
    return [(removal.resource, removal.reason) for removal in removals]
