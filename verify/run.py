"""One run of the verification: its random id, and the names and the tag that nothing else in the account has."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from annex_lease.ownership import stack_name

MARK = "htcondor-annex-verify"
"""Key of the tag on every resource that a run makes; its value is the id of the run."""
STACK_MARK = "htcondor-annex-verify-run"
"""Key of the tag on the stacks of a run. CloudFormation passes it on to the resources, so it is not `MARK`."""
LETTERS = ("a", "b", "c")
"""The annexes of a run: `a` is updated and destroyed, the lease of `b` ends, instances of `c` install HTCondor."""
PREFIX = "verify-"
"""Beginning of the name of each annex of a run; the id of the run follows."""
ID_FORM = re.compile(r"[0-9a-f]{8}")
_STACK = re.compile(rf"{stack_name(PREFIX)}({ID_FORM.pattern})-([a-z])")


@dataclass(frozen=True)
class Run:
    """A run.

    Attributes:
        id: eight random hexadecimal digits.
        region: code of the Region.
    """

    id: str
    region: str

    @classmethod
    def new(cls, region: str) -> Run:
        """A run with an id of its own."""
        return cls(secrets.token_hex(4), region)

    def annex(self, letter: str) -> str:
        """Name of an annex of the run; an annex is known by a letter."""
        return f"{PREFIX}{self.id}-{letter}"

    def stack(self, letter: str) -> str:
        """Name of the annex's stack."""
        return stack_name(self.annex(letter))


def run_of_stack(name: str, tags: Mapping[str, str], status: str) -> str | None:
    """Id of the run that made a stack; None if no run did.

    Name and tag must both be those of one run: a stack of a user that has one of them by chance is never touched. A
    stack that is still a change set has no tags, and no resources.

    Args:
        name: the stack's name.
        tags: its tags.
        status: its status.
    """
    match = _STACK.fullmatch(name)
    if match is None:
        return None
    unmade = status == "REVIEW_IN_PROGRESS" and not tags
    return match[1] if unmade or tags.get(STACK_MARK) == match[1] else None
