"""Expired annexes that still exist: the lease checker's own decision, taken again for every group. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from annex_lease.actions import Action
from annex_lease.decision import decide
from annex_lease.lease import Phase
from annex_lease.observed import Group, Instance, with_facts
from annex_lease.ownership import Identity, Owner, annex_id, by_key
from annex_lease.sweep.resources import TaggedResource
from annex_lease.tags import TAG_NAME


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
        unreadable: the group's record cannot be read, and it is to be ended all the same.
    """

    group: str
    name: str
    id: str
    reason: str
    actions: tuple[Action, ...]
    alive: tuple[str, ...]
    instances: tuple[Instance, ...] | None = None
    unreadable: bool = False


def is_readable(group: Group) -> bool:
    """True if the group's tags hold a complete lease."""
    return group.lease.policy is not None


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
    # An earlier run, an hour ago, could not read the record either: that is the second reading.
    decision = decide(with_facts(group, {"confirmed": unreadable}), now - slack)
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
        unreadable=unreadable,
    )


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


def with_instances(group: Group, instances: Iterable[TaggedResource], group_names: frozenset[str]) -> Group:
    """The group with those instances that are its own.

    Args:
        group: the group.
        instances: all instances with the tag `annex:name`.
        group_names: names of all groups; an instance in another group does not belong to this one.
    """
    identity = Identity(id=annex_id(by_key(group.tags)), group=group.name)
    owners = ((each, identity.owner_of(each.tags, other_groups=group_names)) for each in instances)
    own = tuple(Instance(each.id, each.state, owner is Owner.MEMBER) for each, owner in owners if owner.ours)
    return replace(group, instances=own)
