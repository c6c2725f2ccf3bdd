"""Waiting until no instance is left, and telling of every change on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from annex_pool.environment import Environment
from annex_pool.error import AnnexError

_POLL_SECONDS = 5.0


@dataclass(frozen=True)
class Stopped:
    """What `stop` achieved.

    Attributes:
        failures: what did not work; empty if everything did.
        left: ids of the instances that are still there.
    """

    failures: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True)
class Waiting:
    """How to wait.

    Attributes:
        wait: whether to wait at all; if not, one look is taken.
        longest: how long at most.
        say: is told of every change in the number of instances.
    """

    wait: bool
    longest: timedelta
    say: Callable[[str], None]


def wait_until_gone(
    environment: Environment, alive: Callable[[], Mapping[str, str]], how: Waiting, failures: list[str]
) -> Stopped:
    """Look until no instance is left, or time is over.

    Args:
        environment: the world.
        alive: the alive instances by id, with their states; raises AnnexError.
        how: how to wait.
        failures: what did not work before.

    Raises:
        AnnexError: the instances cannot be listed; with the failures before it.
    """
    deadline = environment.now() + how.longest
    said = ""
    while True:
        try:
            left = alive()
        except AnnexError as error:
            # Not knowing what is left must not hide what did not work before.
            raise AnnexError("; ".join([*failures, str(error)])) from error
        text = _counted(left)
        if text != said:
            how.say(text)
            said = text
        if not left or not how.wait or environment.now() >= deadline:
            return Stopped(tuple(failures), tuple(sorted(left)))
        environment.sleep(_POLL_SECONDS)


def _counted(left: Mapping[str, str]) -> str:
    if not left:
        return "no instance is left"
    states = ", ".join(f"{number} {state}" for state, number in sorted(Counter(left.values()).items()))
    return f"{len(left)} instance{'' if len(left) == 1 else 's'} left: {states}"
