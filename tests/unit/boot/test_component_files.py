"""Components: the table and the files name the same ones, and each file has both functions."""

from __future__ import annotations

import re
from pathlib import Path

from annex_boot import install
from annex_boot.installation import KEY_FINGERPRINTS, install_file, install_files
from annex_lease.components import COMPONENTS


def test_the_table_and_the_files_have_the_same_components() -> None:
    files = Path(install.__file__).parent.glob("component-*")
    assert {path.name.removeprefix("component-") for path in files} == set(COMPONENTS)


def test_each_component_can_be_installed_and_tested() -> None:
    for component in COMPONENTS:
        functions = re.findall(r"^(\w+)\(\) {$", install_file(f"component-{component}"), re.MULTILINE)
        assert {f"install_{component}", f"check_{component}"} <= {*functions}


def test_a_component_comes_with_the_keys_that_it_names_and_no_others() -> None:
    own = {name for name in install_files() if name.endswith(".asc")}
    assert own == {"key.asc"}
    for component in COMPONENTS:
        named = {*re.findall(r"key-\w+\.asc", install_file(f"component-{component}"))}
        assert {name for name in install_files([component]) if name.endswith(".asc")} == own | named
        assert named <= set(KEY_FINGERPRINTS)
