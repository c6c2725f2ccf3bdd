"""Files of other encodings, sizes and kinds: the text is read, or one problem says why not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from annex_spec import SpecError, load
from annex_spec.problem import Problem
from annex_spec.reading import MAX_BYTES
from tests.unit.spec.spec_texts import ANNEX, POOL

TEXT = POOL + "[annex.demo]\n" + "".join(f"{key} = {value}\n" for key, value in ANNEX.items())


def problem_of(file: Path) -> Problem:
    with pytest.raises(SpecError) as caught:
        load(file)
    (problem,) = caught.value.problems
    assert problem.received and problem.allowed and problem.fix
    return problem


def written(tmp_path: Path, content: bytes) -> Path:
    file = tmp_path / "annexes.toml"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("character", ["\u202e", "\u009b", "\u007f", "\ue000"])
def test_no_name_of_a_table_or_key_reaches_the_terminal_as_a_command(tmp_path: Path, character: str) -> None:
    table = f'["{character}"]\n"{character}" = "{character}"\n'
    with pytest.raises(SpecError) as caught:
        load(written(tmp_path, (TEXT + table).encode()))
    assert all(line.isprintable() for line in str(caught.value).splitlines())
    assert character.encode("unicode_escape").decode() in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_utf8_is_read(tmp_path: Path, encoding: str, line_end: str) -> None:
    assert load(written(tmp_path, TEXT.replace("\n", line_end).encode(encoding))).annexes["demo"].size == 2


@pytest.mark.parametrize(
    ("content", "received"),
    [
        (TEXT.encode("utf-16"), "UTF-16 text"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "UTF-16 text"),
        (TEXT.encode("utf-32"), "UTF-32 text"),
        (TEXT.encode("utf-16-le"), "null characters, as in UTF-16 or binary data"),
        (TEXT.encode("utf-16-be"), "null characters, as in UTF-16 or binary data"),
        (b"# caf\xe9\n", "bytes that are not UTF-8 at 5"),
        (b"\x7fELF\x02\x01\x00\x00", "null characters, as in UTF-16 or binary data"),
    ],
)
def test_other_encodings_are_named(tmp_path: Path, content: bytes, received: str) -> None:
    problem = problem_of(written(tmp_path, content))
    assert (problem.received, problem.allowed, problem.fix) == (received, "UTF-8 text", "save the file as UTF-8")


@pytest.mark.parametrize(
    ("text", "received"),
    [
        ("a = " + "[" * 5000 + "]" * 5000, "too deep to read"),
        ("a = " + "{b = " * 5000 + "1" + "}" * 5000, "too deep to read"),
        ("a = " + "9" * 5000, "integer string conversion"),
        ("a = 2030-02-30", "Invalid date"),
        ("a = [", "end of document"),
        ("a = b", "line 1"),
        ("#" * (MAX_BYTES + 1), f"more than {MAX_BYTES} bytes"),
    ],
)
def test_what_toml_cannot_be(tmp_path: Path, text: str, received: str) -> None:
    assert received in problem_of(written(tmp_path, text.encode())).received


@pytest.mark.parametrize(
    ("name", "received"),
    [
        ("", "Is a directory"),
        ("none.toml", "No such file"),
        ("none/annexes.toml", "No such file"),
        ("a" * 300, "File name too long"),
        ("annexes.toml/x", "Not a directory"),
        ("null\0byte", "null byte"),
        ("loop", "Too many levels of symbolic links"),
    ],
)
def test_paths_that_cannot_be_read(tmp_path: Path, name: str, received: str) -> None:
    written(tmp_path, TEXT.encode())
    (tmp_path / "loop").symlink_to("loop")
    assert received in problem_of(tmp_path / name).received


def test_a_device_without_an_end_is_refused() -> None:
    assert problem_of(Path("/dev/zero")).received == f"more than {MAX_BYTES} bytes"


def test_a_pipe_is_read() -> None:
    reader, writer = os.pipe()
    os.write(writer, TEXT.encode())
    os.close(writer)
    assert load(f"/dev/fd/{reader}").annexes["demo"].size == 2
    os.close(reader)


@pytest.mark.parametrize("end", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"])
def test_a_time_that_utc_does_not_have(tmp_path: Path, end: str) -> None:
    text = TEXT.replace('lease = "8h"', f'lease_ends_at = {end}\nmax_lifetime = "30d"')
    assert problem_of(written(tmp_path, text.encode())).key == "lease_ends_at"
