"""The pool that a deployed annex joins, as its lease checker's settings name it: needed where no spec file does."""

from __future__ import annotations

from dataclasses import dataclass

from annex_lease.invocation import CheckerSettings
from annex_pool.command_error import AnnexError
from annex_pool.deployed import Deployed
from annex_pool.own_resources import FUNCTION, find_arn
from annex_pool.region import asking


@dataclass(frozen=True)
class DeployedPool:
    """The pool of a deployed annex. An empty text means that it is not known.

    Attributes:
        collector: its collector, as the execution points have it.
        trust_domain: its trust domain.
        error: why the settings could not be read; empty if they were.
    """

    collector: str = ""
    trust_domain: str = ""
    error: str = ""


def deployed_pool(found: Deployed) -> DeployedPool:
    """Read the pool from the settings of the annex's lease checker; a failure is in `error`.

    An annex that was deployed by an earlier version names no pool.

    Args:
        found: the annex.
    """
    try:
        arn = find_arn(found, FUNCTION, None)
        with asking(f"for the settings of the lease checker of annex {found.name} in {found.aws.region}"):
            described = found.aws.functions.get_function_configuration(FunctionName=arn)
    except AnnexError as error:
        return DeployedPool(error=str(error))
    settings = CheckerSettings.from_environ(described.get("Environment", {}).get("Variables", {}))
    return DeployedPool(settings.collector, settings.trust_domain)
