"""What README shows is what is there: its example, its spec, its commands, its tables."""

from __future__ import annotations

import re
from pathlib import Path

from annex_spec import load

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.S)


def test_the_python_example_is_the_minimal_example() -> None:
    (shown,) = blocks("python")
    example = (ROOT / "examples/minimal/app.py").read_text()
    assert shown == example[example.index("from aws_cdk import App") :]


def test_the_spec_shown_is_valid(tmp_path: Path) -> None:
    (shown,) = blocks("toml")
    file = tmp_path / "annexes.toml"
    file.write_text(shown)
    assert list(load(file).annexes) == ["demo"]


def test_files_and_links_exist() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README) + re.findall(r"`((?:docs|scripts|examples)/[\w./-]*)`", README):
        if not target.startswith("https://"):
            assert (ROOT / target).exists(), target


def test_all_eleven_steps_have_their_place() -> None:
    steps = re.findall(r"^\| (\d{1,2}) ", README, re.M)
    assert steps == [str(n) for n in range(1, 12)]


def test_no_gap_is_left() -> None:
    for file in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        assert "@@" not in file.read_text(), file
