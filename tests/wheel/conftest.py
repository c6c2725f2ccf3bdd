"""The wheel, built once from the tracked files, and environments in which it is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wheel.installed_wheel import ROOT, Installed, tracked


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel built under umask 077 and through the source distribution, as `build` does it."""
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in tracked():
        target = tree / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
        target.chmod(0o600)
    command = [sys.executable, "-m", "build", "--outdir", str(out), str(tree)]
    done = subprocess.run(command, capture_output=True, text=True, umask=0o077, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Deprecat" not in done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Without an extra: nothing but the wheel."""
    return Installed(tmp_path_factory.mktemp("bare"), wheel, borrow=False)


@pytest.fixture(scope="session")
def developer(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """With every library."""
    return Installed(tmp_path_factory.mktemp("developer"), wheel, borrow=True)


@pytest.fixture(scope="session")
def pool_host(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """With every library but the CDK."""
    return Installed(tmp_path_factory.mktemp("pool-host"), wheel, borrow=True, cdk=False)
