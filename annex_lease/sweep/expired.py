"""Expired annexes that still exist: the lease checker's own decision, taken again for every group. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from annex_lease.actions import Action
from annex_lease.decision import decide
from annex_lease.lease import Phase
from annex_lease.observed import Group, Instance
from annex_lease.ownership import GROUP_TAG, Identity, Owner, annex_id, by_key
from annex_lease.sweep.resources import TaggedResource
from annex_lease.tags import TAG_END, TAG_ID, TAG_NAME, format_time, group_tag
from annex_lease.terms import GRACE


@dataclass(frozen=True)
class Ending:
    """An annex to end, with the actions on its group.

    Attributes:
        group: name of its group.
        name: name of the annex.
        id: id of the annex; empty if the group's tags do not identify it.
        reason: why it is to be ended.
        actions: what to do, in this order.
        alive: ids of the instances that may still cost money.
        instances: the instances that the decision was taken with, so that it can be taken again.
        grace: time that its instances may take to shut down.
        unreadable: the group's record cannot be read, and it is to be ended all the same.
    """

    group: str
    name: str
    id: str
    reason: str
    actions: tuple[Action, ...]
    alive: tuple[str, ...]
    instances: tuple[Instance, ...] | None = None
    grace: timedelta = GRACE.default_value
    unreadable: bool = False


def is_named(group: Group) -> bool:
    """True if the group is that of an annex, by the name or the id of one."""
    tags = by_key(group.tags)
    return TAG_NAME in tags or TAG_ID in tags


def is_readable(group: Group) -> bool:
    """True if the group's tags hold a complete lease."""
    return group.lease.policy is not None


def is_over(group: Group, now: datetime, slack: timedelta) -> bool:
    """True if the group's own, readable record says that its annex is over, ended or not.

    The description of the group is enough; the arguments are those of `find_ending`.
    """
    return is_readable(group) and decide(group, now - slack).phase in (Phase.DRAINING, Phase.ENDED)


def find_ending(group: Group, now: datetime, slack: timedelta, *, unreadable: bool = False) -> Ending | None:
    """Actions that are left to end the annex of a group; None if its lease lasts or nothing is left.

    Args:
        group: the group, with its instances if they could be listed.
        now: the current time, aware.
        slack: time after the end in which the annex is left to its own checker.
        unreadable: end a group whose record cannot be read; otherwise such a group is left alone.
    """
    if not unreadable and not is_readable(group):
        return None
    # An end that was moved into the past has had its grace: only the annex's own checker measures when it found it.
    seen = replace(_believed(group) if unreadable else group, over_for=GRACE.maximum)
    decision = decide(seen, now - slack)
    # The other actions (publish, notify, record) are for an annex whose checker works.
    actions = tuple(action for action in decision.actions if action.ends)
    if decision.phase is not Phase.DRAINING or not actions:
        return None
    tags = by_key(group.tags)
    return Ending(
        group=group.name,
        name=tags.get(TAG_NAME, ""),
        id=annex_id(tags),
        reason=decision.reason,
        actions=actions,
        alive=group.alive(),
        instances=group.instances,
        grace=group.lease.grace,
        unreadable=unreadable,
    )


def _believed(group: Group) -> Group:
    """A group whose record could not be read for long, as one whose lease is over with its grace.

    Its mark is older than the grace: see `annex_lease.sweep.sweep_plan`.
    """
    kept = tuple(tag for tag in group.tags if tag.key != TAG_END)
    return replace(group, tags=(*kept, group_tag(TAG_END, format_time(group.created))))


def find_endings(
    groups: Iterable[Group], owners: InstanceOwners | None, now: datetime, slack: timedelta
) -> list[Ending]:
    """Endings of all these groups.

    Args:
        groups: groups whose lease is over.
        owners: their instances; None if they could not be listed: then a group's own list must do.
        now: as for `find_ending`.
        slack: as for `find_ending`.
    """
    known = groups if owners is None else map(owners.with_instances, groups)
    return [ending for group in known if (ending := find_ending(group, now, slack))]


def decide_again(planned: Ending, group: Group | None, now: datetime, slack: timedelta) -> Ending | None:
    """Actions that are left of a planned ending after a new reading of its group; None if nothing is.

    A renewal or an extension may have come since everything was listed.

    Args:
        planned: the ending as planned.
        group: the group as it is now, without its instances; None if it does not exist any more.
        now: as for `find_ending`.
        slack: as for `find_ending`.
    """
    if group is None:
        return None
    return find_ending(replace(group, instances=planned.instances), now, slack, unreadable=planned.unreadable)


class InstanceOwners:
    """Listed instances, by the tags that name their owner: a group finds its own without a search through all."""

    def __init__(self, instances: Iterable[TaggedResource], group_names: frozenset[str]) -> None:
        """Keep the instances.

        Args:
            instances: the instances; one may be listed twice.
            group_names: names of all groups; an instance in another group does not belong to a group with its id.
        """
        self._names = group_names
        self._members: dict[str, list[TaggedResource]] = {}
        self._carriers: dict[str, list[TaggedResource]] = {}
        for each in instances:
            for key, found in ((GROUP_TAG, self._members), (TAG_ID, self._carriers)):
                if key in each.tags:
                    found.setdefault(each.tags[key], []).append(each)

    def with_instances(self, group: Group) -> Group:
        """The group with those instances that are its own."""
        identity = Identity(id=annex_id(by_key(group.tags)), group=group.name)
        own: dict[str, Instance] = {}
        for each in (*self._members.get(identity.group, ()), *self._carriers.get(identity.id, ())):
            owner = identity.owner_of(each.tags, other_groups=self._names)
            if owner.ours:
                own[each.id] = Instance(each.id, each.state, owner is Owner.MEMBER)
        return replace(group, instances=tuple(own.values()))
