"""What is left of an annex: a resource that some service still lists, and how one tells whose it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from annex_lease.forms import ANNEX_NAME
from annex_lease.tags import TAG_ID, TAG_NAME, shown

STACK_TAG = "aws:cloudformation:stack-name"
"""The tag by which CloudFormation marks what it makes; nobody else can write it."""
GLOBAL = "global"
"""The Region of what belongs to no Region (IAM)."""

_STACK = re.compile(r"Annex-([a-z][a-z0-9-]*)")
# CloudFormation names what has no name STACK-LOGICALID-RANDOM. No annex's name holds an upper-case letter, so what
# stands between the two fixed words is the whole name: annex `a` is never taken for annex `a-b`.
_GENERATED = re.compile(r"(?:/aws/lambda/)?Annex-([a-z][a-z0-9-]*)-Annex[A-Z].*", re.S)
# It cuts both parts where a service's names are short (64 characters for functions and schedules). Elsewhere a guess is
# needless, and would take one annex's for another's: what has longer names is not cut (instance profiles: 128
# characters), and roles and log groups of ours carry the tag.
_SHORTEST_CUT = 16
_CUT_KINDS = frozenset({"function", "schedule"})


@dataclass(frozen=True)
class Resource:
    """A resource as a service lists it.

    Attributes:
        kind: what it is, such as "volume".
        id: its id or name.
        state: what the service says about it; empty if nothing.
        tags: its tags, as far as they can be asked for.
        name: the name that CloudFormation may have given it; empty: none.
        tagging_only: the tagging service lists it and nobody here knows how to ask its own service.
    """

    kind: str
    id: str
    state: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    tagging_only: bool = False


@dataclass(frozen=True)
class Leftover:
    """A resource that is left of an annex.

    Attributes:
        annex: the annex's name, as the resource says it.
        region: its Region, or "global".
        resource: the resource.
        by: how one knows whose it is: "tag", "stack" or "name".
    """

    annex: str
    region: str
    resource: Resource
    by: str

    def as_data(self) -> dict[str, object]:
        """As `annex leftovers --json` prints it: annex, region, kind, id, state, stack, by, tagging_service_only."""
        return {
            "annex": self.annex,
            "region": self.region,
            "kind": self.resource.kind,
            "id": self.resource.id,
            "state": self.resource.state,
            "stack": self.resource.tags.get(STACK_TAG),
            "by": self.by,
            "tagging_service_only": self.resource.tagging_only,
        }


def left_of(resource: Resource, annex: str | None, region: str) -> Leftover | None:
    """The resource as something left of an annex; None if it belongs to no annex, or to another one.

    A tag with the annex's name, or its id, decides; only without one the stack counts, and then the name that
    CloudFormation gave. Only that can have been cut, and only where that is known to happen.

    Args:
        resource: the resource.
        annex: the annex's exact name; None: any annex.
        region: where it was listed.
    """
    said, by = _said(resource)
    guessed = by == "name" and resource.kind in _CUT_KINDS
    if said is None or (annex is not None and said != annex and not (guessed and _cut_from(said, annex))):
        return None
    # Any text can be the value of a tag; a name of ours needs no quotes.
    return Leftover(said if ANNEX_NAME.matches(said) else shown(said), region, resource, by)


def may_be_ours(name: str, description: str = "") -> bool:
    """Whether it is worth asking for the tags of what has this name and description."""
    text = name.removeprefix("/aws/lambda/")
    return text.startswith("Annex") or "annex" in description.lower()


def _said(resource: Resource) -> tuple[str | None, str]:
    if TAG_NAME in resource.tags:
        return resource.tags[TAG_NAME], "tag"
    if TAG_ID in resource.tags:
        # The unique part, a dot, the name.
        return resource.tags[TAG_ID].partition(".")[2], "tag"
    stack = _STACK.fullmatch(resource.tags.get(STACK_TAG, ""))
    if stack:
        return stack[1], "stack"
    generated = _GENERATED.fullmatch(resource.name)
    return (generated[1], "name") if generated else (None, "")


def _cut_from(said: str, annex: str) -> bool:
    return len(said) >= _SHORTEST_CUT and annex.startswith(said)
