"""The worst case of an annex: each bound, the smaller of the two, never rounded down, and no AWS."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from annex_specs import HOUR, annex_spec
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from annex_constructs.execution_point import ExecutionPoint
from annex_pool.plan import CHECK_PERIOD, DEAD_MAN, derivation, plan, shown_amount
from annex_pool.plan_text import show_plan

MINUTE = timedelta(minutes=1)


def text(**changes: Any) -> str:
    out = Console(file=io.StringIO(), width=240, highlight=False, markup=False)
    show_plan(plan(annex_spec(**changes)), out)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_the_timer_of_the_execution_point_is_the_one_assumed_here() -> None:
    class Bare(ExecutionPoint):
        """An execution point of which only the defaults matter."""

        def __init__(self) -> None:
            object.__setattr__(self, "dead_man", None)

    assert timedelta(seconds=Bare().dead_man_seconds) == DEAD_MAN


def test_by_time_alone() -> None:
    planned = plan(annex_spec())
    assert planned.overrun == DEAD_MAN
    assert planned.reach_hours == planned.worst_hours == 33  # 2 x (16 h + 30 min)
    assert planned.unextended_hours == 17
    assert planned.limit_hours is None
    assert planned.money(planned.worst_hours) is None


@pytest.mark.parametrize(
    ("grace", "overrun"), [(timedelta(0), 30), (29 * MINUTE, 30), (30 * MINUTE, 31), (2 * HOUR, 121)]
)
def test_the_later_of_grace_and_timer_counts(grace: timedelta, overrun: int) -> None:
    assert plan(annex_spec(grace=grace)).overrun == overrun * MINUTE


@pytest.mark.parametrize(("limit", "worst"), [(1, 2), (31, 32), (32, 33), (33, 33), (10_000, 33)])
def test_the_smaller_of_the_bounds_counts(limit: int, worst: int) -> None:
    planned = plan(annex_spec(max_instance_hours=limit))
    assert planned.limit_hours == limit + 1  # 2 x 30 min run on after it is used up
    assert planned.worst_hours == worst


def test_renewal_while_busy_reaches_as_far_as_anything() -> None:
    planned = plan(annex_spec(renew_while_busy=HOUR))
    assert planned.unextended_hours == planned.reach_hours


def test_an_absolute_end() -> None:
    spec = annex_spec(lease=None, lease_ends_at=datetime(2030, 6, 1, tzinfo=UTC), reach=24 * HOUR)
    planned = plan(spec)
    assert planned.unextended_hours is None
    assert planned.worst_hours == 49
    data = planned.as_data()
    assert (data["lease_seconds"], data["lease_ends_at"]) == (None, "2030-06-01T00:00:00Z")
    shown = text(lease=None, lease_ends_at=datetime(2030, 6, 1, tzinfo=UTC), reach=24 * HOUR)
    assert "until 2030-06-01T00:00:00Z" in shown
    assert "depends on when it is deployed" in shown


def test_money() -> None:
    data = plan(annex_spec(price_per_hour=0.085, max_instance_hours=20)).as_data()
    assert data["instance_hours"] == {"unextended": 17.0, "by_reach": 33.0, "by_limit": 21.0, "worst": 21.0}
    assert data["cost"] == {"unextended": 1.45, "by_reach": 2.81, "by_limit": 1.79, "worst": 1.79}
    assert plan(annex_spec()).as_data()["cost"] is None


@pytest.mark.parametrize(
    ("value", "shown"), [("0", "0"), ("100", "100"), ("1.5", "1.5"), ("1.001", "1.01"), ("33.333333", "33.34")]
)
def test_never_rounded_down(value: str, shown: str) -> None:
    assert shown_amount(Decimal(value)) == shown


@given(
    size=st.integers(1, 10_000),
    hours=st.integers(1, 366 * 24 // 2),
    grace=st.integers(0, 120),
    limit=st.none() | st.integers(1, 100_000_000),
)
def test_the_worst_case_holds_what_a_lease_can_use(size: int, hours: int, grace: int, limit: int | None) -> None:
    spec = annex_spec(size=size, lease=hours * HOUR, grace=grace * MINUTE, max_instance_hours=limit)
    planned = plan(spec)
    longest = spec.reach + spec.grace + CHECK_PERIOD
    by_time = Decimal(int(longest.total_seconds())) * size / 3600
    by_limit = None if limit is None else limit + Decimal(size * (grace + 1)) / 60
    assert planned.worst_hours >= min(by_time, by_time if by_limit is None else by_limit) - Decimal("1e-9")
    assert planned.worst_hours <= planned.reach_hours
    assert Decimal(shown_amount(planned.worst_hours)) >= planned.worst_hours


def test_the_derivation_holds_every_number() -> None:
    spec = annex_spec(max_instance_hours=20, grace=40 * MINUTE)
    steps = "\n".join(derivation(plan(spec)))
    assert "2 x (16h + 41m) = 33.37 instance-hours" in steps
    assert "20 (max_instance_hours) + 2 x 41m = 21.37 instance-hours" in steps
    assert "by money" not in "\n".join(derivation(plan(annex_spec())))


def test_for_people() -> None:
    shown = text(price_per_hour=0.085, max_instance_hours=20, renew_while_busy=HOUR)
    assert "at worst              at most 21 instance-hours = 1.79 at 0.085 per instance-hour" in shown
    assert "if nobody extends it  at most 21 instance-hours" in shown
    assert "renewed while busy    by 1h" in shown
    assert shown.count("not counted: ") == 4


def test_the_command_needs_the_spec_only(tmp_path: Path) -> None:
    """No credentials, no Region, no AWS client: an operator without an account can plan."""
    spec = tmp_path / "annexes.toml"
    spec.write_text(
        '[pool]\ncollector = "cm.example.edu"\ntrust_domain = "example.edu"\n[annex.demo]\nregion = "us-east-1"\n'
        'image = "ami-0123456789abcdef0"\ninstance_types = ["c6a.large"]\nsize = 2\nlease = "8h"\n'
    )
    code = "from annex_pool.cli import main; main()"
    command = [sys.executable, "-c", code, "plan", "demo", "--json", "--spec", str(spec)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"})
    assert json.loads(done.stdout)["instance_hours"]["worst"] == 33
    wrong = subprocess.run([*command[:4], "dmo", *command[5:]], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "did you mean demo?" in wrong.stderr
