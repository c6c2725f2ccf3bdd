"""The declared values that say whose jobs an annex accepts; `annex_lease.terms` has the others.

Each stands here once. Users import them from `annex_lease.terms`.
"""

from __future__ import annotations

from annex_lease import job_forms
from annex_lease.kinds import Flag, Text, Texts

_MAX_NAMES = 50

OPT_IN = Flag(
    "opt_in",
    "only jobs that ask for the annex run there: those with `My.TargetAnnexName` and its name, or with "
    "`My.MayUseAWS = true`; `false`: every job of the pool may",
    "true",
    default=True,
)
OWNERS = Texts(
    "owners",
    "users whose jobs may run there: a name is compared with a job's `Owner`, a name with `@` with its `User`",
    job_forms.OWNER,
    f"1 to {_MAX_NAMES} different users, each {job_forms.OWNER.allowed}",
    '["ada", "bob@example.edu"]',
    maximum=_MAX_NAMES,
    absent="every user",
)
GROUPS = Texts(
    "groups",
    "accounting groups whose jobs may run there, with all their subgroups",
    job_forms.GROUP,
    f"1 to {_MAX_NAMES} different accounting groups, each {job_forms.GROUP.allowed}",
    '["group_physics"]',
    maximum=_MAX_NAMES,
    absent="every group, and jobs of none",
)
PROJECT_ID = Text(
    "project_id",
    "project that pays: machines advertise it as `ProjectID`, and only jobs with the same `My.ProjectID` run there",
    job_forms.PROJECT_ID,
    absent="none, jobs of every project",
)
START = Text(
    "start",
    "further condition on jobs, a ClassAd expression that is added to START with `&&`",
    job_forms.START,
    absent="none",
)
JOB_KEYS = (OPT_IN, OWNERS, GROUPS, PROJECT_ID, START)
"""The keys in the order of the reference; each is a parameter of an execution point too."""
