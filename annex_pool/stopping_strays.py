"""`annex stop` for an annex whose Auto Scaling group is gone: its instances are terminated by id, if they are one's."""

from __future__ import annotations

from annex_lease.actuator import carry_out
from annex_lease.aws import list_instances
from annex_lease.decision import decide
from annex_lease.observed import Missing
from annex_pool.aws import Aws, asking
from annex_pool.environment import Environment
from annex_pool.error import AnnexError
from annex_pool.finding import find
from annex_pool.stray import Stray, counted, list_strays, one_annex, states, unclear
from annex_pool.waiting import Stopped, Waiting, wait_until_gone

_PAUSE_SECONDS = 10.0
"""Before it counts that a group does not exist: AWS's listings are eventually consistent."""


def stop_strays(environment: Environment, aws: Aws, name: str, how: Waiting) -> Stopped:
    """Terminate what still runs of an annex that has no group. There is no grace: nothing says how long it may stay.

    Args:
        environment: the world.
        aws: the clients of the annex's Region.
        name: the annex's name.
        how: how to wait for the instances to go.

    Raises:
        AnnexError: there are none, so there is nothing to stop; they are not certainly of one annex; the group is
            there after all; AWS could not be asked. Nothing was terminated then.
    """
    strays = list_strays(aws, name)
    if not strays:
        raise AnnexError(
            f"annex {name} is not deployed in {aws.region}: there is nothing to stop, and no instance is billed: EC2 "
            "lists none that carries its name"
        )
    environment.sleep(_PAUSE_SECONDS)
    if find(aws, name) is not None:
        raise AnnexError(f"annex {name} was listed without its Auto Scaling group for a moment: repeat the command")
    return wait_until_gone(
        environment,
        lambda: states(list_strays(aws, name)),
        how,
        _terminate(environment, aws, name, list_strays(aws, name) or strays),
    )


def _terminate(environment: Environment, aws: Aws, name: str, strays: tuple[Stray, ...]) -> list[str]:
    annex = one_annex(aws, name, strays)
    if annex is None:
        raise AnnexError(f"{counted(aws, name, strays)}; {unclear(name)}")
    with asking(f"for the instances of annex {name} in {aws.region}"):
        # Compared once more, exactly, by the lease's own rule of what is an annex's.
        listed = list_instances(annex)
    decision = decide(Missing(annex.group, instances=listed, confirmed=True), environment.now())
    return list(carry_out(decision.actions, annex).failures)
