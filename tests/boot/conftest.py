from __future__ import annotations

import pytest

from annex_boot.archive import boot_archive
from annex_boot.user_data import render_user_data
from lab.image import root_filesystem
from tests.boot.boot_testbed import SETTINGS, Bed


@pytest.fixture(scope="session")
def testbed(tmp_path_factory: pytest.TempPathFactory) -> Bed:
    directory = tmp_path_factory.mktemp("boot")
    user_data, archive = directory / "user-data", directory / "archive"
    user_data.write_text(render_user_data(SETTINGS))
    archive.write_bytes(boot_archive())
    return Bed(root_filesystem(), user_data, archive)
