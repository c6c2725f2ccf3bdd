"""What is wrong with a spec file, said so that the reader can mend it without opening the documentation."""

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

NOTHING = "nothing"
_LONGEST = 100


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        table: the TOML table as written in the file, such as `[annex.demo]`; empty for the file as a whole.
        key: the key in that table; empty for the table as a whole.
        received: the value that was found, as text (see `shown`).
        allowed: which values would have been accepted.
        fix: what to write or to do instead.
    """

    table: str
    key: str
    received: str
    allowed: str
    fix: str


class SpecError(ValueError):
    """The spec file cannot be used. `str()` lists every problem; nothing has been done with the rest of the file."""

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        """Keep the problems.

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
            lines.append("  " + (f"{problem.table} {problem.key}".strip() or "the whole file"))
            lines.append(f"    received: {problem.received}")
            lines.append(f"    allowed:  {problem.allowed}")
            lines.append(f"    fix:      {problem.fix}")
        return "\n".join(lines)


class ContradictionError(ValueError):
    """Two keys of one table do not go together; the attributes are those of `Problem`."""

    def __init__(self, key: str, received: str, allowed: str, fix: str) -> None:
        """Keep what a `Problem` needs.

        Args:
            key: the key to change.
            received: its value, as text.
            allowed: which values would go with the other keys.
            fix: what to write instead.
        """
        super().__init__(f"{key}: received {received}, allowed {allowed}")
        self.key, self.received, self.allowed, self.fix = key, received, allowed, fix


def shown(value: object) -> str:
    """A value from a TOML file as the file writes it, shortened to 100 characters."""
    if isinstance(value, datetime | date | time):
        text = value.isoformat()
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The word of `words` that `word` was probably meant to be, or None when none is close."""
    close = difflib.get_close_matches(word, sorted(words), n=1, cutoff=0.6)
    return close[0] if close else None
