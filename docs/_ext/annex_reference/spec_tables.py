"""The keys of a table of the spec file, from the declared values that the models are made of."""

from __future__ import annotations

from collections.abc import Iterator

from annex_lease.duration import FORM
from annex_lease.kinds import Span, Term, Text

from .generated import Generated, table


class SpecKeys(Generated):
    """Table of the declared values that the argument names: key, meaning, default, values allowed."""

    required_arguments, optional_arguments = 1, 0

    def lines(self) -> Iterator[str]:
        """One row for each key."""
        terms = self.named(".")
        assert isinstance(terms, tuple)  # noqa: S101 - a page names it, no user does
        yield from table(["key", "meaning", "default", "values"], map(_row, terms))


def _row(term: Term) -> list[str]:
    # The page describes the form of a duration once; the table has its range.
    return [f"`{term.name}`", term.meaning, _default(term), term.allowed.removeprefix(f"{FORM}; ")]


def _default(term: Term) -> str:
    if term.absent or term.default is None:
        return term.default_text
    return f'`"{term.default_text}"`' if isinstance(term, Span | Text) else f"`{term.default_text}`"
