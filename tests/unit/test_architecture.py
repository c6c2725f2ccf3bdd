"""Import arrows between the packages, purity of modules, and public names."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from annex_constructs.function_code import import_closure
from tests.unit.project_files import ROOT, sources

ALLOWED = {
    "annex_lease": set[str](),
    "annex_spec": {"annex_lease"},
    "annex_boot": {"annex_lease"},
    "annex_constructs": {"annex_lease", "annex_boot"},
    "stacks": {"annex_constructs", "annex_spec", "annex_lease"},
    "annex_pool": {"annex_lease", "annex_spec"},
    "lab": {"annex_boot", "annex_lease", "annex_spec"},
    # Deploys and looks as a user does: with the product's own stacks and commands.
    "verify": {"annex_lease", "annex_spec", "annex_constructs", "annex_pool", "stacks"},
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
    "verify": {"boto3", "botocore", "aws_cdk"},
}
# The declared values are data for everybody; the rest of annex_lease is the lease checker's.
PARTS = {
    "annex_spec": {
        *("terms", "kinds", "forms", "rules", "duration", "tags", "collectors", "egress", "instance_rules", "past_end"),
        *("image_rules", "installation_rules", "built_forms", "built_rules", "built_terms"),
        "job_rules",
    },
    "annex_boot": {"terms", "kinds", "forms", "rules", "duration", "tags", "stock_images", "job_forms", "job_rules"},
}
# Modules of annex_lease that call AWS. Every other module is pure: it needs the standard library only, and so does
# all that it imports.
CALLS_AWS = {"actuator", "aws", "batches", "checker", "cloudformation", "facts", "handler", "messages"}
CALLS_AWS |= {f"sweep.{module}" for module in ("inventory", "removal", "sweeper", "sweep_handler")}
# Modules of annex_lease that only hold declared values and their forms.
DATA = {"terms", "instance_terms", "image_terms", "kinds", "forms", "rules", "duration", "tags", "outcome"}
DATA |= {"built_forms", "stock_images", "components", "job_terms", "job_forms"}
# Modules from the invocation that finds the end of a lease to the calls that terminate its instances. Entries of the
# record, scheduled actions, findings of earlier runs and facts are modules of their own, apart from what reads them.
MAX_MODULES_OF_AN_END = 20
HOUSE = {name.removesuffix(".py") for name in ALLOWED}


def for_types_only(node: ast.AST) -> bool:
    """True for `if TYPE_CHECKING:`, which never runs; such a block has no `else` here."""
    if not isinstance(node, ast.If) or "TYPE_CHECKING" not in ast.dump(node.test):
        return False
    assert not node.orelse, ast.unparse(node)
    return True


def imports(tree: ast.AST) -> Iterator[str]:
    """Top-level names imported at run time; `if TYPE_CHECKING:` blocks never run, so they are no arrow."""
    for node in ast.iter_child_nodes(tree):
        if for_types_only(node):
            continue
        if isinstance(node, ast.Import):
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
    """Modules of annex_lease that a file imports at run time, in a function or at the top."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inner & set(LEASE_MODULES) or {node.module}
        elif not for_types_only(node):
            waiting += ast.iter_child_nodes(node)
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
    reached = {"annex_lease.handler"} | closure("annex_lease.handler")
    # Requests of CloudFormation and launches of a valid lease take another way, the line is logged after the calls, and
    # data is not run.
    another_way = ("cloudformation", "launches", "launch_advice", "log_line", "action_data")
    reached -= {f"annex_lease.{each}" for each in another_way}
    reached -= {f"annex_lease.{each}" for each in DATA}
    assert len(reached) <= MAX_MODULES_OF_AN_END, sorted(reached)


@pytest.mark.parametrize("tool", ["lab", "verify"])
def test_nothing_imports_the_tools(tool: str) -> None:
    for room in set(ALLOWED) - {tool}:
        assert all(tool not in all_imports(path) for path in sources(room))


def test_the_verification_loads_the_cdk_in_its_app_only() -> None:
    users = [path.name for path in sources("verify") if {"aws_cdk", "stacks", "annex_constructs"} & all_imports(path)]
    assert users == ["app.py"]


@pytest.mark.parametrize(
    "package", ["annex_spec", "annex_lease", "annex_boot.user_data", "annex_pool.cli", "annex_lease.handler"]
)
def test_importing_never_loads_the_cdk(package: str) -> None:
    code = f"import {package}, sys; sys.exit(any(m.split('.')[0] in ('aws_cdk', 'jsii') for m in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_public_names_are_declared() -> None:
    for package in ("annex_spec", "annex_lease", "annex_boot", "annex_constructs", "annex_pool"):
        tree = ast.parse((ROOT / package / "__init__.py").read_text())
        names = [n for n in ast.walk(tree) if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "__all__"]
        imported = [n for n in tree.body if isinstance(n, ast.ImportFrom) and n.module != "__future__"]
        assert names or not imported, f"{package}/__init__.py exports names without saying so in __all__"
