"""Outcome of carrying out actions: what was tried, and what failed. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from annex_lease.actions import Action


@dataclass(frozen=True)
class Outcome:
    """Outcome of carrying out actions.

    Attributes:
        tried: the actions that were tried, failed or not.
        failures: what failed, one text for each action.
        notes: failures of actions that no lease depends on.
    """

    tried: tuple[Action, ...] = ()
    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def joined(outcomes: Iterable[Outcome]) -> Outcome:
    """All outcomes of a run as one, each action and each text once."""
    parts = tuple(outcomes)
    return Outcome(
        tuple(dict.fromkeys(action for each in parts for action in each.tried)),
        tuple(dict.fromkeys(failure for each in parts for failure in each.failures)),
        tuple(dict.fromkeys(note for each in parts for note in each.notes)),
    )
