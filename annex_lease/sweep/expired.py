"""Which annexes are over and still there: the decision of the lease checker, taken again by somebody else. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from annex_lease.actions import Action, Phase
from annex_lease.decision import decide
from annex_lease.observed import Group, Instance
from annex_lease.sweep.identity import GROUP_TAG, annex_id, group_tags
from annex_lease.sweep.resources import Resource
from annex_lease.tags import TAG_ID, TAG_NAME


@dataclass(frozen=True)
class Ending:
    """An annex to end: what to do about its group, in this order, and why.

    `id` is empty if the group's tags do not tell which annex it is; `alive` are the ids of the instances that are
    still there. `instances` and `unread` are what the decision was taken with, so that it can be taken again.
    """

    group: str
    name: str
    id: str
    reason: str
    actions: tuple[Action, ...]
    alive: tuple[str, ...]
    instances: tuple[Instance, ...] | None = None
    unread: bool = False


def readable(group: Group) -> bool:
    """Whether the group's tags hold a complete lease."""
    return group.lease.policy is not None


def ending(group: Group, now: datetime, slack: timedelta, *, unread: bool = False) -> Ending | None:
    """What is left to do to end the annex of this group; None if its lease lasts or nothing is left.

    Args:
        group: the group, with its instances if they could be listed.
        now: the current time, aware.
        slack: how long the annex's own checker has, after the end, before it counts as not working.
        unread: end it although its record cannot be read; otherwise such a group is left alone.
    """
    if not unread and not readable(group):
        return None
    # What cannot be read was read in another run before, an hour ago: that is the confirmation.
    decision = decide(replace(group, confirmed=unread), now - slack)
    # The other actions of a decision are for an annex whose checker works.
    actions = tuple(action for action in decision.actions if action.ends)
    if decision.phase is not Phase.DRAINING or not actions:
        return None
    tags = group_tags(group)
    return Ending(
        group=group.name,
        name=tags.get(TAG_NAME, ""),
        id=annex_id(tags),
        reason=decision.reason,
        actions=actions,
        alive=group.alive(),
        instances=group.instances,
        unread=unread,
    )


def still_due(planned: Ending, group: Group | None, now: datetime, slack: timedelta) -> Ending | None:
    """What is left to do of a planned ending, now that its group was read again; None if nothing is.

    A renewal or an extension may have come since everything was listed.

    Args:
        planned: what was planned.
        group: the group as it is now, without its instances; None if it does not exist any more.
        now: as for `ending`.
        slack: as for `ending`.
    """
    if group is None:
        return None
    return ending(replace(group, instances=planned.instances), now, slack, unread=planned.unread)


def with_instances(group: Group, instances: Iterable[Resource], others: frozenset[str]) -> Group:
    """The group with the instances that EC2 knows as its own, by exact comparison.

    Args:
        group: the group.
        instances: all instances with an annex's name.
        others: names of all groups: an instance of another group is never this one's, whatever else it carries.
    """
    own = annex_id(group_tags(group))
    own_instances = []
    for instance in instances:
        member_of = instance.tags.get(GROUP_TAG)
        # AWS takes its tag from an instance that is detached; the annex's id stays.
        detached = bool(own) and instance.tags.get(TAG_ID) == own and member_of not in others
        if member_of == group.name or detached:
            own_instances.append(Instance(instance.id, instance.state, member=member_of == group.name))
    return replace(group, instances=tuple(own_instances))
