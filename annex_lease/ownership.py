"""Ownership: which annex a resource belongs to, by its tags. Pure.

This is the one rule for the lease checker, the account-wide sweeper and the commands. Filters of AWS narrow a listing
only: filter values may hold wildcards, and another annex can have the same name. So each resource is compared here, in
full, before anything is done to it.

Four tags count. AWS writes two of them and no user can: `GROUP_TAG` on an instance while it is in a group, and
`STACK_ID_TAG` (with `STACK_NAME_TAG`) on what CloudFormation created. The template writes the name and the id of the
annex. The name alone proves nothing, because annexes in other stacks can have it too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from annex_lease.tags import TAG_ID, TAG_NAME, Tag

GROUP_TAG = "aws:autoscaling:groupName"
"""Tag that EC2 Auto Scaling puts on the instances of a group and removes from one that is detached."""
STACK_ID_TAG = "aws:cloudformation:stack-id"
"""Tag that CloudFormation puts on what it creates: the ARN of the stack."""
STACK_NAME_TAG = "aws:cloudformation:stack-name"
"""Tag that CloudFormation puts on what it creates: the name of the stack."""

STACK_PREFIX = "Annex-"
"""Beginning of the name of an annex's stack; the annex's name follows."""
STACK_DESCRIPTION = "HTCondor annex "
"""Beginning of the description of an annex's stack; the annex's name follows."""

_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ID = re.compile(rf"({_UUID})\.(.+)")
_STACK_ARN = re.compile(rf"arn:[^:]+:cloudformation:[^:]+:[0-9]+:stack/[^/]+/({_UUID})")
_STACK_NAME = re.compile(rf"{STACK_PREFIX}([a-z][a-z0-9-]*)")


def stack_name(annex: str) -> str:
    """Name of the CloudFormation stack of the annex of this name."""
    return f"{STACK_PREFIX}{annex}"


def instance_name(annex: str) -> str:
    """Tag `Name` of the instances of the annex of this name, of their volumes and their network interfaces."""
    return f"annex-{annex}"


class Owner(Enum):
    """Owner of a resource, from the view of one annex."""

    MEMBER = "member"
    """The annex: the resource is an instance of its group."""
    ANNEX = "annex"
    """The annex: the resource carries its unique id, and is in no group of another annex."""
    OTHER = "other"
    """Another annex, or none."""

    @property
    def ours(self) -> bool:
        """True if the resource belongs to the annex."""
        return self is not Owner.OTHER


@dataclass(frozen=True)
class Identity:
    """Identity of an annex, as far as it is known. An empty text means unknown and never matches.

    Attributes:
        name: name of the annex, which another annex in another stack can have too.
        id: unique id of the annex, `STACK UUID.NAME`.
        group: name of its Auto Scaling group.
    """

    name: str = ""
    id: str = ""
    group: str = ""

    @classmethod
    def claimed_by(cls, tags: Mapping[str, str]) -> Identity:
        """Identity that the tags of a resource claim, unchecked."""
        return cls(tags.get(TAG_NAME, ""), tags.get(TAG_ID, ""), tags.get(GROUP_TAG, ""))

    def owner_of(self, tags: Mapping[str, str], *, other_groups: Collection[str] = ()) -> Owner:
        """Owner of an instance with these tags.

        Args:
            tags: tags of the instance.
            other_groups: names of known groups: an instance of another group belongs to that group, even if it
                carries the id of this annex. Default: none are known.
        """
        member_of = tags.get(GROUP_TAG)
        if self.group and member_of == self.group:
            return Owner.MEMBER
        if self.id and tags.get(TAG_ID) == self.id and member_of not in other_groups:
            return Owner.ANNEX
        return Owner.OTHER

    def owns(self, tags: Mapping[str, str]) -> bool:
        """True if a resource that is no instance belongs to this annex: it has its name, and its id if that is known.

        What carries the name only belongs to another annex or is a copy: it must never get the token of the pool.
        """
        return carries_name(tags, self.name) and (not self.id or tags.get(TAG_ID) == self.id)


def carries_name(tags: Mapping[str, str], name: str) -> bool:
    """True if the tags hold exactly this annex name: necessary, and not sufficient, to belong to the annex."""
    return tags.get(TAG_NAME) == name


def by_key(tags: Iterable[Tag]) -> dict[str, str]:
    """Tags of a group by their keys."""
    return {tag.key: tag.value for tag in tags}


def by_key_from_api(described: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """Tags by their keys, from the form in which services of AWS list them (`Key` and `Value`)."""
    return {str(tag["Key"]): str(tag.get("Value") or "") for tag in described}


def stack_uuid(tags: Mapping[str, str]) -> str | None:
    """UUID of the stack that created the resource of these tags.

    Both the id of the annex and CloudFormation's own tag hold it. None if neither exists, if one of them cannot be
    read, or if they contradict each other: then the owner is unknown.
    """
    claims = set()
    if TAG_ID in tags:
        found = _ID.fullmatch(tags[TAG_ID])
        claims.add(found[1] if found and found[2] == tags.get(TAG_NAME) else None)
    if STACK_ID_TAG in tags:
        found = _STACK_ARN.fullmatch(tags[STACK_ID_TAG])
        claims.add(found[1] if found else None)
    return claims.pop() if len(claims) == 1 else None


def annex_id(tags: Mapping[str, str]) -> str:
    """Id of the annex that these tags belong to; empty if it is unknown."""
    uuid, name = stack_uuid(tags), tags.get(TAG_NAME)
    return f"{uuid}.{name}" if uuid and name else ""


def claimed_name(tags: Mapping[str, str]) -> str | None:
    """Annex name that the tags claim by the name or the id of the annex, unchecked; None if they hold neither."""
    if TAG_NAME in tags:
        return tags[TAG_NAME]
    # The UUID of the stack, a dot, the name.
    return tags[TAG_ID].partition(".")[2] if TAG_ID in tags else None


def name_of_stack(tags: Mapping[str, str]) -> str | None:
    """Annex name in the name of the stack that created the resource; None if it is no annex's stack."""
    found = _STACK_NAME.fullmatch(tags.get(STACK_NAME_TAG, ""))
    return found[1] if found else None
