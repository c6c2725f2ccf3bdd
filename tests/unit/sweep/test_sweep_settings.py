"""Settings of the sweeper: what the construct writes into the environment is what the function reads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annex_lease.sweep.sweep_settings import SweepSettings
from annex_lease.terms import DRY_RUN, MAX_REMOVALS

spans = st.integers(0, 7 * 86_400).map(lambda count: timedelta(seconds=count))


@given(st.integers(MAX_REMOVALS.minimum, MAX_REMOVALS.maximum), st.booleans(), spans, spans)
def test_what_is_written_is_read_again(count: int, dry_run: bool, slack: timedelta, wait: timedelta) -> None:
    settings = SweepSettings(count, dry_run, slack, wait)
    assert SweepSettings.from_environ(settings.to_environ()) == settings


def test_defaults_are_the_declared_ones() -> None:
    empty = SweepSettings.from_environ({})
    assert empty == SweepSettings()
    assert (empty.max_removals, empty.dry_run) == (MAX_REMOVALS.default, DRY_RUN.default)
    assert (empty.slack, empty.wait) == (timedelta(minutes=10), timedelta(hours=1))
    assert empty.to_environ() == {"SWEEP_MAX_REMOVALS": "50", "SWEEP_DRY_RUN": "0"}


@pytest.mark.parametrize(
    ("name", "value", "limits"),
    [
        ("SWEEP_MAX_REMOVALS", str(MAX_REMOVALS.maximum + 1), f"from {MAX_REMOVALS.minimum} to {MAX_REMOVALS.maximum}"),
        ("SWEEP_MAX_REMOVALS", "-1", f"from {MAX_REMOVALS.minimum} to {MAX_REMOVALS.maximum}"),
        ("SWEEP_MAX_REMOVALS", "", f"from {MAX_REMOVALS.minimum} to {MAX_REMOVALS.maximum}"),
        ("SWEEP_DRY_RUN", "2", "from 0 to 1"),
        ("SWEEP_SLACK_SECONDS", "604801", "from 0 to 604800"),
        ("SWEEP_WAIT_SECONDS", "1.5", "from 0 to 604800"),
    ],
)
def test_a_value_that_is_not_allowed_is_an_error(name: str, value: str, limits: str) -> None:
    environ: dict[str, Any] = {**SweepSettings().to_environ(), name: value}
    with pytest.raises(
        ValueError, match=f"{name}: '{value}' is not a whole number {limits}; change the function's env"
    ):
        SweepSettings.from_environ(environ)
