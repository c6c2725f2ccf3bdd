"""Docstrings of the constructs and comments of the example file state the declared ranges and defaults."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from annex_lease import terms
from annex_lease.built_terms import IMAGE_KEYS
from annex_lease.duration import format_duration, parse_duration
from annex_lease.kinds import Number, Span, Term, Text, Texts

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "annexes.toml").read_text()
OTHER_NAMES: dict[str, Term] = {"duration": terms.LEASE, "max_size": terms.SIZE}
TERMS: dict[str, Term] = {term.name: term for term in vars(terms).values() if isinstance(term, Term)} | OTHER_NAMES
# Of the constructs whose values are those of an image, which can have another range than an annex's of the same name.
IMAGE_TERMS: dict[str, Term] = {term.name: term for term in IMAGE_KEYS}
IMAGE_CLASSES = ("AnnexImage", "BuildPlace", "ImageContent", "ImageUpkeep")
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
# "10 seconds", "1m", "1h30m", "100 million", "40".
VALUE = r"(\d+(?:[dhms](?:\d+[hms])*\b| (?:million|seconds?|minutes?|hours?|days?)\b)?)"
# Parameters whose documentation gives the range.
RANGES = {
    "LeaseTerms": ("duration", "renew_while_busy", "max_instance_hours", "warn_before_end"),
    "ExecutionPoint": ("volume_gib", "drain_before_end", "idle_timeout", "join_timeout", "shutdown_after_end"),
    "AnnexBase": ("max_removals", "interval"),
    "Annex": ("instance_types", "max_size"),
    "AnnexFleet": ("instance_types", "max_size"),
    "ImageContent": ("volume_gib",),
    "ImageUpkeep": ("keep", "keep_launched"),
}
DEFAULTS = {
    "LeaseTerms": ("grace",),
    "ExecutionPoint": (
        "volume_gib",
        "drain_before_end",
        "idle_timeout",
        "join_timeout",
        "shutdown_after_end",
    ),
    "AnnexBase": ("max_removals", "interval"),
    "Annex": ("on_demand_base", "on_demand_percentage"),
    "AnnexFleet": ("on_demand_base", "on_demand_percentage"),
    "ImageContent": ("volume_gib",),
    "ImageUpkeep": ("keep", "keep_launched"),
}


def parameters() -> Iterator[tuple[str, str, str]]:
    """Class, parameter and documentation of each parameter of a construct."""
    for path in sorted((ROOT / "annex_constructs").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                documented: list[ast.ClassDef | ast.FunctionDef] = [
                    node,
                    *(each for each in node.body if isinstance(each, ast.FunctionDef)),
                ]
                for each in documented:
                    text = re.sub(r"\s+", " ", ast.get_docstring(each) or "")
                    for name, meaning in re.findall(r":param (\w+): (.*?)(?= :param | :raises | :returns|$)", text):
                        yield node.name, name, meaning


def term_of(owner: str, name: str) -> Term | None:
    return IMAGE_TERMS.get(name) if owner in IMAGE_CLASSES else TERMS.get(name)


DOCUMENTED = {(owner, name): meaning for owner, name, meaning in parameters() if term_of(owner, name)}


def value_of(text: str) -> timedelta | int:
    if text[-1] in "dhms" and " " not in text:
        return parse_duration(text)
    number, _, unit = text.partition(" ")
    if unit == "million":
        return int(number) * 1_000_000
    return timedelta(seconds=int(number) * UNITS[unit.rstrip("s")]) if unit else int(number)


def ranges(text: str) -> list[tuple[timedelta | int, timedelta | int]]:
    return [(value_of(low), value_of(high)) for low, high in re.findall(rf"\b{VALUE} to {VALUE}\b", text)]


@pytest.mark.parametrize(("owner", "name"), sorted(DOCUMENTED))
def test_the_documentation_of_a_parameter_states_no_other_range(owner: str, name: str) -> None:
    term, text = term_of(owner, name), DOCUMENTED[owner, name]
    if isinstance(term, Span | Number) and (found := ranges(text)):
        assert found == [(term.minimum, term.maximum)]
    for text_of_maximum in re.findall(rf"\bup to {VALUE}\b", text):
        assert isinstance(term, Span | Number)
        assert value_of(text_of_maximum) == term.maximum
    for shown in re.findall(rf"Default: (?:- )?{VALUE}(?=[.,; ]|$)", text):
        assert isinstance(term, Span | Number)
        assert value_of(shown) == term.default
    for shown in re.findall(r"Default: (?:- )?`(/[^`]*)`", text):
        assert isinstance(term, Text)
        assert shown == term.default


@pytest.mark.parametrize(("owner", "name"), [(owner, name) for owner, names in RANGES.items() for name in names])
def test_the_documentation_of_a_parameter_has_its_range(owner: str, name: str) -> None:
    term = term_of(owner, name)
    assert isinstance(term, Span | Number | Texts)
    assert ranges(DOCUMENTED[owner, name]) == [(term.minimum, term.maximum)]


@pytest.mark.parametrize(("owner", "name"), [(owner, name) for owner, names in DEFAULTS.items() for name in names])
def test_the_documentation_of_a_parameter_has_its_default(owner: str, name: str) -> None:
    assert re.search(rf"Default: (?:- )?(?:{VALUE}|`/\S*`)", DOCUMENTED[owner, name])


def with_every_key() -> dict[str, dict[str, object]]:
    """The example with the keys that are commented out."""
    return tomllib.loads(re.sub(r"^# (?=\w+ = |\[)", "", EXAMPLE, flags=re.MULTILINE))


def comments() -> dict[str, str]:
    """The comment beside each key of the example, of all tables."""
    found: dict[str, str] = {}
    key = ""
    for line in EXAMPLE.splitlines():
        match = re.match(r"(?:# )?(\w+) = .*?# (.*)", line)
        if match:
            key = match[1]
            found[key] = f"{found.get(key, '')} {match[2]}"
        elif key and re.match(r"\s+# ", line):
            found[key] += " " + line.strip(" #")
        else:
            key = ""
    return found


COMMENTS = {key: text for key, text in comments().items() if key in TERMS}


@pytest.mark.parametrize("term", [term for term in terms.ANNEX_KEYS if term.default is not None], ids=lambda t: t.name)
def test_the_defaults_of_the_example_are_the_defaults(term: Term) -> None:
    tables = with_every_key()
    for table in (tables["defaults"], {}):
        if term.name in table:
            value = table[term.name]
            assert (parse_duration(str(value)) if isinstance(term, Span) else value) == term.default
            return
    assert term.name in tables["annex"]["demo"]  # type: ignore[operator]


@pytest.mark.parametrize("key", sorted(COMMENTS))
def test_a_comment_of_the_example_states_no_other_range(key: str) -> None:
    term, text = TERMS[key], COMMENTS[key]
    if not isinstance(term, Span | Number):
        return

    def shown(value: timedelta | int | None) -> str:
        return format_duration(value) if isinstance(value, timedelta) else str(value)

    for low, high in re.findall(r"\b(\d\w*) to (\d\w*)\b", text):
        assert (low, high) == (shown(term.minimum), shown(term.maximum))
    for high in re.findall(r"\bup to (\d\w*)\b", text):
        assert high == shown(term.maximum)
    for low in re.findall(r"\bat least (\d\w*)\b", text):
        assert low == shown(term.minimum)
    for default in re.findall(r"\bdefault: (\d\w*)\b", text):
        assert default == shown(term.default)
