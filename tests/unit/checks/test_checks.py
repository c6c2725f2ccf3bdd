"""The table of the checks: it holds every test of the tree, and says what fails."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from scripts import checks
from scripts.stages import Stage

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def logs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def words(stages: tuple[Stage, ...]) -> list[str]:
    return [word for stage in stages for word in stage.command]


def test_every_test_file_is_in_exactly_one_stage() -> None:
    named = [Path(word) for word in words(checks.STAGES) if word.startswith("tests/")]
    for file in (path.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.py")):
        holders = [each for each in named if each in (file, *file.parents)]
        assert len(holders) == 1, f"{file} is run by {[str(each) for each in holders]}"


@pytest.mark.parametrize("stages", [checks.STAGES, checks.FAST], ids=["all", "fast"])
def test_every_file_that_is_named_exists(stages: tuple[Stage, ...]) -> None:
    named = [word for word in words(stages) if word.startswith(("tests/", "scripts/", ".ci/"))]
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("stages", [checks.STAGES, checks.FAST], ids=["all", "fast"])
def test_names_are_unique_and_needs_are_stages(stages: tuple[Stage, ...]) -> None:
    names = [stage.name for stage in stages]
    assert len(set(names)) == len(names)
    for number, stage in enumerate(stages):
        assert set(stage.needs) <= set(names[:number]), "a stage needs what stands above it"


def test_cheap_stages_come_first() -> None:
    cheap = {"ruff", "format", "shellcheck"}
    assert {stage.name for stage in checks.STAGES if not stage.needs} == cheap
    assert all(cheap <= set(stage.needs) for stage in checks.STAGES if stage.needs)


def test_coverage_is_measured_and_its_floor_is_in_the_settings() -> None:
    (product,) = (stage for stage in checks.STAGES if "--cov" in stage.command)
    assert not [word for word in product.command if word.startswith("--cov-fail-under")]
    after = product.command[product.command.index("--cov") + 1]
    assert after.startswith("-"), f"pytest-cov takes {after} for the source to measure, and its tests do not run"
    assert "fail_under = 97" in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 1", 1)])
def test_the_exit_status_is_that_of_the_stages(monkeypatch: pytest.MonkeyPatch, script: str, code: int) -> None:
    table = (Stage("good", ("true",), 0.1), Stage("one", ("sh", "-c", script), 0.1))
    monkeypatch.setattr(checks, "STAGES", table)
    assert checks.main([]) == code
    assert checks.main(["--stage", "good"]) == 0
    assert checks.main(["--stage", "one"]) == code


def test_what_could_not_run_is_a_failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(checks, "STAGES", (Stage("gone", ("/no/such/program",), 0.1),))
    assert checks.main([]) == 1
    assert "NOT RUN" in capsys.readouterr().out.splitlines()[-2]


def test_an_unknown_stage_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        checks.main(["--stage", "nonsense"])
    assert ended.value.code == 2
    assert "no stage nonsense; there are: ruff, " in capsys.readouterr().err


def test_python_stages_use_this_python() -> None:
    assert {word for word in words(checks.STAGES) if word.endswith("python") or "python3" in word} == {sys.executable}
