"""The documents are written in plain technical English: short sentences, no mannered words."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median

import pytest
from documents import DOCS, DOCUMENTS, links, name, sentences, without_blocks

MANNERED = (
    "nobody", "somebody", "whom", "whoever", "whatever", "whichever", "told", "tells?", "anew", "goes", "be it",
    "stand-in", "the one who", "by which", "hence", "thereby", "whereby", "wherein",
)  # fmt: skip
PATTERN = re.compile(rf"\b(?:{'|'.join(MANNERED)})\b", re.I)
LONGEST = 28
MEDIAN = 14


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_no_mannered_word(document: Path) -> None:
    found = PATTERN.findall(without_blocks(document))
    assert not found, found


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_sentences_are_short(document: Path) -> None:
    lengths = [(len(each.split()), each) for each in sentences(document)]
    assert not [each for length, each in lengths if length > LONGEST]
    # Cells and items of a few words are no sentences: they would hide long ones.
    running = [length for length, _ in lengths if length > 4]
    assert not running or median(running) <= MEDIAN, median(running)


@pytest.mark.parametrize("file", ["annexes.toml", "pool.conf"])
def test_no_mannered_word_in_the_comments_of_files_for_users(file: str) -> None:
    page = DOCS / "reference/files.md"
    (path,) = [page.parent / target for target in links(page) if target.endswith(f"/{file}")]
    comments = "\n".join(re.findall(r"#.*", path.read_text()))
    assert comments
    assert not PATTERN.findall(comments)
