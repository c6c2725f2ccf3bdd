"""The image with HTCondor: the stock root on which the project's own install files ran, as for a real machine image."""

from __future__ import annotations

import shutil
from pathlib import Path

from annex_boot.installation import (
    CLEAN_COMMAND,
    DIRECTORY,
    check_command,
    install_command,
    install_files,
)
from lab.image import recipe
from lab.image.chroot import in_root
from lab.image.mirror import mirror, proxy
from lab.image.stock import make_disk
from lab.package_server import PackageServer, Upstream
from lab.processes import run

MIRRORS = ("debian", "debian-security")  # files of /etc/apt/mirrors, and directories of a mirror


def build(directory: Path, *, stock: Path, repository: Path) -> None:
    """Builds root directory, disk, the packages that it took, and the operator's AWS CLI.

    Args:
        directory: an empty directory.
        stock: stock root.
        repository: directory with the lab's package repository.
    """
    root, packages = directory / "root", directory / "packages"
    run("cp", "-a", "--reflink=auto", str(stock), str(root))
    packages.mkdir()
    upstream = Upstream(mirror().removesuffix("/debian"), packages, proxy=proxy())
    with PackageServer([repository, packages], upstream=upstream) as server:
        address = f"http://127.0.0.1:{server.port}"
        for name in MIRRORS:
            (root / f"etc/apt/mirrors/{name}.list").write_text(f"{address}/{name}\n")
        write_install_files(root)
        in_root(root, install_command(recipe.HTCONDOR_SERIES), ANNEX_HTCONDOR_MIRROR=f"{address}/repo")
        _fetch_tools(root, directory / "tools")
    in_root(root, CLEAN_COMMAND)
    for name in MIRRORS:
        shutil.copy(recipe.FILES / f"etc/apt/mirrors/{name}.list", root / f"etc/apt/mirrors/{name}.list")
    (root / "etc/apt/sources.list.d/annex.list").unlink()
    in_root(root, check_command(recipe.HTCONDOR_SERIES, image=True))
    run("touch", str(root / "etc/.updated"), str(root / "var/.updated"))
    make_disk(root, directory / "disk.raw")


def write_install_files(root: Path) -> None:
    """Writes the install files, as an instance unpacks them."""
    directory = root / DIRECTORY.lstrip("/")
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in install_files().items():
        (directory / name).write_text(text)


def _fetch_tools(root: Path, directory: Path) -> None:
    """Unpacks the AWS CLI, with what it needs and the image lacks: for the pool's host, where an operator works."""
    in_root(root, f"apt-get -qq -o Dir::Cache::archives=/{recipe.TOOLS_CACHE} install --download-only "
                  f"--no-install-recommends {' '.join(recipe.TOOLS)}")  # fmt: skip
    directory.mkdir()
    for package in (root / recipe.TOOLS_CACHE).glob("*.deb"):
        run("dpkg-deb", "--extract", str(package), str(directory))
    shutil.rmtree(root / recipe.TOOLS_CACHE)
    for unused in (
        "usr/share/doc",
        "usr/share/man",
        "usr/share/locale",
        "usr/lib/python3/dist-packages/awscli/examples",
    ):
        shutil.rmtree(directory / unused, ignore_errors=True)
