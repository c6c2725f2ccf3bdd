"""The sentences of the documents are short. Their words are checked with those of all other texts."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

from tests.docs.documents import DOCUMENTS, name, sentences

LONGEST = 28
MEDIAN = 14


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_sentences_are_short(document: Path) -> None:
    lengths = [(len(each.split()), each) for each in sentences(document)]
    assert not [each for length, each in lengths if length > LONGEST]
    # Cells and items of a few words are no sentences: they would hide long ones.
    running = [length for length, _ in lengths if length > 4]
    assert not running or median(running) <= MEDIAN, median(running)
