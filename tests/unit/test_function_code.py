"""Sources of the two Lambda functions: exactly what their handlers import, readable for every user."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from annex_constructs.function_code import function_code, import_closure

ROOT = Path(__file__).parents[2]
CHECKER, SWEEPER = "annex_lease.handler", "annex_lease.sweep.sweep_handler"
# What the Lambda runtime for Python brings: boto3 and what it needs.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")

SHARED = [
    "__init__.py",
    "action_data.py",
    "actions.py",
    "actuator.py",
    "aws.py",
    "batches.py",
    "bookkeeping.py",
    "built_forms.py",
    "decision.py",
    "duration.py",
    "entries.py",
    "forms.py",
    "instance_terms.py",
    "job_forms.py",
    "job_terms.py",
    "keeping.py",
    "kinds.py",
    "launch_advice.py",
    "launches.py",
    "lease.py",
    "log_line.py",
    "messages.py",
    "observed.py",
    "outcome.py",
    "ownership.py",
    "policy.py",
    "record.py",
    "stopping.py",
    "tags.py",
    "terms.py",
    "components.py",
    "image_terms.py",
    "stock_images.py",
]
ONLY_CHECKER = [
    "checker.py",
    "cloudformation.py",
    "facts.py",
    "handler.py",
    "invocation.py",
    "memory.py",
]
ONLY_SWEEPER = [
    "sweep/__init__.py",
    "sweep/expired.py",
    "sweep/inventory.py",
    "sweep/orphan.py",
    "sweep/removal.py",
    "sweep/resources.py",
    "sweep/sweep_handler.py",
    "sweep/sweep_plan.py",
    "sweep/sweep_report.py",
    "sweep/sweep_settings.py",
    "sweep/sweeper.py",
]
WANTED = {CHECKER: sorted(SHARED + ONLY_CHECKER), SWEEPER: sorted(SHARED + ONLY_SWEEPER)}


def staged_files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.parametrize("handler", WANTED)
def test_a_function_holds_what_its_handler_imports_and_nothing_else(handler: str) -> None:
    found = [str(path.relative_to("annex_lease")) for path in import_closure(handler, ROOT)]
    assert sorted(found) == WANTED[handler]


@pytest.mark.parametrize("handler", WANTED)
def test_the_sources_are_staged_as_they_are(handler: str) -> None:
    expected = {f"annex_lease/{name}": (ROOT / "annex_lease" / name).read_bytes() for name in WANTED[handler]}
    with function_code(f"{handler}.handler") as directory:
        assert staged_files(Path(directory)) == expected
    assert not Path(directory).exists()


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o000])
def test_modes_do_not_follow_the_umask(umask: int) -> None:
    before = os.umask(umask)
    try:
        with function_code(f"{SWEEPER}.handler") as directory:
            staged = [Path(directory), *Path(directory).rglob("*")]
            modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in staged}
    finally:
        os.umask(before)
    assert modes == {(True, 0o755), (False, 0o644)}


@pytest.mark.parametrize("handler", WANTED)
def test_every_module_of_a_function_imports_with_what_lambda_has(handler: str, tmp_path: Path) -> None:
    for name in RUNTIME:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        installed = Path(spec.origin)
        source = installed.parent if installed.name == "__init__.py" else installed
        (tmp_path / source.name).symlink_to(source)
    with function_code(f"{handler}.handler") as directory:
        modules = [name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in WANTED[handler]]
        names = [handler, *(f"annex_lease.{name}" for name in modules if name != "__init__")]
        code = (
            "import importlib, sys\n"
            f"sys.path[:0] = [{directory!r}, {str(tmp_path)!r}]\n"
            f"loaded = [importlib.import_module(name) for name in {names!r}]\n"
            "assert callable(loaded[0].handler)\n"
            "print(*sorted(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'annex_lease'), sep='\\n')"
        )
        bare = subprocess.run(
            [sys.executable, "-I", "-S", "-B", "-c", code], capture_output=True, text=True, check=False, env={}
        )
        assert (bare.returncode, bare.stderr) == (0, "")
        assert bare.stdout.split() == [f"{directory}/annex_lease/{name}" for name in WANTED[handler]]


SOURCES = {
    "own/__init__.py": "",
    "own/entry.py": (
        "from __future__ import annotations\n"
        "import json, own.plain as plain\n"
        "from typing import TYPE_CHECKING\n"
        "import boto3\n"
        "import ownership\n"
        "from own.deep.inner import Name\n"
        "from own import module\n"
        "if TYPE_CHECKING:\n    from own.types import Only\nelse:\n    import own.otherwise\n"
        "def later():\n    try:\n        import own.lazy\n    except ImportError:\n        from own import fallback\n"
    ),
    "own/deep/__init__.py": "from . import sibling\n",
    "own/deep/inner.py": "from ..cousin import Name\nfrom .beside import Other\n",
    "own/deep/unused.py": "",
    "ownership.py": "",
    "own/beside.py": "",
    "own/deep/beside.py": "",
    "own/deep/sibling.py": "",
    "own/fallback.py": "",
    "own/lazy.py": "",
    "own/module.py": "",
    "own/otherwise.py": "",
    "own/plain.py": "",
    "own/types.py": "",
    "own/cousin.py": "import own.entry\n",
}


def test_what_counts_as_an_import(tmp_path: Path) -> None:
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert [str(path) for path in import_closure("own.entry", tmp_path)] == [
        "own/__init__.py",
        "own/cousin.py",
        "own/deep/__init__.py",
        "own/deep/beside.py",
        "own/deep/inner.py",
        "own/deep/sibling.py",
        "own/entry.py",
        "own/fallback.py",
        "own/lazy.py",
        "own/module.py",
        "own/otherwise.py",
        "own/plain.py",
    ]


def test_a_handler_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"no module own.entry below {tmp_path}"):
        import_closure("own.entry", tmp_path)
    with (
        pytest.raises(FileNotFoundError, match="no package nothing_of_this_name is installed"),
        function_code("nothing_of_this_name.handler.handler"),
    ):
        pass
