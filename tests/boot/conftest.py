from __future__ import annotations

import pytest

from annex_boot.user_data import render_user_data
from lab.image import root_filesystem
from tests.boot.boot_testbed import SETTINGS, Bed


@pytest.fixture(scope="session")
def testbed(tmp_path_factory: pytest.TempPathFactory) -> Bed:
    user_data = tmp_path_factory.mktemp("boot") / "user-data"
    user_data.write_text(render_user_data(SETTINGS))
    return Bed(root_filesystem(), user_data)
