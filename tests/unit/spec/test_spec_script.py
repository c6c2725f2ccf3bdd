"""Scripts of the user that annexes and images name: what is read, and what could not run."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import pytest

from annex_lease.built_forms import MAX_SCRIPT_BYTES
from annex_spec import load, load_partly, read_script
from tests.unit.spec.spec_texts import ANNEX, POOL, Read
from tests.unit.spec.test_spec_image import text_of


def test_scripts_are_read_beside_the_spec_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "spec"
    (directory / "image").mkdir(parents=True)
    (directory / "image" / "tools.sh").write_text("echo tools\n")
    file = directory / "annexes.toml"
    file.write_text(text_of('script = "image/tools.sh"'))
    monkeypatch.chdir(tmp_path)
    assert load("spec/annexes.toml").images["base"].script == "image/tools.sh"
    assert read_script(directory, "image/tools.sh") == "echo tools\n"
    (directory / "image" / "tools.sh").write_bytes(b"x" * MAX_SCRIPT_BYTES)
    assert load_partly(file).problems == ()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no bytes"),
        (b"x" * (MAX_SCRIPT_BYTES + 1), "more than 10000 bytes"),
        (b"# caf\xe9\n", "bytes that are not UTF-8 at 5"),
        ("true\n".encode("utf-16"), "bytes that are not UTF-8 at 0"),
        (b"\xef\xbb\xbf#!/bin/sh\ntrue\n", "a byte order mark at its beginning"),
        (b"echo a\0b\n", "a null character"),
        (b"#!/bin/sh\r\ntrue\r\n", "lines that end as on Windows"),
        (b" \n\t\n", "nothing but blanks"),
    ],
)
def test_a_script_that_could_not_run(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "annexes.toml"
    file.write_text(text_of('script = "tools.sh"'))
    (tmp_path / "tools.sh").write_bytes(content)
    (problem,) = load_partly(file).problems
    assert (problem.received, problem.fix) == (f'"tools.sh": {reason}', "correct the file, or name another one")
    assert problem.allowed.startswith("a file of 1 to 10000 bytes, text in UTF-8 without a byte order mark")
    # Half of a Windows line end alone is a character as any other.
    (tmp_path / "tools.sh").write_bytes("printf 'é\r'\n".encode())
    assert load_partly(file).problems == ()


@pytest.mark.parametrize("kind", ["a directory", "no regular file"])
def test_a_script_that_is_no_file_is_not_read(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "annexes.toml"
    file.write_text(text_of('script = "tools"'))
    make = (tmp_path / "tools").mkdir if kind == "a directory" else partial(os.mkfifo, tmp_path / "tools")
    make()
    (problem,) = load_partly(file).problems
    assert problem.received == f'"tools": {kind}'


def test_a_script_is_read_no_further_than_it_may_be_long(tmp_path: Path) -> None:
    (tmp_path / "tools.sh").touch()
    os.truncate(tmp_path / "tools.sh", 2**40)  # more than any memory, and nothing on the disk
    with pytest.raises(ValueError, match="more than 10000 bytes"):
        read_script(tmp_path, "tools.sh")


def test_the_script_of_an_annex_is_read_beside_the_spec_file(tmp_path: Path) -> None:
    tools = tmp_path / "tools.sh"
    annex = {**ANNEX, "script": '"tools.sh"'}
    texts = {
        "[annex.demo]": "\n".join([POOL, "[annex.demo]", *(f"{key} = {value}" for key, value in annex.items())]),
        "[defaults]": "\n".join(
            [POOL, "[defaults]", 'script = "tools.sh"']
            + [f"{key} = {value}" for name in ("a", "b") for key, value in {f"[annex.{name}]\n#": "", **ANNEX}.items()]
        ),
    }
    file = tmp_path / "annexes.toml"
    for table, text in texts.items():
        file.write_text(text)
        tools.unlink(missing_ok=True)
        (problem,) = load_partly(file).problems
        assert (problem.table, problem.key, problem.fix) == (table, "script", "name an existing file")
        assert problem.received == '"tools.sh": No such file or directory'
        assert load_partly(file).annexes == {}
        tools.write_bytes(b"#!/bin/sh\r\n")
        assert load_partly(file).problems[0].received == '"tools.sh": lines that end as on Windows'
        tools.write_bytes(b"x" * MAX_SCRIPT_BYTES)
        assert {each.script for each in load(file).annexes.values()} == {"tools.sh"}


@pytest.mark.parametrize("image", ['"ami-0123456789abcdef0"', '"built:base"', '"rocky-9"'])
def test_every_image_takes_a_script(tmp_path: Path, read: Read, image: str) -> None:
    (tmp_path / "tools.sh").write_text("echo tools\n")
    assert read(text_of("", {"image": image, "script": '"tools.sh"'})).annexes["demo"].script == "tools.sh"
