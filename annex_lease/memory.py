"""What the runs of one function environment remember of each other: when nothing was left, and nothing else.

Losing it does no harm, and Lambda loses it whenever it likes: the end is then looked for twice again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from annex_lease.observed import Seen

# EC2's listings are eventually consistent: what was launched just before the end may not be listed yet.
APART = timedelta(seconds=60)
"""How far apart the two empty listings are that make an end."""
_FRESH = timedelta(minutes=10)


@dataclass
class Memory:
    """When the annex was first, and when it was last, found empty after its end."""

    since: datetime | None = None
    confirmed: datetime | None = None

    def recall(self, seen: Seen, now: datetime) -> Seen:
        """`seen` with what earlier runs found."""
        return replace(
            seen,
            empty_before=self.since is not None and now - self.since >= APART,
            # Ten minutes without asking EC2 again: what is quiet must not cost a call a minute for ever.
            known_empty=self.confirmed is not None and timedelta(0) <= now - self.confirmed < _FRESH,
        )

    def note(self, now: datetime, *, empty: bool, listed: bool, ended: bool) -> None:
        """Remember a look.

        Args:
            now: when it was.
            empty: whether it found nothing.
            listed: whether EC2 was asked for it.
            ended: whether it was the second of two.
        """
        if not empty:
            self.since = self.confirmed = None
            return
        if listed:
            self.since = now if self.since is None or self.since > now else self.since
            self.confirmed = now if ended else None
