"""Reading of a spec file: its bytes, their encoding, TOML."""

import codecs
import tomllib
from pathlib import Path

from annex_spec.problem import Problem, SpecError, shown

MAX_BYTES = 1024 * 1024
"""Largest spec file: thousands of annexes. A device without an end is read no further."""

# Of an encoding that is not UTF-8; the longer ones first, because UTF-32 begins like UTF-16.
_OTHER_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_UTF8 = "UTF-8 text"
_SAVE = "save the file as UTF-8"


def read_document(file: Path) -> dict[str, object]:
    """Read a TOML file, with a UTF-8 byte order mark or without.

    Args:
        file: the file.

    Raises:
        SpecError: it cannot be read, or is not TOML in UTF-8.
    """
    try:
        return tomllib.loads(_decoded(_bytes(file)))
    except OSError as error:
        received = error.strerror or str(error)
        problem = Problem("", "", received, "a TOML file that can be read", "name an existing file")
    except UnicodeDecodeError as error:
        problem = Problem("", "", f"bytes that are not UTF-8 at {error.start}", _UTF8, _SAVE)
    except tomllib.TOMLDecodeError as error:
        problem = Problem("", "", str(error), "TOML, see https://toml.io", "correct the line that is named")
    except RecursionError:
        # tomllib reads a list within a list by calling itself.
        problem = Problem("", "", "lists or tables within each other, too deep to read", "TOML", "write them flat")
    except _UnreadableError as error:
        problem = error.problem
    except ValueError as error:
        # A null byte in the path; a number of more digits than Python converts.
        problem = Problem("", "", f"{shown(str(file))}: {error}", "TOML, see https://toml.io", "correct that value")
    raise SpecError(file, [problem])


class _UnreadableError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.received)
        self.problem = problem


def _bytes(file: Path) -> bytes:
    with file.open("rb") as opened:
        content = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _UnreadableError(
            Problem("", "", f"more than {MAX_BYTES} bytes", f"at most {MAX_BYTES} bytes", "name the spec file")
        )
    return content


def _decoded(content: bytes) -> str:
    for mark, name in _OTHER_MARKS.items():
        if content.startswith(mark):
            raise _UnreadableError(Problem("", "", f"{name} text", _UTF8, _SAVE))
    # The byte order mark with which some editors on Windows begin UTF-8 is no character of the text.
    text = content.decode("utf-8-sig")
    if "\0" in text:
        raise _UnreadableError(Problem("", "", "null characters, as in UTF-16 or binary data", _UTF8, _SAVE))
    return text.replace("\r\n", "\n").replace("\r", "\n")
