"""Sizes and names of files, functions and classes; no address of a registry and no path of a machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.unit.project_files import ROOT, project_files, sources

PRODUCT = ("annex_lease", "annex_spec", "annex_boot", "annex_constructs", "annex_pool", "stacks")
MAX_LINES, MAX_FUNCTION = 250, 50
FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "constants", "misc"}


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


def test_every_package_states_its_purpose() -> None:
    packages = [path for room in PRODUCT for path in sources(room) if path.name == "__init__.py"]
    assert {path.parent.name for path in packages} >= set(PRODUCT)
    assert not [path for path in packages if not ast.get_docstring(ast.parse(path.read_text()))]


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
