"""Scripts of the user: files beside the spec file or below it."""

from pathlib import Path

from annex_lease.built_forms import MAX_SCRIPT_BYTES
from annex_spec.problem import Problem, shown


def read_script(directory: Path, path: str) -> str:
    """The text of a script of the user.

    Args:
        directory: directory of the spec file.
        path: the script's path below it.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no text in UTF-8, it is empty, or it is too long.
    """
    content = (directory / path).read_bytes()
    if not 0 < len(content) <= MAX_SCRIPT_BYTES:
        raise ValueError(f"{len(content)} bytes")
    return content.decode("utf-8")


def script_problems(directory: Path, path: str | None, table: str, key: str) -> list[Problem]:
    """The problem of a script that `read_script` refuses, as a list; empty if there is none.

    Args:
        directory: directory of the spec file.
        path: the script's path below it; None: no script is declared.
        table: the table that declares it, as the file writes it.
        key: its key there.
    """
    if path is None:
        return []
    try:
        read_script(directory, path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        allowed = f"a file of 1 to {MAX_SCRIPT_BYTES} bytes, text in UTF-8, in {directory} or below it"
        return [Problem(table, key, f"{shown(path)}: {reason}", allowed, "name an existing file")]
    return []
