"""Plan of one run, complete before anything is done; a dry run reports it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from annex_lease.observed import Group
from annex_lease.ownership import by_key, stack_uuid
from annex_lease.sweep.expired import Ending, find_ending, is_readable, with_instances
from annex_lease.sweep.orphan import OrphanCheck, Standing, Verdict, is_due, marked_since
from annex_lease.sweep.resources import REMOVAL_ORDER, Inventory, ResourceKind, TaggedResource
from annex_lease.sweep.sweep_settings import SweepSettings
from annex_lease.tags import TAG_ID, TAG_NAME, TAG_ORPHAN


@dataclass(frozen=True)
class Removal:
    """An orphan to remove, with the reason; for a group without a readable lease, the ending of its annex."""

    resource: TaggedResource
    reason: str
    ending: Ending | None = None

    @property
    def weight(self) -> int:
        """Number of removals that it counts for: one, or one for each instance of a group."""
        return max(1, len(self.ending.alive)) if self.ending else 1


@dataclass
class SweepPlan:
    """Plan of one run.

    Attributes:
        endings: annexes whose own, readable record says that their lease is over.
        marks: orphans that were not found before, with the reason.
        waiting: orphans whose mark is not old enough, with the reason.
        unmarks: marked resources that are not orphans, with the reason.
        removals: orphans to remove, in the order of removal; empty if the run is aborted.
        later: removals that marks would lead to, if every run is a dry run and none is ever written; otherwise empty.
        reports: problems for the operator; the sweeper does nothing about them.
        aborted: why nothing is removed although there are removals; None otherwise.
    """

    endings: list[Ending] = field(default_factory=list)
    marks: list[tuple[TaggedResource, str]] = field(default_factory=list)
    waiting: list[tuple[TaggedResource, str]] = field(default_factory=list)
    unmarks: list[tuple[TaggedResource, str]] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    later: list[Removal] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    aborted: str | None = None

    @property
    def orphans(self) -> int:
        """Number of orphans, with or without a mark."""
        return len(self.marks) + len(self.waiting) + len(self.removals)


def make_plan(seen: Inventory, now: datetime, settings: SweepSettings) -> SweepPlan:
    """Decide about everything that was listed.

    Without the instances, annexes are ended as far as their groups list them. Without any one of the other listings
    there are no orphans.

    Args:
        seen: the inventory.
        now: the current time, aware.
        settings: settings of the sweeper.
    """
    plan = SweepPlan()
    names = frozenset(group.name for group in seen.groups)
    groups = [group for group in seen.groups if TAG_NAME in by_key(group.tags)]
    foreign = [group for group in seen.groups if TAG_NAME not in by_key(group.tags)]
    if seen.instances is not None:
        groups = [with_instances(group, seen.instances, names) for group in groups]
    plan.endings += [ending for group in groups if (ending := find_ending(group, now, settings.slack))]
    if seen.instances is not None and seen.others is not None and seen.stacks is not None:
        check = OrphanCheck([*foreign, *groups], seen.stacks, now, settings.wait)
        for group in groups:
            _sort_group(plan, group, now, settings)
        for resource in (*seen.instances, *seen.others):
            _sort(plan, resource, check.verdict(resource), now, settings)
        plan.reports += [problem for group in groups if (problem := check.problem_of_group(group))]
        plan.reports += [problem for stack in seen.stacks if (problem := check.problem_of_stack(stack))]
        _limit(plan, settings.max_removals)
    return plan


def _sort_group(plan: SweepPlan, group: Group, now: datetime, settings: SweepSettings) -> None:
    """Treat a group with an unreadable record as an orphan, if it certainly is that of an annex."""
    tags = by_key(group.tags)
    resource = TaggedResource(ResourceKind.GROUP, group.name, tags, group.created)
    verdict = Verdict(Standing.KEPT, "its lease can be read")
    ending = None
    if not is_readable(group) and now - group.created >= settings.wait:
        if TAG_ID not in tags or stack_uuid(tags) is None:
            verdict = Verdict(Standing.UNCLEAR, f"its lease cannot be read, and no tag {TAG_ID} identifies its annex")
        elif ending := find_ending(group, now, settings.slack, unreadable=True):
            verdict = Verdict(Standing.ORPHAN, "its lease cannot be read, and it is not empty and stopped")
    _sort(plan, resource, verdict, now, settings, ending)


def _sort(
    plan: SweepPlan,
    resource: TaggedResource,
    verdict: Verdict,
    now: datetime,
    settings: SweepSettings,
    ending: Ending | None = None,
) -> None:
    if verdict.standing is not Standing.ORPHAN:
        if verdict.standing is Standing.UNCLEAR:
            plan.reports.append(f"{resource.kind.value} {resource.id}: {verdict.reason}")
        dead = resource.kind is ResourceKind.INSTANCE and not resource.costs()
        if TAG_ORPHAN in resource.tags and not dead:
            plan.unmarks.append((resource, verdict.reason))
        return
    removal = Removal(resource, verdict.reason, ending)
    if is_due(resource.tags, now, settings.wait):
        plan.removals.append(removal)
        return
    first = marked_since(resource.tags, now) is None
    (plan.marks if first else plan.waiting).append((resource, verdict.reason))
    if settings.dry_run:
        # Without a mark no orphan is ever due, so the limit counts what marks would lead to.
        plan.later.append(removal)


def _limit(plan: SweepPlan, maximum: int) -> None:
    for removals in (plan.removals, plan.later):
        removals.sort(key=lambda removal: REMOVAL_ORDER.index(removal.resource.kind))
    weight = sum(removal.weight for removal in (*plan.removals, *plan.later))
    if weight > maximum:
        plan.aborted = (
            f"{weight} resources would be removed in one run, allowed are {maximum}: nothing was removed. Look at a "
            "dry run, and raise max_removals if the list is right"
        )
        plan.waiting += _reasons(plan.removals)
        plan.removals.clear()


def _reasons(removals: Iterable[Removal]) -> list[tuple[TaggedResource, str]]:
    return [(removal.resource, removal.reason) for removal in removals]
