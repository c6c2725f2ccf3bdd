"""Which annex a resource belongs to, as its tags tell it, and whether that annex still has a group. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from annex_lease.observed import Group
from annex_lease.tags import TAG_ID, TAG_NAME

STACK_TAG = "aws:cloudformation:stack-id"
"""The tag that CloudFormation puts on what it makes; nobody else can write it."""
GROUP_TAG = "aws:autoscaling:groupName"
"""The tag that EC2 Auto Scaling puts on the instances of a group; nobody else can write it."""

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ID = re.compile(rf"({_UUID})\.(.+)")
_STACK = re.compile(rf"arn:[^:]+:cloudformation:[^:]+:[0-9]+:stack/[^/]+/({_UUID})")


def group_tags(group: Group) -> dict[str, str]:
    """The tags of a group by their keys."""
    return {tag.key: tag.value for tag in group.tags}


def stack_uuid(tags: Mapping[str, str]) -> str | None:
    """The uuid of the stack that made the resource of these tags.

    Two tags can tell it, the annex's id and CloudFormation's own. None if neither does, if one of them cannot be read,
    or if the two contradict each other: then nobody knows whose the resource is.
    """
    told = set()
    if TAG_ID in tags:
        found = _ID.fullmatch(tags[TAG_ID])
        told.add(found[1] if found and found[2] == tags.get(TAG_NAME) else None)
    if STACK_TAG in tags:
        found = _STACK.fullmatch(tags[STACK_TAG])
        told.add(found[1] if found else None)
    return told.pop() if len(told) == 1 else None


def annex_id(tags: Mapping[str, str]) -> str:
    """The id of the annex that these tags belong to; empty if nobody knows."""
    uuid, name = stack_uuid(tags), tags.get(TAG_NAME)
    return f"{uuid}.{name}" if uuid and name else ""


class Living:
    """The annexes that have a group."""

    def __init__(self, groups: Iterable[Group]) -> None:
        """Keep what the groups are called.

        Args:
            groups: all groups of the Region.
        """
        all_tags = {group.name: group_tags(group) for group in groups}
        self._groups = frozenset(all_tags)
        self._ids = frozenset(annex_id(tags) for tags in all_tags.values())
        self._raw_ids = frozenset(tags[TAG_ID] for tags in all_tags.values() if TAG_ID in tags)
        self._names = frozenset(tags.get(TAG_NAME, "") for tags in all_tags.values())
        # A group that does not tell which annex it is may be that of any annex of its name.
        self._vague = frozenset(tags.get(TAG_NAME, "") for tags in all_tags.values() if not annex_id(tags))
        self.stacks = frozenset(uuid for uuid in map(stack_uuid, all_tags.values()) if uuid)
        """The uuids of the stacks whose groups exist."""

    def owns(self, tags: Mapping[str, str]) -> bool:
        """Whether a resource of these tags belongs to an annex that has a group; in doubt it does."""
        if tags.get(GROUP_TAG) in self._groups or tags.get(TAG_ID) in self._raw_ids:
            return True
        name, own = tags.get(TAG_NAME, ""), annex_id(tags)
        return own in self._ids or name in self._vague if own else name in self._names
