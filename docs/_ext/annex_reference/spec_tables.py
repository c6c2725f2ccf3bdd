"""The keys of the spec file: meaning and values of each, and what a change of them does to running instances."""

from __future__ import annotations

from collections.abc import Iterator

from annex_lease.duration import FORM
from annex_lease.kinds import Span, Term, Text
from annex_lease.live_changes import LIVE_CHANGES

from .generated import Generated, table


class SpecKeys(Generated):
    """Table of the declared values that the argument names: key, meaning, default, values allowed."""

    required_arguments, optional_arguments = 1, 0

    def lines(self) -> Iterator[str]:
        """One row for each key."""
        terms = self.named(".")
        assert isinstance(terms, tuple)  # noqa: S101 - a page names it, no user does
        yield from table(["key", "meaning", "default", "values"], map(_row, terms))


class LiveChanges(Generated):
    """Table of the keys whose change reaches running instances, and of what a deployment then does."""

    optional_arguments = 0

    def lines(self) -> Iterator[str]:
        """One row for each effect, with all keys that have it."""
        keys: dict[str, list[str]] = {}
        for key, change in LIVE_CHANGES.items():
            keys.setdefault(change.does, []).append(f"`{key}`")
        rows = [[", ".join(found), does] for does, found in keys.items()]
        yield from table(["changed key", "what a deployment does"], rows)


def _row(term: Term) -> list[str]:
    # The page describes the form of a duration once; the table has its range.
    return [f"`{term.name}`", term.meaning, _default(term), term.allowed.removeprefix(f"{FORM}; ")]


def _default(term: Term) -> str:
    if term.absent or term.default is None:
        return term.default_text
    return f'`"{term.default_text}"`' if isinstance(term, Span | Text) else f"`{term.default_text}`"
