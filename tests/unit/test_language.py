"""Plain technical English in every text of the project: docstrings, comments, messages, documents."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.project_files import ROOT, project_files

# Frequent in drafts of this project and rare in its field: httpx and cdk-github-runners have about 4 of such words in
# 10,000. A space is written as an underscore, so that this list is no text by its own rule.
MANNERED = (
    "whom", "whomever", "whoever", "whosoever", "whatever", "whichever", "nobody", "somebody", "told", "tells?",
    "telling", "anew", "goes", "hence", "whence", "lest", "thereof", "thereby", "whereby", "wherein", "whereupon",
    "alas", "stand-ins?", "the_ones?_who", "be_it", "of_late", "for_ever",
)  # fmt: skip
# First words that make a docstring a question or a fragment; it says instead what a thing is or does.
OPENINGS = ("What", "Whatever", "Whether", "By", "Whom", "Whose", "Who", "Where", "How", "Why")
WORDS = re.compile(rf"\b(?:{'|'.join(MANNERED).replace('_', ' +')})\b", re.IGNORECASE)
OPENING = re.compile(rf'"""(?:{"|".join(OPENINGS)})\b')
BINARY = {".png", ".svg", ".gz"}


def words_of(name: str) -> str:
    """The words of an identifier: `test_a_name` and `AName` as "a name"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_+", " ", name)


def python_texts(source: str) -> Iterator[str]:
    """Comments, strings with a space, and names of functions and classes.

    A string without a space is a name or a value. Names of variables are left out: a value of another program's
    settings can be one.
    """
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value.strip():
            yield node.value
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield words_of(node.name)


def markdown_texts(source: str) -> Iterator[str]:
    """Everything outside blocks and marks of code."""
    yield re.sub(r"```.*?```|`[^`]*`", "", source, flags=re.DOTALL)


def json_texts(source: str) -> Iterator[str]:
    """Strings with a space."""
    yield from (text for text in re.findall(r'"((?:[^"\\]|\\.)*)"', source) if " " in text)


def other_texts(source: str) -> Iterator[str]:
    """Comments, quoted strings with a space, and descriptions of units: shell, TOML, YAML, systemd, nftables."""
    for line in source.splitlines():
        yield from re.findall(r"(?:^|\s)#.*", line)
        yield from (text for pair in re.findall(r'"([^"]*)"|\'([^\']*)\'', line) for text in pair if " " in text)
        yield from re.findall(r"^Description=.*", line)


READERS = {".py": python_texts, ".md": markdown_texts, ".json": json_texts}


def mannered(path: Path) -> list[str]:
    """The mannered words and openings of a file and its name, each with a few of the words around it."""
    source = path.read_text(encoding="utf-8", errors="replace")
    found = OPENING.findall(source) if path.suffix == ".py" else []
    found += WORDS.findall(words_of(path.stem))
    # Most files hold none of the words anywhere; only the others are taken apart.
    if WORDS.search(re.sub(r"\s+", " ", words_of(source))):
        for text in READERS.get(path.suffix, other_texts)(source):
            flat = re.sub(r"\s*\n[\s#]*", " ", text)
            found += [flat[max(0, m.start() - 30) : m.end() + 20] for m in WORDS.finditer(flat)]
    return found


def texts() -> list[Path]:
    return [path for path in project_files() if path.suffix not in BINARY]


def test_no_mannered_word_and_no_mannered_opening() -> None:
    found = {str(path.relative_to(ROOT)): words for path in texts() if (words := mannered(path))}
    assert not found, json.dumps(found, indent=1)


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("a.py", '"""Part of a house.\n\nIt is named\n@."""\n', "anew"),
        ("a.py", "x = 1  # @ reads it\n", "nobody"),
        ("a.py", "raise ValueError(f'{x} was @ to stop')\n", "told"),
        ("a.py", '"""@ it is open."""\n', "Whether"),
        ("a.py", "def test_@_reads_it() -> None: ...\n", "nobody"),
        ("a.py", "class A:\n    async def @(self) -> None: ...\n", "tell"),
        ("a.py", "class Annex@: ...\n", "Told"),
        ("a.md", "# Alarms\n\nThe one\n@ reads it.\n", "who"),
        ("a.toml", "size = 2  # @ is needed\n", "whatever"),
        ("a.sh", "echo 'annex: it @ on'\n", "goes"),
        ("a.service", "[Unit]\nDescription=@ the pool\n", "Tells"),
        ("a.json", '{"Sid": "@ it is"}\n', "Whichever"),
    ],
)
def test_a_mannered_text_is_found(tmp_path: Path, name: str, text: str, word: str) -> None:
    path = tmp_path / name
    path.write_text(text.replace("@", word))
    assert mannered(path)
    path.write_text(text.replace("@", "It"))
    assert not mannered(path)


@pytest.mark.parametrize(("stem", "found"), [("test_@_reads", True), ("test-@", True), ("test_@x", False)])
def test_a_mannered_name_of_a_file_is_found(tmp_path: Path, stem: str, found: bool) -> None:
    path = tmp_path / f"{stem.replace('@', 'nobody')}.py"
    path.write_text("x = 1\n")
    assert bool(mannered(path)) is found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", '@ = {"@": "@"}\n'),
        ("a.py", '"""Part of a house."""\nhow = "What"\n'),
        ("a.md", "Run it:\n\n```\nsudo -u @ true\n```\n\nThe user `@`.\n"),
        ("a.sh", "runuser -u @ -- true\n"),
    ],
)
def test_a_name_is_no_text(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text.replace("@", "nobody"))
    assert not mannered(path)
