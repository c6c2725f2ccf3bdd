"""Problems of a spec file: value received, values allowed, fix."""

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from annex_lease.duration import format_duration
from annex_lease.rules import Conflict

NOTHING = "nothing"
_LONGEST, _LONGEST_LINE = 100, 400


@dataclass(frozen=True)
class Problem:
    """A problem of a spec file.

    Attributes:
        table: the TOML table as written in the file, such as `[annex.demo]`; empty for the whole file.
        key: the key in that table; empty for the whole table.
        received: the value, as text (see `shown`).
        allowed: values that are accepted.
        fix: correction, in words or as a line of the file.
    """

    table: str
    key: str
    received: str
    allowed: str
    fix: str


class SpecError(ValueError):
    """Refusal of a spec file. `str()` lists every problem; no other part of the file has been used."""

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        """Keep the problems and make the text.

        Args:
            path: the file as the caller named it.
            problems: at least one.
        """
        self.path = path
        self.problems = tuple(problems)
        super().__init__(self._text())

    def _text(self) -> str:
        count = len(self.problems)
        lines = [f"{self.path}: {count} problem{'' if count == 1 else 's'}"]
        for problem in self.problems:
            lines.append("  " + (_line(f"{problem.table} {problem.key}".strip()) or "the whole file"))
            lines.append(f"    received: {_line(problem.received)}")
            lines.append(f"    allowed:  {problem.allowed}")
            lines.append(f"    fix:      {_line(problem.fix)}")
        return "\n".join(lines)


def _line(text: str) -> str:
    """The text in one line that a terminal shows as it is, shortened to 400 characters."""
    line = "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 3] + "..."


class ContradictionError(ValueError):
    """Error for two keys of one table that do not go together."""

    def __init__(self, problem: Problem) -> None:
        """Keep the problem.

        Args:
            problem: without its table, which only the validation knows.
        """
        super().__init__(f"{problem.key}: received {problem.received}, allowed {problem.allowed}")
        self.problem = problem


def problem_of(conflict: Conflict, received: object, *, table: str = "", note: str = "") -> Problem:
    """The problem of two keys that do not go together.

    Args:
        conflict: result of a rule of `annex_lease.rules`.
        received: the value of the conflict's key; empty or zero: the file has none.
        table: the TOML table as written in the file. Default: "".
        note: appended to the value. Default: "".
    """
    text = conflict.received or (shown(received) + note if received else NOTHING)
    fix = conflict.advice or f"remove {conflict.name}"
    if conflict.fix is not None:
        fix = f"{conflict.name} = {shown(conflict.fix)}"
    return Problem(table, conflict.name, text, conflict.allowed, fix)


def shown(value: object) -> str:
    """A value from a TOML file as the file writes it, shortened to 100 characters."""
    if isinstance(value, timedelta):
        value = format_duration(value)
    if isinstance(value, datetime | date | time):
        text = value.isoformat()
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word of `words` closest to `word`; None if none is similar enough to be a misspelling."""
    close = difflib.get_close_matches(word, sorted(words), n=1, cutoff=0.6)
    return close[0] if close else None
