"""The forms of the texts that say whose jobs an annex accepts, as the spec file and the boot files read them."""

from __future__ import annotations

from annex_lease.forms import Form

MAX_EXPRESSION_LENGTH = 500
"""Characters of the user's own addition to START: it is in the user data, which has a limit."""
MAX_JOBS_LENGTH = 1000
"""Characters of the whole condition on jobs: it is in the user data, which has a limit."""
_USER = "[A-Za-z0-9_][A-Za-z0-9._+-]*"
_PROJECT = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"

OWNER = Form(
    f"{_USER}(@[A-Za-z0-9][A-Za-z0-9._-]*)?",
    "a user of the access point, such as ada, or a user with the pool's UID_DOMAIN, such as ada@example.edu",
    "ada",
    max_length=254,
)
# Letters, digits and _ are those of an accounting group's name; a dot begins a subgroup (HTCondor manual,
# "Accounting Groups with Hierarchical Group Quotas").
GROUP = Form(
    r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*",
    "the name of an accounting group: letters, digits, _ and -, with dots before subgroups",
    "group_physics",
    max_length=128,
)
PROJECT_ID = Form(_PROJECT, "1 to 64 letters, digits and ._-, a letter or a digit first", "muon-2026", max_length=64)
START = Form(
    "[ !-#%-~]+",
    f"one ClassAd expression of at most {MAX_EXPRESSION_LENGTH} characters, without macros",
    "TARGET.RequestMemory < 8192",
    max_length=MAX_EXPRESSION_LENGTH,
)
# As a machine reads them. A dollar sign would be a macro of HTCondor's configuration, a backslash at the end would
# continue the line.
JOBS = Form(
    "[ !-#%-~]*[a-z)]",
    "the condition on jobs, of printable characters without $",
    "TARGET.MayUseAWS =?= true",
    max_length=MAX_JOBS_LENGTH,
)
PROJECT_OR_NONE = Form(f'("{_PROJECT}")?', f"{PROJECT_ID.allowed}, in double quotes; or nothing", '"muon-2026"')
