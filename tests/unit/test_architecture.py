"""The walls of the house, read from the source itself: import arrows, room sizes, names."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "annex_lease": set[str](),
    "annex_spec": {"annex_lease"},
    "annex_boot": {"annex_lease"},
    "annex_constructs": {"annex_lease", "annex_boot"},
    "stacks": {"annex_constructs", "annex_spec", "annex_lease"},
    "annex_pool": {"annex_lease", "annex_spec"},
    "lab": {"annex_lease", "annex_spec"},
    "app.py": {"stacks", "annex_spec"},
    "examples": {"annex_constructs"},
}
FOREIGN = {
    "annex_spec": {"pydantic"},
    "annex_boot": set[str](),
    "annex_lease": {"boto3", "botocore"},
    "annex_constructs": {"aws_cdk", "constructs", "jsii"},  # jsii.implements: the only way to be an IGrantable
    "annex_constructs/lease/responder": {"boto3", "botocore"},  # runs in Lambda; nothing imports it
    "stacks": {"aws_cdk", "constructs"},
    "annex_pool": {"boto3", "botocore", "htcondor2", "classad2", "typer", "rich"},
    "app.py": {"aws_cdk"},
    "examples": {"aws_cdk", "constructs"},
}
PURE_LEASE = {
    f"{room}.py"
    for room in (
        *("tags", "terms", "forms", "rules", "duration", "policy", "record", "lease", "ownership", "observed"),
        *("actions", "decision", "keeping", "stopping", "bookkeeping", "invocation"),
    )
}
PURE_SWEEP = {
    f"sweep/{room}.py"
    for room in ("resources", "identity", "orphan", "expired", "sweep_plan", "sweep_report", "sweep_settings")
}
MAX_LINES, MAX_FUNCTION = 250, 50
FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "constants", "misc"}
HOUSE = {name.removesuffix(".py") for name in ALLOWED}


def sources(room: str) -> list[Path]:
    path = ROOT / room
    found = [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert found, f"no source below {room}"
    return found


def tracked() -> list[Path]:
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in out.split("\0") if name]


def imports(tree: ast.AST) -> Iterator[str]:
    """Top-level names imported at run time; `if TYPE_CHECKING:` blocks never run, so they are no arrow."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for other in node.orelse:
                yield from imports(other)
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]
        else:
            yield from imports(node)


def all_imports(path: Path) -> set[str]:
    return set(imports(ast.parse(path.read_text())))


@pytest.mark.parametrize("room", ALLOWED)
def test_import_arrows_between_our_packages(room: str) -> None:
    own = room.removesuffix(".py")
    for path in sources(room):
        wrong = (all_imports(path) & HOUSE) - ALLOWED[room] - {own}
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}; allowed: {sorted(ALLOWED[room])}"


@pytest.mark.parametrize("room", FOREIGN)
def test_libraries_each_package_may_use(room: str) -> None:
    inner = {ROOT / other for other in FOREIGN if other.startswith(f"{room}/")}
    for path in (each for each in sources(room) if inner.isdisjoint(each.parents)):
        foreign = {name for name in all_imports(path) if name not in sys.stdlib_module_names} - HOUSE
        assert foreign <= FOREIGN[room], f"{path.relative_to(ROOT)} imports {sorted(foreign - FOREIGN[room])}"


def test_the_stand_in_of_the_checker_shares_nothing_with_it() -> None:
    assert not all_imports(ROOT / "annex_constructs/lease/responder/index.py") & HOUSE


@pytest.mark.parametrize("name", sorted(PURE_LEASE | PURE_SWEEP))
def test_the_decision_is_pure(name: str) -> None:
    assert all_imports(ROOT / "annex_lease" / name) <= set(sys.stdlib_module_names) | {"annex_lease"}


def test_nothing_imports_the_lab() -> None:
    for room in set(ALLOWED) - {"lab"}:
        assert all("lab" not in all_imports(path) for path in sources(room))


@pytest.mark.parametrize(
    "package", ["annex_spec", "annex_lease", "annex_boot.user_data", "annex_pool.cli", "annex_lease.handler"]
)
def test_importing_never_loads_the_cdk(package: str) -> None:
    code = f"import {package}, sys; sys.exit(any(m.split('.')[0] in ('aws_cdk', 'jsii') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_rooms_are_small() -> None:
    big = []
    for path in (p for p in tracked() if p.suffix in {".py", ".sh"} and p.exists()):
        lines = len(path.read_text().splitlines())
        if lines > MAX_LINES:
            big.append(f"{path.relative_to(ROOT)}: {lines} lines")
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    length = (node.end_lineno or 0) - node.lineno + 1
                    if length > MAX_FUNCTION:
                        big.append(f"{path.relative_to(ROOT)}: {node.name} has {length} lines")
    assert not big, "\n".join(big)


def test_no_room_without_a_reason() -> None:
    assert not [p for p in tracked() if p.stem in FORBIDDEN or p.parent.name in FORBIDDEN]


def test_no_registry_and_no_machine_path_is_written_down() -> None:
    words = [r"pypi\.", r"files\.pythonhosted", r"registry\.npm", r"deb\.debian", r"debian\.org/debian", r"/work" + "/"]
    pattern = re.compile("|".join(words))
    for path in tracked():
        if path.suffix in {".png", ".svg"} or path == Path(__file__) or not path.exists():
            continue
        found = pattern.search(path.read_text(errors="replace"))
        assert not found, f"{path.relative_to(ROOT)} holds {found.group(0) if found else ''}"


def test_public_names_are_declared() -> None:
    for package in ("annex_spec", "annex_lease", "annex_boot", "annex_constructs", "annex_pool"):
        tree = ast.parse((ROOT / package / "__init__.py").read_text())
        names = [n for n in ast.walk(tree) if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__"]
        imported = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module != "__future__"]
        assert names or not imported, f"{package}/__init__.py exports names without saying so in __all__"
