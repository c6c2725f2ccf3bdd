"""Names and tags of a run: they identify what the run made, and nothing of a user."""

from __future__ import annotations

from pathlib import Path

import pytest

from annex_lease.forms import ANNEX_NAME
from annex_spec import load
from verify.options import Options
from verify.plan import MAX_LIFETIME
from verify.run import LETTERS, MARK, STACK_MARK, Run, run_of_stack
from verify.spec_text import spec_text

RUN = Run("0a1b2c3d", "eu-west-1")


def test_the_names_are_those_of_annexes() -> None:
    assert all(ANNEX_NAME.matches(RUN.annex(letter)) for letter in LETTERS)
    assert Run.new("eu-west-1").id != Run.new("eu-west-1").id


@pytest.mark.parametrize(
    ("name", "tags", "status", "run"),
    [
        (RUN.stack("a"), {STACK_MARK: RUN.id}, "CREATE_COMPLETE", RUN.id),
        (RUN.stack("a"), {}, "REVIEW_IN_PROGRESS", RUN.id),
        (RUN.stack("a"), {}, "CREATE_COMPLETE", None),
        (RUN.stack("a"), {STACK_MARK: "ffffffff"}, "CREATE_COMPLETE", None),
        (RUN.stack("a"), {"team": "x"}, "REVIEW_IN_PROGRESS", None),
        (RUN.stack("a"), {MARK: RUN.id}, "CREATE_COMPLETE", None),
        ("Annex-demo", {STACK_MARK: RUN.id}, "CREATE_COMPLETE", None),
        (f"{RUN.stack('a')}b", {STACK_MARK: RUN.id}, "CREATE_COMPLETE", None),
        ("Annex-verify-0a1b2c3d", {STACK_MARK: RUN.id}, "CREATE_COMPLETE", None),
    ],
)
def test_name_and_tag_must_both_be_of_a_run(name: str, tags: dict[str, str], status: str, run: str | None) -> None:
    assert run_of_stack(name, tags, status) == run


def test_the_spec_file_is_one_of_the_product(tmp_path: Path) -> None:
    file = tmp_path / "annexes.toml"
    file.write_text(spec_text(RUN, LETTERS, Options(()), {"size": 2}))
    annexes = load(file).annexes
    assert list(annexes) == [RUN.annex(letter) for letter in LETTERS]
    for annex in annexes.values():
        assert annex.region == RUN.region
        assert annex.size == 2
        assert annex.tags == {MARK: RUN.id}
        assert annex.max_lifetime == MAX_LIFETIME


def test_a_pool_of_the_user_is_in_the_spec_file(tmp_path: Path) -> None:
    file = tmp_path / "annexes.toml"
    options = Options((), image="ami-0123456789abcdef0", collector="cm.example.edu", trust_domain="example.edu")
    file.write_text(spec_text(RUN, "a", options, {}))
    pool = load(file).pool
    assert (pool.collector, pool.trust_domain) == ("cm.example.edu:9618", "example.edu")
