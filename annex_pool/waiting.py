"""Waiting until no instance is left, with a message for every change on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from annex_pool.command_error import AnnexError
from annex_pool.environment import Environment

_POLL_SECONDS = 5.0


@dataclass(frozen=True)
class Stopped:
    """Result of a stop.

    Attributes:
        failures: steps that failed, with the reason; empty if none did.
        left: ids of the instances that still exist.
    """

    failures: tuple[str, ...]
    left: tuple[str, ...]


@dataclass(frozen=True)
class Wait:
    """How to wait.

    Attributes:
        wait: wait at all; if False, the instances are listed once.
        longest: longest time to wait.
        say: called with every change in the number of instances.
    """

    wait: bool
    longest: timedelta
    say: Callable[[str], None]


def wait_until_gone(
    environment: Environment, alive: Callable[[], Mapping[str, str]], how: Wait, failures: list[str]
) -> Stopped:
    """List the instances until none is left, or time is over.

    Args:
        environment: external dependencies.
        alive: lists the alive instances by id, with their states; raises AnnexError.
        how: how to wait.
        failures: earlier steps that failed.

    Raises:
        AnnexError: the instances cannot be listed; its text holds the failures too.
    """
    deadline = environment.now() + how.longest
    printed = ""
    while True:
        try:
            left = alive()
        except AnnexError as error:
            # The earlier failures must be reported although the listing failed.
            raise AnnexError("; ".join([*failures, str(error)])) from error
        text = _counted(left)
        if text != printed:
            how.say(text)
            printed = text
        if not left or not how.wait or environment.now() >= deadline:
            return Stopped(tuple(failures), tuple(sorted(left)))
        environment.sleep(_POLL_SECONDS)


def _counted(left: Mapping[str, str]) -> str:
    if not left:
        return "no instance is left"
    counts = ", ".join(f"{number} {state}" for state, number in sorted(Counter(left.values()).items()))
    return f"{len(left)} instance{'' if len(left) == 1 else 's'} left: {counts}"
