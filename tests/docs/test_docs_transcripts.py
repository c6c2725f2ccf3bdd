"""Outputs shown in the tutorial are those of the commands' own renderers. The lab runs the commands themselves."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

import lab.__main__
from annex_pool.commands.leftovers_command import show_leftovers
from annex_pool.commands.plan_command import show_plan
from annex_pool.commands.status_command import COLUMNS
from annex_pool.leftovers.search import Leftovers
from annex_pool.plan import plan
from annex_spec import load
from tests.docs.documents import DOCS, blocks

STEPS = DOCS / "tutorial/eleven-steps.md"
LAB = DOCS / "tutorial/lab.md"


def outputs(command: str) -> list[list[str]]:
    """Lines that the tutorial shows below a command, each time."""
    text = "".join(blocks(STEPS, "console"))
    below = rf"^[$#] {re.escape(command)}\n((?:(?![$#] ).*\n)+)"
    return [found.splitlines() for found in re.findall(below, text, re.M)]


@pytest.fixture
def out() -> Console:
    return Console(file=io.StringIO(), width=80, highlight=False, markup=False)


def printed(out: Console) -> list[str]:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue().splitlines()


def test_the_plan_is_that_of_the_spec_shown(out: Console, tmp_path: Path) -> None:
    (spec,) = blocks(STEPS, "toml")
    (tmp_path / "annexes.toml").write_text(spec)
    show_plan(plan(load(tmp_path / "annexes.toml").annex("demo")), out)
    ((*first, between, last, rest),) = outputs("annex plan demo")
    assert (between, rest) == ("...", "...")
    assert printed(out)[: len(first)] == first
    assert last in printed(out)


def test_the_status_has_every_column() -> None:
    shown = outputs("annex status demo")
    assert len(shown) == 3
    width = max(map(len, COLUMNS))
    for lines in shown:
        whole = "..." not in lines
        labels = [line[:width].rstrip() for line in lines[: len(COLUMNS) if whole else -1]]
        assert labels == list(COLUMNS[: len(labels)])


def test_nothing_left_is_said_in_its_words(out: Console) -> None:
    show_leftovers(Leftovers(("demo",), ("us-east-1",), (), ()), out)
    assert outputs("annex leftovers demo") == [printed(out)]


def test_the_demonstration_suggests_what_the_page_shows() -> None:
    (block,) = [block for block in blocks(LAB, "console") if " exec -- " in block]
    assert block.splitlines() == [f"# {lab.__main__.ENTER}{words}" for words in lab.__main__.LOOKS]
