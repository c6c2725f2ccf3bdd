"""The table of packages in the documents is what the architecture's own test enforces."""

from __future__ import annotations

import re

from tests.unit.project_files import ROOT
from tests.unit.test_architecture import ALLOWED, FOREIGN

ROW = re.compile(r"^\| `([\w.]+)` \| [^|]* \| ([^|]*) \| ([^|]*) \|$", re.M)


def test_packages_and_their_imports() -> None:
    page = (ROOT / "docs/explanation/architecture.md").read_text()
    rows = {package: (ours, libraries) for package, ours, libraries in ROW.findall(page)}
    assert rows.keys() == ALLOWED.keys()
    for package, (ours, libraries) in rows.items():
        assert set(re.findall(r"`([\w.]+)`", ours)) == ALLOWED[package], package
        if package in FOREIGN:
            assert set(re.findall(r"`([\w.]+)`", libraries)) == FOREIGN[package], package
