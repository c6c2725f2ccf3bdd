"""Plan of what one run does about orphans, complete before any is touched; a dry run reports it. Pure.

The annexes that are over were ended before: see `annex_lease.sweep.expired`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from annex_lease.observed import Group
from annex_lease.ownership import by_key, stack_uuid
from annex_lease.sweep.expired import Ending, InstanceOwners, find_ending, is_named, is_readable
from annex_lease.sweep.orphan import OrphanCheck, Standing, Verdict, is_due, marked_since
from annex_lease.sweep.resources import REMOVAL_ORDER, Inventory, ResourceKind, TaggedResource
from annex_lease.sweep.sweep_settings import SweepSettings
from annex_lease.tags import TAG_ID, TAG_ORPHAN


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
    """Plan of what one run does about orphans.

    Attributes:
        marks: orphans that were not found before, with the reason.
        waiting: orphans whose mark is not old enough, with the reason.
        unmarks: marked resources that are not orphans, with the reason.
        removals: orphans to remove, in the order of removal; empty if the run is aborted.
        later: removals that marks would lead to, if every run is a dry run and none is ever written; otherwise empty.
        unattached: volumes that are attached to nothing, of annexes that are not ended, with the reason.
        doubtful: log groups that no annex owns, as the tagging service lists them.
        reports: problems for the operator; the sweeper does nothing about them.
        aborted: why nothing is removed although there are removals; None otherwise.
    """

    marks: list[tuple[TaggedResource, str]] = field(default_factory=list)
    waiting: list[tuple[TaggedResource, str]] = field(default_factory=list)
    unmarks: list[tuple[TaggedResource, str]] = field(default_factory=list)
    removals: list[Removal] = field(default_factory=list)
    later: list[Removal] = field(default_factory=list)
    unattached: list[tuple[TaggedResource, str]] = field(default_factory=list)
    doubtful: list[TaggedResource] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    aborted: str | None = None

    @property
    def orphans(self) -> int:
        """Number of orphans, with or without a mark."""
        return len(self.marks) + len(self.waiting) + len(self.removals)


def make_plan(seen: Inventory, now: datetime, settings: SweepSettings) -> SweepPlan:
    """Decide about everything that was listed. Without any one of the listings there are no orphans.

    Args:
        seen: the inventory.
        now: the current time, aware.
        settings: settings of the sweeper.
    """
    plan = SweepPlan()
    if seen.instances is None or seen.others is None or seen.stacks is None:
        return plan
    instances = InstanceOwners(seen.instances, frozenset(group.name for group in seen.groups))
    groups = [instances.with_instances(group) for group in seen.groups if is_named(group)]
    foreign = [group for group in seen.groups if not is_named(group)]
    check = OrphanCheck([*foreign, *groups], seen.stacks, now, settings)
    for group in groups:
        _sort_group(plan, group, now, settings)
    for resource in (*seen.instances, *seen.others):
        _sort(plan, resource, check.verdict(resource), now, settings)
    plan.reports += _reports_of_volumes(plan.unattached)
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
            verdict = Verdict(Standing.UNCLEAR, "its lease cannot be read, and its tags do not identify its annex")
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
    if resource.kind is ResourceKind.LOG_GROUP and verdict.standing is not Standing.KEPT:
        plan.doubtful.append(resource)
    if verdict.standing is not Standing.ORPHAN:
        if verdict.standing is Standing.UNCLEAR:
            plan.reports.append(f"{resource.kind.value} {resource.id}: {verdict.reason}")
        if verdict.standing is Standing.UNATTACHED:
            plan.unattached.append((resource, verdict.reason))
        dead = resource.kind is ResourceKind.INSTANCE and not resource.costs()
        if TAG_ORPHAN in resource.tags and not dead:
            plan.unmarks.append((resource, verdict.reason))
        return
    removal = Removal(resource, verdict.reason, ending)
    # What ends without notice has had its grace while it was marked.
    if is_due(resource.tags, now, max(settings.wait, ending.grace) if ending else settings.wait):
        plan.removals.append(removal)
        return
    first = marked_since(resource.tags, now) is None
    (plan.marks if first else plan.waiting).append((resource, verdict.reason))
    if settings.dry_run:
        # Without a mark no orphan is ever due, so the limit counts what marks would lead to.
        plan.later.append(removal)


def _reports_of_volumes(unattached: Iterable[tuple[TaggedResource, str]]) -> Iterator[str]:
    """One report for each annex: a fleet can leave hundreds of volumes."""
    volumes: dict[str, list[str]] = {}
    for resource, _ in unattached:
        volumes.setdefault(resource.tags[TAG_ID], []).append(resource.id)
    for id, ids in volumes.items():
        yield (
            f"unattached volumes of annex {id}: {len(ids)}, the first is {ids[0]}; delete what is not needed, or leave "
            "them to the sweeper, which removes them after the annex is ended"
        )


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
