"""The docstrings of the public classes: one style, an example in each, and the ranges and defaults of the terms."""

from __future__ import annotations

import ast
import inspect
import re
from enum import Enum

import pytest

import annex_constructs
from annex_constructs import AnnexBase, LeaseTerms
from annex_lease import terms
from annex_lease.duration import format_duration
from annex_lease.terms import Number, Span

PUBLIC = [getattr(annex_constructs, name) for name in annex_constructs.__all__]
CLASSES = [each for each in PUBLIC if inspect.isclass(each)]
DOCUMENTED: list[tuple[type, str, Span | Number]] = [
    (LeaseTerms, "duration", terms.LEASE),
    (LeaseTerms, "max_lifetime", terms.MAX_LIFETIME),
    (LeaseTerms, "grace", terms.GRACE),
    (LeaseTerms, "renew_while_busy", terms.RENEW_WHILE_BUSY),
    (LeaseTerms, "max_instance_hours", terms.MAX_INSTANCE_HOURS),
    (LeaseTerms, "warn_before_end", terms.WARN_BEFORE_END),
    (AnnexBase, "max_removals", terms.MAX_REMOVALS),
    (AnnexBase, "interval", terms.INTERVAL),
]


def parameters(kind: type) -> dict[str, str]:
    """The text of each `:param` of a class, on one line."""
    found = re.findall(r":param (\w+): (.*?)(?=\n:|\Z)", inspect.getdoc(kind) or "", flags=re.DOTALL)
    return {name: " ".join(text.split()) for name, text in found}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_parameter_is_documented_in_the_class_in_its_order(kind: type) -> None:
    signature = inspect.signature(kind.__init__)  # type: ignore[misc]
    names = [name for name in signature.parameters if name != "self"] if not issubclass(kind, Enum) else []
    assert list(parameters(kind)) == ([] if kind is annex_constructs.IAnnex else names)
    own = vars(kind).get("__init__")
    assert own is None or ":param" not in (own.__doc__ or ""), "one place: the class"


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_every_class_has_an_example_that_is_python(kind: type) -> None:
    text = inspect.getdoc(kind) or ""
    example = re.search(r"^Example[^\n]*::\n\n((?:    [^\n]*\n|\n)+)", text, flags=re.MULTILINE)
    assert example, text
    code = inspect.cleandoc(example[1])
    assert kind.__name__ in code or kind is annex_constructs.IAnnex
    ast.parse(code)


@pytest.mark.parametrize(("kind", "name", "term"), DOCUMENTED, ids=lambda one: getattr(one, "name", ""))
def test_a_docstring_has_the_range_and_the_default_of_the_term(kind: type, name: str, term: Span | Number) -> None:
    text = parameters(kind)[name]
    if isinstance(term, Span):
        low, high, default = term.minimum, term.maximum, term.default
        assert f"{format_duration(low)} to {format_duration(high)}" in text
        said = None if default is None else format_duration(default)
    else:
        assert f"{term.minimum} to {term.maximum}" in text
        said = None if term.default is None else str(term.default)
    if term is terms.WARN_BEFORE_END:
        assert (said, term.range in text) == ("15m", True)
        said = term.absent
    if said is not None:
        assert f"Default: {said}." in text
