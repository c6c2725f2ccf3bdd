"""The lab's machine image: a Debian root directory, and the disk and kernel made of it. Built once, then cached."""

from __future__ import annotations

from pathlib import Path

from lab.ca import Authority
from lab.image.build import build
from lab.image.recipe import key
from lab.image.store import entry


def root_filesystem() -> Path:
    """Root directory of the image: Debian with HTCondor, the AWS CLI and cloud-init. For reading only.

    Builds the image (about a minute, and some 300 MB from the Debian mirror of this host) if the cache has none.

    Raises:
        LabError: a program or the mirror is missing, or a package could not be fetched or verified.
    """
    return _image() / "root"


def disk_image() -> Path:
    """Disk image (raw, ext4 without partitions) to put an overlay on; for reading only. As ``root_filesystem``."""
    return _image() / "disk.raw"


def kernel() -> Path:
    """The kernel of the image, which boots the disk without an initial RAM disk."""
    return _image() / "vmlinux"


def authority() -> Authority:
    """The certificate authority that programs in the image trust. It is made and removed with the image."""
    return Authority(_image() / "ca")


def _image() -> Path:
    return entry(key(), build)
