"""Tables of the documents: a row without a header is shown as text with bars."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.documents import DOCUMENTS, name, without_blocks

RULE = re.compile(r"\|( *:?-+:? *\|)+")


def broken_tables(text: str) -> list[str]:
    """The first row of each group of rows that is no table: no second line of hyphens, or rows of several lengths."""
    found = []
    for group in re.findall(r"(?:^\|.*\n?)+", text, re.M):
        rows = group.splitlines()
        # A bar in code, or one that is escaped, ends no cell.
        lengths = {len(re.findall(r"(?<!\\)\|", re.sub(r"`[^`]*`", "", row))) for row in rows}
        if len(rows) < 3 or not RULE.fullmatch(rows[1]) or len(lengths) > 1:
            found.append(rows[0])
    return found


def test_what_is_no_table() -> None:
    table = "| a | b |\n|---|---|\n| `c|d` | e \\| f |\n"
    assert not broken_tables(f"text\n\n{table}\nmore\n\n{table}")
    assert broken_tables(f"{table}\n| g | h |\n") == ["| g | h |"]
    assert broken_tables(table + "| g | h | i |\n") == ["| a | b |"]
    assert broken_tables("| a | b |\n| c | d |\n| e | f |\n") == ["| a | b |"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_table_has_a_header(document: Path) -> None:
    assert not broken_tables(without_blocks(document))
