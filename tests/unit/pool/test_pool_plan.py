"""Worst case of an annex: always by time, by money while the checker counts; never rounded down, without AWS."""

import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import annex_boot
from annex_lease import terms
from annex_lease.terms import CHECK_PERIOD
from annex_pool.cli import app
from annex_pool.commands.plan_command import show_plan
from annex_pool.plan import REPLACEMENT, SELF_SHUTDOWN, derivation, plan, shown_amount
from tests.unit.pool.annex_specs import HOUR, annex_spec

MINUTE = timedelta(minutes=1)


def text(**changes: Any) -> str:
    out = Console(file=io.StringIO(), width=240, highlight=False, markup=False)
    show_plan(plan(annex_spec(**changes)), out)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def test_the_timer_of_the_execution_point_is_the_one_assumed_here() -> None:
    assert terms.SHUTDOWN_AFTER_END.default == SELF_SHUTDOWN


def test_by_time_alone() -> None:
    planned = plan(annex_spec())
    assert planned.overrun == SELF_SHUTDOWN + REPLACEMENT
    assert planned.lifetime_hours == planned.worst_hours == Decimal("33.5")  # 2 x (16 h + 45 min)
    assert planned.unextended_hours == Decimal("17.5")
    assert planned.limit_hours is None
    assert planned.worst_hours_while_checked == planned.worst_hours
    assert planned.unextended_hours_while_checked == planned.unextended_hours
    assert planned.money(planned.worst_hours) is None


@pytest.mark.parametrize(
    ("grace", "overrun"), [(timedelta(0), 45), (44 * MINUTE, 45), (45 * MINUTE, 46), (2 * HOUR, 121)]
)
def test_the_later_of_grace_and_timer_counts(grace: timedelta, overrun: int) -> None:
    assert plan(annex_spec(grace=grace)).overrun == overrun * MINUTE


def test_the_replacement_has_time_to_retire() -> None:
    """Time to boot and to shut down is added to the longest time that systemd lets the retire script run."""
    unit = Path(annex_boot.__file__).parent / "files/annex-retire.service"
    assert "TimeoutStartSec=8min" in unit.read_text().splitlines()
    assert REPLACEMENT > 8 * MINUTE


@pytest.mark.parametrize(("limit", "checked"), [(1, 2.5), (31, 32.5), (32, 33.5), (33, 33.5), (10_000, 33.5)])
def test_the_smaller_of_the_bounds_counts_while_the_checker_works(limit: int, checked: float) -> None:
    planned = plan(annex_spec(max_instance_hours=limit))
    assert planned.limit_hours == limit + Decimal("1.5")  # 2 x 45 min run on after it is used up
    assert planned.worst_hours_while_checked == Decimal(str(checked))
    assert planned.worst_hours == Decimal("33.5")  # instances that start after the checker failed are not counted


def test_renewal_while_busy_can_use_the_maximum_lifetime() -> None:
    planned = plan(annex_spec(renew_while_busy=HOUR))
    assert planned.unextended_hours == planned.lifetime_hours


def test_an_absolute_end() -> None:
    spec = annex_spec(lease=None, lease_ends_at=datetime(2030, 6, 1, tzinfo=UTC), max_lifetime=24 * HOUR)
    planned = plan(spec)
    assert planned.unextended_hours is None
    assert planned.worst_hours == Decimal("49.5")
    assert planned.unextended_hours_while_checked is None
    data = planned.as_data()
    assert (data["lease_seconds"], data["lease_ends_at"]) == (None, "2030-06-01T00:00:00Z")
    shown = text(lease=None, lease_ends_at=datetime(2030, 6, 1, tzinfo=UTC), max_lifetime=24 * HOUR)
    assert "until 2030-06-01T00:00:00Z" in shown
    assert "depends on the time of the deployment" in shown


def test_money() -> None:
    data = plan(annex_spec(price_per_hour=0.085, max_instance_hours=20)).as_data()
    assert data["instance_hours"] == {
        "unextended": 17.5,
        "by_max_lifetime": 33.5,
        "by_limit": 21.5,
        "worst": 33.5,
        "unextended_while_checked": 17.5,
        "worst_while_checked": 21.5,
    }
    assert data["cost"] == {
        "unextended": 1.49,
        "by_max_lifetime": 2.85,
        "by_limit": 1.83,
        "worst": 2.85,
        "unextended_while_checked": 1.49,
        "worst_while_checked": 1.83,
    }
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
    longest = spec.max_lifetime + spec.grace + CHECK_PERIOD
    by_time = Decimal(int(longest.total_seconds())) * size / 3600
    by_limit = None if limit is None else limit + Decimal(size * (grace + 1)) / 60
    assert planned.worst_hours >= by_time - Decimal("1e-9")
    checked = min(by_time, by_time if by_limit is None else by_limit)
    assert planned.worst_hours_while_checked >= checked - Decimal("1e-9")
    assert Decimal(shown_amount(planned.worst_hours)) >= planned.worst_hours


@given(
    size=st.integers(1, 10_000),
    hours=st.integers(1, 366 * 24 // 2),
    limit=st.none() | st.integers(1, 100_000_000),
    price=st.none() | st.floats(0.001, 100),
)
def test_no_figure_contradicts_another(size: int, hours: int, limit: int | None, price: float | None) -> None:
    changes = {"size": size, "lease": hours * HOUR, "max_instance_hours": limit, "price_per_hour": price}
    data: Any = plan(annex_spec(**changes)).as_data()
    for figures in (data["instance_hours"], data["cost"] or data["instance_hours"]):
        assert figures["worst"] == figures["by_max_lifetime"]
        assert figures["unextended"] <= figures["worst"]
        assert figures["unextended_while_checked"] <= figures["worst_while_checked"] <= figures["worst"]
        assert figures["unextended_while_checked"] <= figures["unextended"]
        assert figures["by_limit"] is None or figures["worst_while_checked"] <= figures["by_limit"]


def test_the_derivation_holds_every_number() -> None:
    spec = annex_spec(max_instance_hours=20, grace=40 * MINUTE)
    steps = "\n".join(derivation(plan(spec)))
    assert "at worst, by time: 2 x (16h + 45m) = 33.5 instance-hours, with or without a working lease checker" in steps
    assert "20 (max_instance_hours) + 2 x 45m = 21.5 instance-hours, only while the lease checker works" in steps
    assert "at worst while the lease checker works: the smaller of the two, 21.5 instance-hours" in steps
    assert "grace 40m" in steps
    assert "replaces it once" in steps
    assert "2 x (16h + 2h1m)" in "\n".join(derivation(plan(annex_spec(grace=2 * HOUR))))
    assert "by money" not in "\n".join(derivation(plan(annex_spec())))


def test_for_people() -> None:
    shown = text(price_per_hour=0.085, max_instance_hours=20, renew_while_busy=HOUR)
    assert "at worst              at most 33.5 instance-hours = 2.85 at 0.085 per instance-hour\n" in shown
    assert "while checked         at most 21.5 instance-hours = 1.83 at 0.085 per instance-hour, if the lease" in shown
    assert "without extension     at most 33.5 instance-hours" in shown
    assert "while checked" not in text()
    assert "renewed while busy    by 1h" in shown
    assert shown.count("not counted: ") == 6


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
    assert json.loads(done.stdout)["instance_hours"]["worst"] == 33.5
    wrong = subprocess.run([*command[:4], "dmo", *command[5:]], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "did you mean demo?" in wrong.stderr


@pytest.mark.parametrize(("own", "notes"), [(3, 0), (4, 1)])
def test_many_vpcs_are_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str], own: int, notes: int) -> None:
    spec = tmp_path / "annexes.toml"
    spec.write_text(
        '[pool]\ncollector = "cm.example.edu"\ntrust_domain = "example.edu"\n[defaults]\nregion = "us-east-1"\n'
        'image = "ami-0123456789abcdef0"\ninstance_types = ["c6a.large"]\nsize = 2\nlease = "8h"\n'
        + "".join(f"[annex.own{n}]\n" for n in range(own))
        + '[annex.given]\nvpc = "vpc-01234567"\nsubnets = ["subnet-01234567"]\n'
    )

    def noted(name: str) -> int:
        app(["plan", name, "--spec", str(spec)], standalone_mode=False)
        return capsys.readouterr().err.count("note: the annexes of this file make 4 VPCs in us-east-1")

    assert (noted("own0"), noted("given")) == (notes, 0)


@pytest.mark.parametrize(("end", "notes"), [("2020-01-01T00:00:00Z", 1), ("9999-01-01T00:00:00Z", 0)])
def test_an_end_that_has_passed_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], end: str, notes: int
) -> None:
    spec = tmp_path / "annexes.toml"
    spec.write_text(
        '[pool]\ncollector = "cm.example.edu"\ntrust_domain = "example.edu"\n[annex.demo]\nregion = "us-east-1"\n'
        'image = "ami-0123456789abcdef0"\ninstance_types = ["c6a.large"]\nsize = 2\n'
        f'lease_ends_at = {end}\nmax_lifetime = "30d"\n'
    )
    app(["plan", "demo", "--json", "--spec", str(spec)], standalone_mode=False)
    said = capsys.readouterr()
    assert said.err.count(f"note: annex demo: the declared end of its lease, {end}, has passed") == notes
    assert json.loads(said.out)["lease_ends_at"] == end


def test_the_jobs_that_may_run_are_shown() -> None:
    rows = [line for line in text(owners=("ada", "bob"), start="true").splitlines() if line.startswith("jobs ")]
    assert [re.split(" {2,}", row)[1] for row in rows] == [
        'jobs with My.TargetAnnexName = "demo", or with My.MayUseAWS = true',
        "only of ada, bob (owners)",
        "only if true (start)",
    ]
    assert plan(annex_spec(opt_in=False)).as_data()["accepted_jobs"] == ["every job of the pool (opt_in = false)"]
