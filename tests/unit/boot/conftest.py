from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.boot.boot_root import SETTINGS, BootRoot
from tests.unit.boot.stock_machine import Machine


@pytest.fixture
def root(tmp_path: Path) -> BootRoot:
    instance = BootRoot(tmp_path)
    instance.write("var/lib/annex/installed", f"{SETTINGS.archive_digest}\n")  # the first boot is over
    return instance


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path).become()
