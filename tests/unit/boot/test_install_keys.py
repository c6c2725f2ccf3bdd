"""Keys that are shipped: each is the one of its fingerprint, and of its owner."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from annex_boot.installation import KEY, KEY_FINGERPRINTS, install_file

OWNERS = {
    KEY: "OSG 25 Developer Signing Key <help@osg-htc.org>",
    "key-apptainer.asc": "Launchpad PPA for Apptainer",
    "key-cvmfs.asc": "cvmadmin <cernvm.administrator@cern.ch>",
    "key-docker.asc": "Docker Release (CE rpm) <docker@docker.com>",
    "key-nvidia.asc": "Kitmaker (Debian 13 Trixie) <kitmaker@nvidia.com>",
}


@pytest.mark.parametrize("name", KEY_FINGERPRINTS)
def test_a_key_is_the_one_that_its_fingerprint_says(tmp_path: Path, name: str) -> None:
    assert shutil.which("gpg"), "gpg is needed: install the package gnupg"
    key = tmp_path / name
    key.write_text(install_file(name))
    shown = subprocess.run(
        ["gpg", "--homedir", str(tmp_path), "--show-keys", "--with-colons", str(key)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert [line.split(":")[9] for line in shown if line.startswith("fpr:")] == [KEY_FINGERPRINTS[name]]
    assert [line.split(":")[9] for line in shown if line.startswith("uid:")] == [OWNERS[name]]
