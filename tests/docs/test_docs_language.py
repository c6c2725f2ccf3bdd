"""The documents are written in plain technical English: short sentences, no mannered words."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median

import pytest
from documents import DOCUMENTS, name, sentences, without_blocks

MANNERED = (
    "nobody", "somebody", "whom", "whoever", "whatever", "whichever", "told", "tells?", "anew", "goes", "be it",
    "stand-in", "the one who", "by which", "hence", "thereby", "whereby", "wherein",
)  # fmt: skip
LONGEST = 40
MEDIAN = 14


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_no_mannered_word(document: Path) -> None:
    found = re.findall(rf"\b(?:{'|'.join(MANNERED)})\b", without_blocks(document), re.I)
    assert not found, found


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_sentences_are_short(document: Path) -> None:
    lengths = [(len(each.split()), each) for each in sentences(document)]
    assert not [each for length, each in lengths if length > LONGEST]
    # Cells and items of a few words are no sentences: they would hide long ones.
    running = [length for length, _ in lengths if length > 4]
    assert not running or median(running) <= MEDIAN, median(running)
