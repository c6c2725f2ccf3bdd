"""Commands of a page of the documentation, run by hand as shown."""

from __future__ import annotations

import re
from pathlib import Path

from lab.operator import REPOSITORY, Operator

POOL_ROOT = Path("/run/annex-lab/pool")
"""The pool's root file system, which has the operator's AWS CLI."""


def block(page: str, language: str, number: int = 0) -> str:
    """A block of a page, without prompts."""
    found = re.findall(rf"```{language}\n(.*?)```", (REPOSITORY / "docs" / page).read_text(), re.S)
    return re.sub(r"^\$ ", "", found[number], flags=re.M)


def by_hand(operator: Operator, commands: str) -> str:
    """Run commands as shown. The CLI of the image trusts the lab's authority itself.

    The file of the operator's variable does not exist there.
    """
    shell = ("chroot", str(POOL_ROOT), "env", "-u", "AWS_CA_BUNDLE", "bash", "-c")
    return operator.run(*shell, f"set -euo pipefail\n{commands}")
