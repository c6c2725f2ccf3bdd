"""Wider search of the property tests: more examples than in every run, and new ones each time."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from scripts import checks
from scripts.stages import Stage

ROOT = Path(__file__).parents[3]
PROPERTY = """
from hypothesis import given
from hypothesis import strategies as st

@given(st.integers())
def test_any_number(number):
    print(number, file=open({out!r}, "a"))
"""


def examples(profile: str, folder: Path) -> list[str]:
    """Examples of one property in one run with this profile, in their order."""
    out, test = folder / f"{profile}.txt", folder / "test_any.py"
    out.unlink(missing_ok=True)
    test.write_text(PROPERTY.format(out=str(out)))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-p", "no:cacheprovider", str(test)]
    environ = {**os.environ, "HYPOTHESIS_PROFILE": profile}
    subprocess.run(command, cwd=ROOT, env=environ, check=True, capture_output=True)
    return out.read_text().splitlines()


def test_the_wider_search_finds_new_examples_and_many_more(tmp_path: Path) -> None:
    known, wide = examples("repeatable", tmp_path), examples("explore", tmp_path)
    assert known == examples("repeatable", tmp_path)
    assert len(wide) >= 10 * len(known)
    assert wide != examples("explore", tmp_path)
    assert not set(wide) <= set(known)


def test_the_stage_searches_every_file_with_a_property() -> None:
    (stage,) = checks.EXPLORE
    assert "HYPOTHESIS_PROFILE=explore" in stage.command
    assert stage not in (*checks.STAGES, *checks.FAST)
    named = [Path(word) for word in stage.command if word.startswith("tests/")]
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        calls = [node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        if any(isinstance(call, ast.Name) and call.id == "given" for call in calls):
            searched = any(ROOT / each in (file, *file.parents) for each in named)
            assert searched or "@settings(" in file.read_text(), f"{file}: its number of examples is that of a profile"


@pytest.mark.parametrize(("script", "code"), [("true", 0), ("false", 1)])
def test_the_command_runs_that_stage_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str, code: int
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(checks, "STAGES", (Stage("another", ("true",), 0.1),))
    monkeypatch.setattr(checks, "EXPLORE", (Stage("explore", (script,), 0.1),))
    assert checks.main(["--explore"]) == code
    assert "another" not in capsys.readouterr().out
