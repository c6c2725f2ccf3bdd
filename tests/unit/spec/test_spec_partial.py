"""A spec file as far as it is valid: what is wrong in one table hides no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from annex_spec import DeclaredPlace, PartialSpec, SpecError, load, load_partly

GOOD = """
[pool]
collector = "cm.example.edu"
trust_domain = "example.edu"
[defaults]
region = "us-east-1"
image = "ami-0123456789abcdef0"
instance_types = ["c6a.large"]
lease = "8h"
[annex.demo]
size = 3
[annex.west]
size = 1
region = "us-west-2"
account = "123456789012"
"""
EAST = DeclaredPlace("us-east-1", None)
WEST = DeclaredPlace("us-west-2", "123456789012")


def partly(folder: Path, text: str) -> PartialSpec:
    file = folder / "annexes.toml"
    file.write_text(text)
    return load_partly(file)


def test_a_file_that_is_allowed(tmp_path: Path) -> None:
    found, whole = partly(tmp_path, GOOD), load(tmp_path / "annexes.toml")
    assert found.problems == ()
    assert (found.pool, dict(found.annexes), found.base) == (whole.pool, dict(whole.annexes), whole.base)
    assert found.places == {"demo": EAST, "west": WEST}
    assert found.annex("demo") == whole.annex("demo")


@pytest.mark.parametrize(
    ("old", "new", "valid", "places"),
    [
        ("size = 1", "size = 0", ["demo"], {"demo": EAST, "west": WEST}),
        ('"us-west-2"', '"Mars"', ["demo"], {"demo": EAST, "west": DeclaredPlace(None, WEST.account)}),
        ('"us-west-2"', "3", ["demo"], {"demo": EAST, "west": DeclaredPlace(None, WEST.account)}),
        ('"123456789012"', "1", ["demo"], {"demo": EAST, "west": DeclaredPlace("us-west-2", None)}),
        ("[annex.west]\n", "[annex]\nwest = 3\n[x]\n", ["demo"], {"demo": EAST, "west": EAST}),
        ('collector = "cm.example.edu"\n', "", ["demo", "west"], {"demo": EAST, "west": WEST}),
        ("[defaults]", "[default]", [], {"demo": DeclaredPlace(None, None), "west": WEST}),
        ("[pool]", "[pools]", ["demo", "west"], {"demo": EAST, "west": WEST}),
    ],
)
def test_what_is_wrong_in_one_table(
    tmp_path: Path, old: str, new: str, valid: list[str], places: dict[str, DeclaredPlace]
) -> None:
    assert old in GOOD
    found = partly(tmp_path, GOOD.replace(old, new))
    assert (list(found.annexes), found.places) == (valid, places)
    assert found.problems
    with pytest.raises(SpecError) as refused:
        load(found.path)
    assert refused.value.problems == found.problems


@pytest.mark.parametrize("text", ["[annex.demo", "x = " + "[" * 3000])
def test_a_file_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    found = partly(tmp_path, text)
    assert (found.pool, found.annexes, found.places, len(found.problems)) == (None, {}, {}, 1)
    with pytest.raises(SpecError):
        found.annex("demo")


def test_a_missing_file(tmp_path: Path) -> None:
    (problem,) = load_partly(tmp_path / "nowhere.toml").problems
    assert problem.received == "No such file or directory"


def test_an_annex_is_refused_with_its_own_problems(tmp_path: Path) -> None:
    found = partly(tmp_path, GOOD.replace("size = 3", "size = 0").replace("size = 1", "size = 2.5"))
    with pytest.raises(SpecError) as own:
        found.annex("demo")
    assert [each.table for each in own.value.problems] == ["[annex.demo]"]
    with pytest.raises(SpecError, match="did you mean west"):
        found.annex("wst")
