"""Settings of the sweeper, their form in the environment of its function, and the function's events. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from annex_lease.tags import parse_count
from annex_lease.terms import DRY_RUN, MAX_REMOVALS, seconds

SCHEDULED_SWEEP = {"sweep": "scheduled"}
"""Event of the schedule: a run that acts."""
DRY_SWEEP = {"sweep": "dry-run"}
"""Event that lists what a run would do, and changes nothing."""

_MAX_REMOVALS, _DRY_RUN = "SWEEP_MAX_REMOVALS", "SWEEP_DRY_RUN"
_SLACK, _WAIT = "SWEEP_SLACK_SECONDS", "SWEEP_WAIT_SECONDS"
_LONGEST_SECONDS = 7 * 86_400


@dataclass(frozen=True)
class SweepSettings:
    """Settings that hold for every run of the sweeper.

    Attributes:
        max_removals: with more removals than this in one run, none is done. Default: that of the declared value.
        dry_run: every run only reports, and no orphan is ever marked. Default: that of the declared value.
        slack: time after its end in which an annex is left to its own lease checker. Default: 10 minutes.
        wait: minimum age of a resource, and minimum age of its mark, before it is removed. Default: 1 hour.
    """

    max_removals: int = MAX_REMOVALS.default_value
    dry_run: bool = DRY_RUN.default_value
    slack: timedelta = timedelta(minutes=10)
    wait: timedelta = timedelta(hours=1)

    def to_environ(self) -> dict[str, str]:
        """Environment variables of the function; `slack` and `wait`, which only tests change, if not the default."""
        default = SweepSettings()
        environ = {_MAX_REMOVALS: str(self.max_removals), _DRY_RUN: str(int(self.dry_run))}
        if self.slack != default.slack:
            environ[_SLACK] = str(seconds(self.slack))
        if self.wait != default.wait:
            environ[_WAIT] = str(seconds(self.wait))
        return environ

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> SweepSettings:
        """Settings from environment variables; a missing variable means the default.

        Raises:
            ValueError: a variable has a value that is not allowed.
        """
        default = cls()
        low, high = MAX_REMOVALS.minimum, MAX_REMOVALS.maximum
        return cls(
            max_removals=_number(environ, _MAX_REMOVALS, default.max_removals, minimum=low, maximum=high),
            dry_run=_number(environ, _DRY_RUN, int(default.dry_run), maximum=1) == 1,
            slack=timedelta(seconds=_number(environ, _SLACK, seconds(default.slack))),
            wait=timedelta(seconds=_number(environ, _WAIT, seconds(default.wait))),
        )


def _number(
    environ: Mapping[str, str], name: str, default: int, *, minimum: int = 0, maximum: int = _LONGEST_SECONDS
) -> int:
    try:
        return parse_count(environ.get(name, str(default)), minimum=minimum, maximum=maximum)
    except ValueError as error:
        raise ValueError(f"{name}: {error}; change the function's environment") from None
