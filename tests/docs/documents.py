"""The documents of the project, taken apart: fenced blocks, code, links, prose."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md")))

_FENCE = re.compile(r"^( *)```(\S*)[^\n]*\n(.*?)^\1```$", re.M | re.S)


@cache
def text(document: Path) -> str:
    return document.read_text()


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of a language, without the indentation of the list they are in."""
    return [
        re.sub(rf"^{indent}", "", body, flags=re.M)
        for indent, kind, body in _FENCE.findall(text(document))
        if kind == language
    ]


def without_blocks(document: Path) -> str:
    """The text without fenced blocks, except glossaries: these are prose."""
    return _FENCE.sub(lambda match: match[3] if match[2] == "{glossary}" else "", text(document))


def code(document: Path) -> list[str]:
    """The inline code."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"\{\w+\}`[^`]*`", "", without_blocks(document)))


def links(document: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", without_blocks(document))


def shell_lines(document: Path) -> Iterator[str]:
    """The commands of the console blocks, without prompt, and the lines of the sh blocks, one line each.

    Comments are left to the shell's rules.
    """
    for block in blocks(document, "console"):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            if re.match(r"[$#] ", line):
                yield line[2:]
    for block in blocks(document, "sh"):
        yield from re.sub(r"\\\n\s*", "", block).splitlines()


def sentences(document: Path) -> list[str]:
    """The sentences of running text, lists and table cells; headings and code are no sentences, a code is a word."""
    prose = re.sub(r"`[^`\n]+`", "code", without_blocks(document))
    prose = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", prose)
    prose = re.sub(r"^#.*$|^\|? ?-{3}.*$", "", prose, flags=re.M)
    # A blank line, a list item and a table's cell begin something new.
    pieces = re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.) )|\|", prose)
    found = []
    for piece in pieces:
        joined = re.sub(r"^\s*(?:[-*]|\d+\.) ", "", piece).replace("*", "")
        found += [each.strip() for each in re.split(r"(?<=[.!?])\s+", " ".join(joined.split())) if each.strip()]
    return found
