"""Every promise names tests, and every test that a promise names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROWS = [
    line.strip("| \n").split(" | ")
    for line in (ROOT / "docs" / "explanation" / "promises.md").read_text().splitlines()
    if line.startswith("| ") and "---" not in line
][1:]


def everything_tested() -> set[str]:
    trees = (ast.parse(path.read_text()) for path in (ROOT / "tests").rglob("test_*.py"))
    return {node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_promise_names_tests_that_exist() -> None:
    assert len(ROWS) > 25
    existing = everything_tested()
    for promise, tests in ROWS:
        named = re.findall(r"`(test_[a-z0-9_]+)`", tests)
        assert named, f"{promise}: no test"
        assert set(named) <= existing, f"{promise}: {sorted(set(named) - existing)}"


def test_a_test_that_is_gone_would_be_noticed() -> None:
    assert "test_that_nobody_wrote" not in everything_tested()
