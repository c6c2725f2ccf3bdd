"""Names of the cache entries: each changes with what the entry is made of."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lab.image import recipe


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package, to be changed."""
    copy = tmp_path / "image"
    shutil.copytree(Path(recipe.__file__).parent, copy)
    monkeypatch.setattr(recipe, "_PACKAGE", copy)
    monkeypatch.setattr(recipe, "_AFTERWARDS", [copy / path.name for path in recipe._AFTERWARDS])
    return copy


def keys() -> tuple[str, str]:
    return recipe.stock_key(), recipe.image_key()


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("stock.py", (True, True)),
        ("files/etc/hosts", (True, True)),
        ("installed.py", (False, True)),
    ],
)
def test_a_changed_file_changes_what_is_made_of_it(package: Path, file: str, changed: tuple[bool, ...]) -> None:
    before = keys()
    with (package / file).open("a") as text:
        text.write("\n# changed\n")
    assert tuple(one != other for one, other in zip(before, keys(), strict=True)) == changed


def test_a_changed_install_file_changes_the_image_only(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = keys()
    monkeypatch.setattr(recipe, "install_files", lambda: {"install": "changed"})
    after = keys()
    assert after[0] == before[0]
    assert after[1] != before[1]
