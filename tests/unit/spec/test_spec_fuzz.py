"""No content of a spec file ends in anything but annexes or problems."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annex_lease import terms
from annex_lease.kinds import written as example_of
from annex_spec import Spec, SpecError, load
from tests.unit.spec.spec_texts import ANNEX

EXAMPLES = [example_of(term) for term in (*terms.POOL_KEYS, *terms.ANNEX_KEYS, *terms.BASE_KEYS)]
_OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_TIMES: st.SearchStrategy[str] = st.one_of(
    st.datetimes(timezones=st.none() | _OFFSETS).map(datetime.isoformat),
    st.dates().map(date.isoformat),
    st.times().map(time.isoformat),
)
_TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80),
    st.text("-:/.,<>[]?=&@ abcdefghims0123456789", max_size=40),
    st.from_regex(r"\d{1,7}[dhms](\d{1,3}[hms])?", fullmatch=True),
    st.sampled_from(["ssm:", "arn:", "ami-", "us-", "/dev/", "aws", "c6a."]).flatmap(
        lambda start: st.text("abcdef0123456789:/.-", max_size=30).map(lambda rest: start + rest)
    ),
)


def quoted(text: str) -> str:
    """A text as TOML has it: its escapes are those of JSON, and it takes no bare DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


_SCALARS: st.SearchStrategy[str] = st.one_of(
    _TEXTS.map(quoted),
    st.integers(-(10**25), 10**25).map(str),
    st.sampled_from([10**400, -(10**400)]).map(str),
    st.floats().map(repr),
    st.sampled_from(["true", "false", *EXAMPLES]),
    _TIMES,
)
VALUES: st.SearchStrategy[str] = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]")
        | st.dictionaries(st.from_regex("[a-z_]{1,12}", fullmatch=True), inner, max_size=3).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        )
    ),
    max_leaves=6,
)


def tables(keys: tuple[Any, ...]) -> st.SearchStrategy[str]:
    """Lines of a table: some of its keys, and at times an unknown one, each with any value."""
    names = (
        st.sampled_from([term.name for term in keys])
        | st.from_regex("[a-z_]{1,12}", fullmatch=True)
        | _TEXTS.map(quoted)
    )
    return st.dictionaries(names, VALUES, max_size=4).map(
        lambda table: "".join(f"{key} = {value}\n" for key, value in table.items())
    )


def outcome(tmp_path: Path, content: bytes) -> Spec | SpecError:
    """The spec, or the refusal with a received value, the allowed ones and a fix for each problem."""
    file = tmp_path / "annexes.toml"
    file.write_bytes(content)
    try:
        return load(file)
    except SpecError as error:
        assert error.problems
        for problem in error.problems:
            assert problem.received and problem.allowed and problem.fix, problem
            assert len(problem.received) <= 400, problem
        assert str(error).startswith(str(file))
        # A line for each of four things, with any content, and nothing that a terminal takes for a command.
        lines = str(error).splitlines()
        assert len(lines) == 1 + 4 * len(error.problems)
        assert all(line.isprintable() for line in lines[1:])
        return error


FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(tables(terms.POOL_KEYS), tables(terms.BASE_KEYS), tables(terms.ANNEX_KEYS), tables(terms.ANNEX_KEYS))
def test_any_tables(tmp_path: Path, pool: str, base: str, defaults: str, annex: str) -> None:
    text = f"[pool]\n{pool}[base]\n{base}[defaults]\n{defaults}[annex.demo]\n{annex}"
    outcome(tmp_path, text.encode())


@FUZZ
@given(st.sampled_from(terms.ANNEX_KEYS), VALUES)
def test_one_wild_value_in_a_right_file(tmp_path: Path, term: Any, value: str) -> None:
    keys = {**ANNEX, term.name: value}
    pool = '[pool]\ncollector = "cm"\ntrust_domain = "example.edu"\n'
    text = pool + "[annex.demo]\n" + "".join(f"{key} = {each}\n" for key, each in keys.items())
    found = outcome(tmp_path, text.encode())
    if isinstance(found, SpecError):
        assert {problem.table for problem in found.problems} == {"[annex.demo]"}


@FUZZ
@given(st.sampled_from(terms.POOL_KEYS), VALUES)
def test_one_wild_value_in_the_pool(tmp_path: Path, term: Any, value: str) -> None:
    keys = {"collector": '"cm"', "trust_domain": '"example.edu"', term.name: value}
    pool = "[pool]\n" + "".join(f"{key} = {each}\n" for key, each in keys.items())
    annex = "[annex.demo]\n" + "".join(f"{key} = {each}\n" for key, each in ANNEX.items())
    found = outcome(tmp_path, (pool + annex).encode())
    if isinstance(found, SpecError):
        assert {problem.table for problem in found.problems} == {"[pool]"}


@FUZZ
@given(st.sampled_from(["", "pool", "base", "defaults", "annex", "annex.demo", "zzz"]), VALUES)
def test_a_value_in_place_of_a_table(tmp_path: Path, table: str, value: str) -> None:
    outcome(tmp_path, f"{table or 'x'} = {value}\n".encode())


@FUZZ
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    outcome(tmp_path, content)
