"""Scripts of the user: files beside the spec file or below it."""

from pathlib import Path

from annex_lease.built_forms import MAX_SCRIPT_BYTES, SCRIPT_ALLOWED, script_defect
from annex_spec.problem import Problem, shown


def read_script(directory: Path, path: str) -> str:
    """The text of a script of the user.

    Args:
        directory: directory of the spec file.
        path: the script's path below it.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no file, or no script that could run; the text says why.
    """
    file = directory / path
    # A pipe would hold up the reader, and a device has no end.
    if file.exists() and not file.is_file():
        raise ValueError("a directory" if file.is_dir() else "no regular file")
    with file.open("rb") as opened:
        content = opened.read(MAX_SCRIPT_BYTES + 1)
    defect = script_defect(content)
    if defect:
        raise ValueError(defect)
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
        allowed = f"a file of {SCRIPT_ALLOWED}, in {directory or Path()} or below it"
        fix = "name an existing file" if isinstance(error, OSError) else "correct the file, or name another one"
        return [Problem(table, key, f"{shown(path)}: {reason}", allowed, fix)]
    return []
