"""Tags of an organisation: merged by key, and of a form that every resource of an annex takes."""

from __future__ import annotations

import pytest

from annex_lease import terms
from annex_lease.tags import DECLARED_TAGS, MAX_OWN_TAGS, MAX_TAGS, RUNTIME_TAGS, TAG_DURATION, TAG_ENDS_AT
from annex_spec import BaseSpec, SpecError
from tests.unit.spec.spec_texts import POOL, Read, ReadAnnex

DEFAULTS = '[defaults]\nregion = "us-east-1"\nimage = "ami-01234567"\nlease = "8h"\n'
KEYS = 'size = 2\ninstance_types = ["c6a.large"]\n'
LONGEST = "k" * 127, "v" * 256


def table(tags: dict[str, str]) -> str:
    return "{ " + ", ".join(f'"{key}" = "{value}"' for key, value in tags.items()) + " }"


def test_an_annex_adds_to_the_tags_of_the_defaults_and_overrides_single_keys(read: Read) -> None:
    annexes = read(
        f'{POOL}{DEFAULTS}tags = {{ team = "physics", cost-centre = "1" }}\n'
        f'[annex.a]\n{KEYS}[annex.a.tags]\ncost-centre = "2"\nphase = "test"\n[annex.b]\n{KEYS}'
    ).annexes
    assert annexes["a"].tags == {"team": "physics", "cost-centre": "2", "phase": "test"}
    assert annexes["b"].tags == {"team": "physics", "cost-centre": "1"}


def test_there_are_none_by_default(read_annex: ReadAnnex) -> None:
    assert read_annex().annexes["demo"].tags == {}
    assert BaseSpec().tags == {}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("team", "physics"),
        ("cost-centre", "4711"),
        ("org.example:owner@lab_1+x=y", "a b/c:d=e+f-g@h.i_j"),
        ("k", "Müller, Jürgen".replace(",", "")),
        ("k", "物理"),
        ("annexe", "x"),
        ("name", "x"),
        ("index", "_index"),
        LONGEST,
    ],
)
def test_what_aws_takes_is_taken(read_annex: ReadAnnex, key: str, value: str) -> None:
    assert read_annex(tags=table({key: value})).annexes["demo"].tags == {key: value}
    assert BaseSpec(tags={key: value}).tags == {key: value}


WRONG_KEYS = (
    "keys of 1 to 127 letters a-z and A-Z, digits and +-=._:@ (not '.', '..' or '_index'), because instances read "
    "their tags in their metadata"
)
RESERVED = "keys without the prefix aws: or annex:, and not Name, which the annex sets"
WRONG_VALUES = "values of 1 to 256 letters, digits, spaces and _.:/=+-@"


@pytest.mark.parametrize(
    ("key", "value", "received", "allowed"),
    [
        ("cost centre", "1", "the key 'cost centre'", WRONG_KEYS),
        ("team/owner", "1", "the key 'team/owner'", WRONG_KEYS),
        ("a,b", "1", "the key 'a,b'", WRONG_KEYS),
        ("tëam", "1", "the key 'tëam'", WRONG_KEYS),
        ("", "1", "the key ''", WRONG_KEYS),
        ("..", "1", "the key '..'", WRONG_KEYS),
        ("_index", "1", "the key '_index'", WRONG_KEYS),
        ("k" * 128, "1", f"the key '{'k' * 128}'", WRONG_KEYS),
        ("aws:team", "1", "the key 'aws:team'", RESERVED),
        ("AWS:team", "1", "the key 'AWS:team'", RESERVED),
        ("annex:lease-until", "1", "the key 'annex:lease-until'", RESERVED),
        ("Name", "1", "the key 'Name'", RESERVED),
        ("team", "", "the key 'team' = ''", WRONG_VALUES),
        ("team", "a,b", "the key 'team' = 'a,b'", WRONG_VALUES),
        ("team", "a\\tb", "the key 'team' = 'a\\tb'", WRONG_VALUES),
        ("team", "v" * 257, f"the key 'team' = '{'v' * 257}'", WRONG_VALUES),
    ],
)
def test_what_a_resource_would_refuse_is_refused(
    read_annex: ReadAnnex, key: str, value: str, received: str, allowed: str
) -> None:
    with pytest.raises(SpecError) as refused:
        read_annex(tags=table({key: value}))
    (problem,) = refused.value.problems
    assert (problem.table, problem.key, problem.received, problem.allowed) == (
        "[annex.demo]",
        "tags",
        received,
        allowed,
    )
    assert problem.fix


def test_keys_that_differ_in_case_only_are_refused(read: Read) -> None:
    """IAM takes one of them: `Duplicate tag keys found. Please note that Tag keys are case insensitive.`"""
    text = f"{POOL}{DEFAULTS}tags = {{ Team = 'physics' }}\n[annex.a]\n{KEYS}tags = {{ %s = 'physics' }}\n"
    assert read(text % "Team").annexes["a"].tags == {"Team": "physics"}
    with pytest.raises(SpecError) as refused:
        read(text % "team")
    (problem,) = refused.value.problems
    assert (problem.table, problem.key, problem.received) == ("[annex.a]", "tags", "'Team' and 'team'")


@pytest.mark.parametrize("value", ['"team"', "3", '["team"]', "{ team = 3 }", "{ team = true }", "{ a = { b = 'c' } }"])
def test_another_type_is_refused(read_annex: ReadAnnex, value: str) -> None:
    with pytest.raises(SpecError) as refused:
        read_annex(tags=value)
    (problem,) = refused.value.problems
    assert (problem.key, problem.allowed) == ("tags", terms.TAGS.allowed)
    assert problem.fix == f"tags = {terms.TAGS.example}"


def test_the_example_is_right(read_annex: ReadAnnex) -> None:
    assert read_annex(tags=terms.TAGS.example).annexes["demo"].tags == {"team": "physics", "cost-centre": "4711"}


def test_the_lease_keeps_room_for_its_own_tags(read_annex: ReadAnnex) -> None:
    # A lease has one of the two ends; `Name` is the group's too.
    assert {TAG_DURATION, TAG_ENDS_AT} <= DECLARED_TAGS
    assert MAX_OWN_TAGS + len(DECLARED_TAGS) - 1 + len({"Name"}) + len(RUNTIME_TAGS) == MAX_TAGS
    tags = {f"team{number}": "physics" for number in range(MAX_OWN_TAGS)}
    assert read_annex(tags=table(tags)).annexes["demo"].tags == tags
    with pytest.raises(SpecError, match=f"{MAX_OWN_TAGS + 1} tags"):
        read_annex(tags=table({**tags, "more": "physics"}))


def test_the_tags_of_both_tables_are_counted(read: Read) -> None:
    common = ", ".join(f'a{number} = "x"' for number in range(MAX_OWN_TAGS))
    text = f"{POOL}{DEFAULTS}tags = {{ {common} }}\n[annex.a]\n{KEYS}tags = {{ %s = 'y' }}\n"
    assert len(read(text % "a0").annexes["a"].tags) == MAX_OWN_TAGS
    with pytest.raises(SpecError, match=r"\[annex.a\] tags"):
        read(text % "b")


def test_wrong_tags_of_the_defaults_are_reported_once(read: Read) -> None:
    with pytest.raises(SpecError) as refused:
        read(f"{POOL}{DEFAULTS}tags = {{ 'a b' = 'x' }}\n[annex.a]\n{KEYS}[annex.b]\n{KEYS}")
    assert [(problem.table, problem.key) for problem in refused.value.problems] == [("[defaults]", "tags")]
