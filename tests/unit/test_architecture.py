"""Architecture rules, read from the source: import arrows, sizes, names."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from annex_constructs.function_code import import_closure

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
# The declared values are data for everybody; the rest of annex_lease is the lease checker's.
PARTS = {
    "annex_spec": {"terms", "kinds", "forms", "rules", "duration", "tags"},
    "annex_boot": {"terms", "kinds", "forms", "rules", "duration", "tags"},
}
# Modules of annex_lease that call AWS. Every other module is pure: it needs the standard library only, and so does
# all that it imports.
CALLS_AWS = {"actuator", "aws", "batches", "checker", "cloudformation", "handler"}
CALLS_AWS |= {f"sweep.{module}" for module in ("inventory", "removal", "sweeper", "sweep_handler")}
# Modules of annex_lease that only hold declared values and their forms.
DATA = {"terms", "kinds", "forms", "rules", "duration", "tags"}
MAX_MODULES_OF_A_CHECK = 18
PRODUCT = ("annex_lease", "annex_spec", "annex_boot", "annex_constructs", "annex_pool", "stacks")
MAX_LINES, MAX_FUNCTION = 250, 50
FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "constants", "misc"}
HOUSE = {name.removesuffix(".py") for name in ALLOWED}


def sources(room: str) -> list[Path]:
    path = ROOT / room
    found = [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert found, f"no source below {room}"
    return found


def project_files() -> list[Path]:
    """Every file of the project, committed or not, except what .gitignore names."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in sorted({*out.split("\0")} - {""}) if (path := ROOT / name).is_file()]


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


LEASE_MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sources("annex_lease")
}


def modules_imported(path: Path) -> set[str]:
    """Modules of annex_lease that a file imports, in a function or at the top."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & set(LEASE_MODULES) or {node.module}
    return found & set(LEASE_MODULES)


def closure(module: str) -> set[str]:
    """Modules of annex_lease that a module of it imports when it runs, directly or not, without itself."""
    names = {path: name for name, path in LEASE_MODULES.items()}
    return {names[ROOT / path] for path in import_closure(module, ROOT)} - {module, "annex_lease"}


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


def test_the_responder_of_the_checker_shares_nothing_with_it() -> None:
    assert not all_imports(ROOT / "annex_constructs/lease/responder/index.py") & HOUSE


@pytest.mark.parametrize("room", PARTS)
def test_parts_of_the_lease_that_a_package_may_use(room: str) -> None:
    allowed = {f"annex_lease.{part}" for part in PARTS[room]}
    for path in sources(room):
        wrong = modules_imported(path) - allowed
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}; allowed: {sorted(allowed)}"


@pytest.mark.parametrize("name", sorted(set(LEASE_MODULES) - {f"annex_lease.{each}" for each in CALLS_AWS}))
def test_modules_that_call_no_aws_are_pure(name: str) -> None:
    for module in {name} | closure(name):
        foreign = all_imports(LEASE_MODULES[module]) - set(sys.stdlib_module_names) - {"annex_lease"}
        assert not foreign, f"{name} reaches {module}, which imports {sorted(foreign)}"


def test_modules_that_call_aws_exist() -> None:
    assert {f"annex_lease.{each}" for each in CALLS_AWS} <= set(LEASE_MODULES)


def test_the_lease_checker_needs_nothing_of_the_sweeper() -> None:
    checker = {"annex_lease.handler"} | closure("annex_lease.handler")
    assert not [module for module in checker if module.startswith("annex_lease.sweep")]


def test_the_end_of_a_lease_runs_through_few_modules() -> None:
    reached = closure("annex_lease.checker") - {f"annex_lease.{each}" for each in DATA}
    assert len(reached) < MAX_MODULES_OF_A_CHECK, f"annex_lease.checker and {sorted(reached)}"


def test_nothing_imports_the_lab() -> None:
    for room in set(ALLOWED) - {"lab"}:
        assert all("lab" not in all_imports(path) for path in sources(room))


@pytest.mark.parametrize(
    "package", ["annex_spec", "annex_lease", "annex_boot.user_data", "annex_pool.cli", "annex_lease.handler"]
)
def test_importing_never_loads_the_cdk(package: str) -> None:
    code = f"import {package}, sys; sys.exit(any(m.split('.')[0] in ('aws_cdk', 'jsii') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def is_program(path: Path) -> bool:
    """True for Python and shell, which has no suffix on an instance and in scripts/."""
    return path.suffix in {".py", ".sh"} or (not path.suffix and path.read_bytes().startswith(b"#!"))


def test_files_and_functions_are_small() -> None:
    big = []
    for path in filter(is_program, project_files()):
        text = path.read_text()
        lines = len(text.splitlines())
        if lines > MAX_LINES:
            big.append(f"{path.relative_to(ROOT)}: {lines} lines")
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    length = (node.end_lineno or 0) - node.lineno + 1
                    if length > MAX_FUNCTION:
                        big.append(f"{path.relative_to(ROOT)}: {node.name} has {length} lines")
    assert not big, "\n".join(big)


def test_no_room_without_a_reason() -> None:
    assert not [p for p in project_files() if p.stem in FORBIDDEN or p.parent.name in FORBIDDEN]


def twice(places: Iterator[tuple[str, Path]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, path in places:
        found.setdefault(name, []).append(str(path.relative_to(ROOT)))
    return {name: paths for name, paths in found.items() if len(paths) > 1}


def test_no_file_name_twice_in_the_product() -> None:
    files = (path for room in PRODUCT for path in sources(room))
    assert not twice((path.name, path) for path in files if path.name != "__init__.py")


def test_no_class_name_twice_in_the_product() -> None:
    files = [path for room in PRODUCT for path in sources(room)]
    trees = ((path, ast.parse(path.read_text())) for path in files)
    classes = ((n.name, path) for path, tree in trees for n in ast.walk(tree) if isinstance(n, ast.ClassDef))
    assert not twice(classes)


def test_no_registry_and_no_machine_path_is_written_down() -> None:
    words = [r"pypi\.", r"files\.pythonhosted", r"registry\.npm", r"deb\.debian", r"debian\.org/debian", r"/work" + "/"]
    pattern = re.compile("|".join(words))
    for path in project_files():
        if path.suffix in {".png", ".svg"} or path == Path(__file__):
            continue
        found = pattern.search(path.read_text(errors="replace"))
        assert not found, f"{path.relative_to(ROOT)} holds {found.group(0) if found else ''}"


def test_public_names_are_declared() -> None:
    for package in ("annex_spec", "annex_lease", "annex_boot", "annex_constructs", "annex_pool"):
        tree = ast.parse((ROOT / package / "__init__.py").read_text())
        names = [n for n in ast.walk(tree) if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__"]
        imported = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module != "__future__"]
        assert names or not imported, f"{package}/__init__.py exports names without saying so in __all__"
