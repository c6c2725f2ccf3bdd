"""Which jobs an annex accepts: the condition that its machines add to START, and the rules about its parts.

A rule returns None, or the conflict in words, as those of `annex_lease.rules` do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from annex_lease.classad_expression import ExpressionError, check_expression
from annex_lease.job_forms import MAX_JOBS_LENGTH
from annex_lease.job_terms import GROUPS, OPT_IN, OWNERS, PROJECT_ID, START
from annex_lease.kinds import written
from annex_lease.rules import Conflict


@dataclass(frozen=True, kw_only=True)
class JobPolicy:
    """Which jobs an annex accepts. The attributes are `annex_lease.job_terms.JOB_KEYS`."""

    opt_in: bool = OPT_IN.default_value
    owners: Sequence[str] = ()
    groups: Sequence[str] = ()
    project_id: str | None = None
    start: str | None = None

    @property
    def condition(self) -> str:
        """The condition on a job as a ClassAd expression: true or false, never undefined.

        The names of `TARGET` are the job's, those of `MY` the machine's. `=?=` is false where an attribute is missing.
        """
        parts = [*self._parts()]
        joined = parts[0] if len(parts) == 1 else " && ".join(f"({part})" for part in parts)
        return f"({joined}) =?= true" if parts else "true"

    @property
    def project(self) -> str:
        """The project as a ClassAd string; empty if there is none."""
        return "" if self.project_id is None else f'"{self.project_id}"'

    def _parts(self) -> Iterator[str]:
        if self.opt_in:
            yield "TARGET.TargetAnnexName =?= MY.AnnexName || TARGET.MayUseAWS =?= true"
        if self.owners:
            names = [each for each in self.owners if "@" not in each]
            users = [each for each in self.owners if "@" in each]
            lists = (("Owner", names), ("User", users))
            yield " || ".join(f'stringListMember(TARGET.{key}, "{",".join(found)}")' for key, found in lists if found)
        if self.groups:
            # In a bracket, because a backslash before the dot would need a second one.
            groups = "|".join(each.replace(".", "[.]") for each in self.groups)
            # Upper and lower case are one: "Group names are case-insensitive" (HTCondor manual, GROUP_NAMES).
            yield f'regexp("^({groups})[.]", strcat(TARGET.AcctGroup, "."), "i")'
        if self.project_id is not None:
            yield "TARGET.ProjectID =?= MY.ProjectID"
        if self.start is not None:
            yield self.start

    def sentences(self, annex: str) -> tuple[str, ...]:
        """The jobs that may run there, in words.

        Args:
            annex: name of the annex.
        """
        asked = f'jobs with My.TargetAnnexName = "{annex}", or with My.MayUseAWS = true'
        return tuple(
            text
            for text, holds in (
                (asked if self.opt_in else f"every job of the pool ({OPT_IN.name} = false)", True),
                (f"only of {', '.join(self.owners)} ({OWNERS.name})", self.owners),
                (f"only of {', '.join(self.groups)} and their subgroups ({GROUPS.name})", self.groups),
                (f'only with My.ProjectID = "{self.project_id}" ({PROJECT_ID.name})', self.project_id is not None),
                (f"only if {self.start} ({START.name})", self.start is not None),
            )
            if holds
        )


def start_conflict(start: str) -> Conflict | None:
    """The addition to START is one expression of allowed parts: it cannot change another setting of the machine."""
    try:
        check_expression(start)
    except ExpressionError as error:
        return Conflict(START.name, f"{START.allowed}; {error}", advice=f"{START.name} = {written(START)}")
    return None


def jobs_conflict(policy: JobPolicy) -> Conflict | None:
    """The whole condition fits into the user data."""
    length = len(policy.condition)
    if length <= MAX_JOBS_LENGTH:
        return None
    # Without users and groups every condition fits: START has a limit of its own.
    name, instead = (OWNERS.name, "groups in place of users") if policy.owners else (GROUPS.name, "a group above them")
    parts = ", ".join(term.name for term in (OWNERS, GROUPS, START))
    allowed = f"{parts} that make a condition of at most {MAX_JOBS_LENGTH} characters, not {length}"
    return Conflict(name, allowed, advice=f"shorten {name}, such as by {instead}")
