"""The lab's machine images: a stock Debian, and the same with HTCondor installed. Built once, then cached."""

from __future__ import annotations

from pathlib import Path

from lab.ca import Authority
from lab.image import installed, recipe, stock
from lab.image.store import entry


def root_filesystem() -> Path:
    """Root directory of the image: Debian with cloud-init, and HTCondor by the install files. For reading only.

    Builds the image (about two minutes, and some 300 MB from the Debian mirror of this host) if the cache has none.

    Raises:
        LabError: a program or the mirror is missing, a package could not be fetched or verified, or an install file
            failed.
    """
    return _image() / "root"


def disk_image() -> Path:
    """Disk image (raw, ext4 without partitions) to put an overlay on; for reading only. As ``root_filesystem``."""
    return _image() / "disk.raw"


def stock_root() -> Path:
    """Root directory of the stock image, without HTCondor. For reading only. As ``root_filesystem``."""
    return _stock() / "root"


def stock_disk() -> Path:
    """Disk image of the stock image. As ``disk_image``."""
    return _stock() / "disk.raw"


def tools() -> Path:
    """Directory to lay over a root directory of the image: the AWS CLI, for the pool's host."""
    return _image() / "tools"


def packages() -> list[Path]:
    """Directories for a package server: the lab's own repository, and what an installation takes from Debian's."""
    return [_stock() / "repository", _image() / "packages"]


def kernel() -> Path:
    """The kernel of both images, which boots a disk without an initial RAM disk."""
    return _stock() / "vmlinux"


def authority() -> Authority:
    """The certificate authority that programs in both images trust. It is made and removed with them."""
    return Authority(_stock() / "ca")


def _image() -> Path:
    # First, so that who uses the image keeps its stock image too, whose keys and certificates it trusts.
    found = _stock()
    return entry(
        recipe.image_key(),
        lambda new: installed.build(new, stock=found / "root", repository=found / "repository"),
    )


def _stock() -> Path:
    return entry(recipe.stock_key(), stock.build)
