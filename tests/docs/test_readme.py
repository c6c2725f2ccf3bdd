"""README and the pages that hold the rest of it: examples, specs, tables and links are the project's own."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from annex_spec import load
from tests.docs.documents import DOCS, DOCUMENTS, README, ROOT, blocks, links, name, text

DEMO = (README, DOCS / "tutorial/eleven-steps.md")


def test_readme_is_short() -> None:
    assert len(text(README).splitlines()) <= 180


def test_the_python_example_is_the_minimal_example() -> None:
    (shown,) = blocks(README, "python")
    example = (ROOT / "examples/minimal/app.py").read_text()
    assert shown == example[example.index("from aws_cdk import App") :]


def test_every_python_block_of_the_docs_is_in_an_example() -> None:
    examples = [path.read_text() for path in (ROOT / "examples").rglob("*.py")]
    imported = re.compile(r"from annex_constructs import ([\w, ]+)\n")
    for document in DOCUMENTS:
        for shown in blocks(document, "python"):
            match = imported.fullmatch(shown)
            if match:
                names = next(found[1] for each in examples if (found := imported.search(each)))
                assert match[1] == names, f"{name(document)}: {shown}"
            else:
                assert any(shown in example for example in examples), f"{name(document)}: {shown}"


@pytest.mark.parametrize("document", DEMO, ids=name)
def test_the_spec_shown_is_valid(document: Path, tmp_path: Path) -> None:
    (shown,) = blocks(document, "toml")
    file = tmp_path / "annexes.toml"
    file.write_text(shown)
    assert list(load(file).annexes) == ["demo"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_every_piece_of_a_spec_is_valid_in_that_of_readme(document: Path, tmp_path: Path) -> None:
    (whole,) = blocks(README, "toml")
    for shown in blocks(document, "toml"):
        tables = tomllib.loads(shown)
        named = [keys for kind in ("annex", "image") for keys in tables.get(kind, {}).values()]
        for keys in named:
            for script in {"script", "test_script"} & keys.keys():
                file = tmp_path / keys[script]
                file.parent.mkdir(exist_ok=True)
                file.write_text("true\n")
        merged = tomllib.loads(whole)
        if {"pool", "annex"} <= tables.keys():
            merged = tables
        for table, keys in tables.items():
            for key, value in keys.items():
                old = merged.setdefault(table, {}).get(key)
                merged[table][key] = {**old, **value} if isinstance(old, dict) else value
        file = tmp_path / "annexes.toml"
        file.write_text("".join(_toml(merged)))
        load(file)


def _toml(tables: dict[str, dict[str, object]]) -> list[str]:
    """TOML of such tables, for values that JSON and TOML write alike."""
    lines = []
    for table, keys in tables.items():
        inner = {key: value for key, value in keys.items() if isinstance(value, dict)}
        if len(inner) < len(keys) or not keys:
            lines.append(f"[{table}]\n")
        lines += [f"{key} = {json.dumps(value)}\n" for key, value in keys.items() if key not in inner]
        for key, values in inner.items():
            lines.append(f"[{table}.{key}]\n")
            lines += [f"{each} = {json.dumps(value)}\n" for each, value in values.items()]
    return lines


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_files_and_links_exist(document: Path) -> None:
    for target in links(document):
        if "://" not in target and not target.startswith("#"):
            assert (document.parent / target.partition("#")[0]).exists(), target
    for target in re.findall(r"`((?:docs|scripts|examples|tests|lab|annex_\w+)/[\w./-]*)`", text(document)):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_external_links_have_the_form_of_a_link(document: Path) -> None:
    """Their form only. No test opens them: it would need the internet, and other sites may be down."""
    for target in [*links(document), *re.findall(r"<(\w+://[^>\s]*)>", text(document))]:
        if "://" in target:
            parts = urlsplit(target)
            assert parts.scheme == "https", target
            assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", parts.netloc), target


def test_all_eleven_steps_have_their_place() -> None:
    document = text(DOCS / "tutorial/eleven-steps.md")
    numbers = [str(n) for n in range(1, 12)]
    assert re.findall(r"^\| (\d{1,2}) ", document, re.M) == numbers
    assert re.findall(r"^## Step (\d{1,2}): ", document, re.M) == numbers


def test_no_gap_is_left() -> None:
    for document in DOCUMENTS:
        assert "@@" not in text(document), document


def test_every_page_is_in_a_table_of_contents() -> None:
    """Sphinx warns of pages in no table of contents; this says which folder's index lacks it, without a build."""
    for page in DOCS.glob("*/*.md"):
        if page.stem != "index":
            (contents,) = blocks(page.parent / "index.md", "{toctree}")
            assert page.stem in contents.split(), page
