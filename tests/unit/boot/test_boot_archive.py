"""Boot archive: every boot file that user data lacks, and the install files, the same every time."""

from __future__ import annotations

import io
import tarfile

import pytest

from annex_boot.archive import boot_archive
from annex_boot.boot_files import BOOT_FILES, FIRST_FILES, boot_file
from annex_boot.installation import DIRECTORY, install_files


def unpacked(packed: bytes) -> dict[str, tuple[str, str]]:
    found = {}
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for entry in archive:
            content = archive.extractfile(entry)
            assert content is not None
            assert (entry.uid, entry.gid, entry.mtime) == (0, 0, 0)
            found[f"/{entry.name}"] = (f"{entry.mode:04o}", content.read().decode())
    return found


OWN = {path: (mode, boot_file(name)) for name, (path, mode) in BOOT_FILES.items() if name not in FIRST_FILES}


@pytest.mark.parametrize("components", [[], ["osg", "cvmfs"]])
def test_it_has_the_boot_files_that_user_data_lacks_and_the_install_files(components: list[str]) -> None:
    installs = {DIRECTORY + name: ("0644", text) for name, text in install_files(components, "").items()}
    assert unpacked(boot_archive(components)) == OWN | installs


def test_the_first_files_need_no_other_boot_file() -> None:
    texts = [boot_file(name) for name in FIRST_FILES if name != "begin"]
    for name in BOOT_FILES.keys() - FIRST_FILES - {"annex.target"}:
        assert not any(f"/{name}" in text for text in texts), name


def test_the_same_files_give_the_same_bytes() -> None:
    packed = boot_archive(["osg"], "true\n")
    assert packed == boot_archive(["osg"], "true\n")
    assert packed[4:8] == b"\0\0\0\0", "no time in the gzip header"
