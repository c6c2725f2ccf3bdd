"""Assets of the two functions in an assembly: what changes them, and what does not."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from aws_cdk import App

from annex_constructs import function_code
from annex_spec import BaseSpec
from stacks import AnnexBaseStack
from tests.synth.templates import OWN_NETWORK, ROOT, annex_stack

SPEC = """\
[pool]
collector = "cm.example.edu"
trust_domain = "example.edu"

[base]

[annex.demo]
region = "us-east-1"
image = "ami-0123456789abcdef0"
size = 2
lease = "8h"
instance_types = ["c6a.large"]
"""
PACKAGES = ("annex_boot", "annex_constructs", "annex_lease", "annex_spec", "stacks")
Templates = dict[str, Any]


def templates_with(flags: dict[str, Any], package: Path) -> Templates:
    """The templates of an annex and of the base, with the functions' code taken from a copy of `annex_lease`."""
    app = App(context=flags)
    with mock.patch.object(function_code, "_root_of", lambda _: package.parent):
        annex_stack(app, OWN_NETWORK)
        AnnexBaseStack(app, base=BaseSpec(), region="us-east-1")
        return {each.stack_name: each.template for each in app.synth().stacks}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    copy = tmp_path / "annex_lease"
    shutil.copytree(ROOT / "annex_lease", copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(scope="module")
def before(flags: dict[str, Any]) -> Templates:
    return templates_with(flags, ROOT / "annex_lease")


@pytest.mark.parametrize(
    ("changed", "stacks"),
    [
        ("sweep/orphan.py", ["AnnexBase-us-east-1"]),
        ("sweep/__init__.py", ["AnnexBase-us-east-1"]),
        ("checker.py", ["Annex-demo"]),
        ("cloudformation.py", ["Annex-demo"]),
        ("decision.py", ["Annex-demo", "AnnexBase-us-east-1"]),
        ("py.typed", []),
    ],
)
def test_a_comment_changes_the_templates_whose_function_runs_the_file(
    flags: dict[str, Any], before: Templates, copied: Path, changed: str, stacks: list[str]
) -> None:
    with (copied / changed).open("a") as file:
        file.write("# another comment\n")
    after = templates_with(flags, copied)
    assert sorted(after) == ["Annex-demo", "AnnexBase-us-east-1"]
    assert sorted(name for name, template in after.items() if template != before[name]) == stacks


def test_compiled_files_and_notes_change_nothing(flags: dict[str, Any], before: Templates, copied: Path) -> None:
    (copied / "__pycache__").mkdir()
    (copied / "__pycache__" / "checker.cpython-311.pyc").write_bytes(b"compiled")
    (copied / "unused.py").write_text("")
    assert templates_with(flags, copied) == before


def synthesise(umask: int, place: Path) -> Path:
    """The assembly that an operator with this umask makes of sources that were installed with it."""
    place.mkdir()
    before = os.umask(umask)
    try:
        for name in PACKAGES:
            for source in (ROOT / name).rglob("*"):
                if source.is_file() and "__pycache__" not in source.parts:
                    target = place / source.relative_to(ROOT)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(source.read_bytes())
        (place / "app.py").write_bytes((ROOT / "app.py").read_bytes())
        (place / "annexes.toml").write_text(SPEC)
    finally:
        os.umask(before)
    environ = {**os.environ, "CDK_OUTDIR": str(place / "out"), "PYTHONPATH": str(place)}
    subprocess.run([sys.executable, "-P", "app.py"], cwd=place, env=environ, umask=umask, check=True)
    return place / "out"


def test_the_umask_changes_neither_hashes_nor_modes(tmp_path: Path) -> None:
    open_, closed = (synthesise(umask, tmp_path / oct(umask)) for umask in (0o022, 0o077))
    assert stat.S_IMODE((tmp_path / oct(0o077) / "annex_lease" / "handler.py").stat().st_mode) == 0o600
    assets = [sorted(path.name for path in out.glob("asset.*")) for out in (open_, closed)]
    assert assets[0] == assets[1]
    assert len(assets[0]) == 3  # the boot archive is the third one
    for name in ("Annex-demo.template.json", "AnnexBase-us-east-1.template.json"):
        assert json.loads((open_ / name).read_text()) == json.loads((closed / name).read_text())
    # Files alone: the archive that is uploaded has no entries for directories.
    files = [path for out in (open_, closed) for asset in out.glob("asset.*") for path in asset.rglob("*.py")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o644}
