from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.boot.boot_root import BootRoot


@pytest.fixture
def root(tmp_path: Path) -> BootRoot:
    return BootRoot(tmp_path)
