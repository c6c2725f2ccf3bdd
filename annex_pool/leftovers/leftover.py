"""A resource that is left of an annex, and the rule for which annex it belongs to. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from annex_lease.forms import ANNEX_NAME
from annex_lease.ownership import STACK_NAME_TAG, STACK_PREFIX, claimed_name, name_of_stack
from annex_lease.tags import shown

GLOBAL = "global"
"""Region of resources that belong to no Region (IAM)."""

# CloudFormation generates names of the form STACK-LOGICALID-RANDOM. No annex name holds an upper-case letter, so the
# text between the two fixed parts is the whole name: annex `a` is never taken for annex `a-b`. A stack in a stage of an
# app has the name of the stage before its own (AWS CDK API Reference, `Stage`).
_GENERATED = re.compile(rf"(?:/aws/lambda/)?(?:[A-Za-z0-9-]+-)?{STACK_PREFIX}([a-z][a-z0-9-]*)-Annex[A-Z].*", re.S)
# CloudFormation cuts both parts if a service's names are short (64 characters for functions and schedules). For other
# kinds a guess is not needed, and would take one annex's resource for another's: longer names are not cut (instance
# profiles: 128 characters), and the roles and log groups of an annex carry the tag.
_MIN_CUT_LENGTH = 16
_CUT_KINDS = frozenset({"function", "schedule"})


@dataclass(frozen=True)
class ListedResource:
    """A resource as a service lists it.

    Attributes:
        kind: kind of resource, such as "volume".
        id: its id or name.
        state: its state as the service reports it; empty if it has none.
        tags: its tags, as far as they can be read.
        name: the name that CloudFormation may have generated; empty: none.
        tagging_only: only the tagging service lists it, and this package cannot ask the resource's own service.
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
        annex: the annex's name, as read from the resource.
        region: its Region, or "global".
        resource: the resource.
        by: evidence that it belongs to the annex: "tag", "stack", "name", or "network" for a resource of others in the
            annex's own network.
    """

    annex: str
    region: str
    resource: ListedResource
    by: str

    def as_data(self) -> dict[str, object]:
        """An item of `leftovers` in `annex leftovers --json`.

        Keys: annex, region, kind, id, state, stack (null if none), by, tagging_service_only.
        """
        return {
            "annex": self.annex,
            "region": self.region,
            "kind": self.resource.kind,
            "id": self.resource.id,
            "state": self.resource.state,
            "stack": self.resource.tags.get(STACK_NAME_TAG),
            "by": self.by,
            "tagging_service_only": self.resource.tagging_only,
        }


def left_of(resource: ListedResource, annex: str | None, region: str) -> Leftover | None:
    """The resource as a leftover of an annex; None if it belongs to no annex, or to another one.

    A tag with the annex's name, or its id, decides. Without one the stack decides, then the name that CloudFormation
    generated. Only a generated name can have been cut, and only for the kinds with short names.

    Args:
        resource: the resource.
        annex: the annex's exact name; None: any annex.
        region: the Region in which it was listed.
    """
    named, by = _named(resource)
    guessed = by == "name" and resource.kind in _CUT_KINDS
    if named is None or (annex is not None and named != annex and not (guessed and _cut_from(named, annex))):
        return None
    # The value of a tag can be any text; the name of an annex needs no quotes.
    return Leftover(named if ANNEX_NAME.matches(named) else shown(named), region, resource, by)


def may_belong_to_annex(name: str, description: str = "") -> bool:
    """True if a resource of this name and description may belong to an annex, so that its tags must be read."""
    text = name.removeprefix("/aws/lambda/")
    return text.startswith("Annex") or f"-{STACK_PREFIX}" in text or "annex" in description.lower()


def _named(resource: ListedResource) -> tuple[str | None, str]:
    claimed, stack = claimed_name(resource.tags), name_of_stack(resource.tags)
    if claimed is not None:
        return claimed, "tag"
    if stack is not None:
        return stack, "stack"
    generated = _GENERATED.fullmatch(resource.name)
    return (generated[1], "name") if generated else (None, "")


def _cut_from(named: str, annex: str) -> bool:
    return len(named) >= _MIN_CUT_LENGTH and annex.startswith(named)
