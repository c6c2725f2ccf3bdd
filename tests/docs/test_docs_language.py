"""The sentences of the documents are short. Their words are checked with those of all other texts."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

from tests.docs.documents import DOCUMENTS, name, sentences, without_blocks

LONGEST = 28
MEDIAN = 14
WIDEST = 120  # characters of a line, as in the code


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_sentences_are_short(document: Path) -> None:
    lengths = [(len(each.split()), each) for each in sentences(document)]
    assert not [each for length, each in lengths if length > LONGEST]
    # Cells and items of a few words are no sentences: they would hide long ones.
    running = [length for length, _ in lengths if length > 4]
    assert not running or median(running) <= MEDIAN, median(running)


def wide(text: str) -> list[str]:
    """Lines of prose that are too wide; a table's row cannot be broken."""
    return [line for line in text.splitlines() if len(line) > WIDEST and not line.startswith("|")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_lines_of_prose_are_not_wider_than_code(document: Path) -> None:
    assert wide(without_blocks(document)) == []


def test_a_wide_line_would_be_noticed() -> None:
    assert wide("a" * WIDEST + "\n|" + "a" * WIDEST) == []
    assert wide("short\n" + "a" * (WIDEST + 1)) == ["a" * (WIDEST + 1)]
