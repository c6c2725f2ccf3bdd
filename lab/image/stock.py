"""The stock root: Debian 13 as its publisher's image for EC2 has it, as far as an annex needs it, without HTCondor."""

from __future__ import annotations

import sys
from pathlib import Path

from lab import LabError
from lab.ca import Authority
from lab.image import recipe, repository
from lab.image.chroot import PRIVATE
from lab.image.kernel import unpack
from lab.image.mirror import KEYRING, acquire_settings, mirror
from lab.processes import require, run


def build(directory: Path) -> None:
    """Builds package repository, certificate authority, and the root directory that trusts both, with disk and kernel.

    See `lab.image` for its errors.
    """
    for program in ("mmdebstrap", "mke2fs", "unshare", "setpriv"):
        require(program)
    print("building the machine image (once; about two minutes) ...", file=sys.stderr, flush=True)  # noqa: T201
    authority = Authority(directory / "ca")
    authority.create()
    (directory / "repository").mkdir()
    repository.build(directory / "repository")
    root = directory / "root"
    _install(root, authority.certificate, directory / "repository/key.asc")
    kernels = sorted((root / "boot").glob("vmlinuz-*"))
    if len(kernels) != 1:
        raise LabError(f"the image must hold one kernel, found {[k.name for k in kernels]}")
    unpack(kernels[0], directory / "vmlinux", root=root)
    kernels[0].unlink()
    make_disk(root, directory / "disk.raw")


def make_disk(root: Path, disk: Path) -> None:
    """Makes a disk image of a root directory."""
    # No journal: an instance's disk is deleted with it. Filled from the directory: needs no loop device, no mount.
    features = "^has_journal,^metadata_csum"
    run("mke2fs", "-q", "-t", "ext4", "-O", features, "-d", root, disk, f"{recipe.DISK_MIB}M")


def _install(root: Path, certificate: Path, trusted_key: Path) -> None:
    """Installs the packages. mmdebstrap is one run of this host's apt, which verifies the archive's signature."""
    if not KEYRING.exists():
        raise LabError(f"{KEYRING} is missing; install the Debian package debian-archive-keyring")
    arguments = [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        "--format=directory",
        f"--include={','.join(recipe.STOCK_PACKAGES)}",
        *(f"--aptopt={line}" for line in acquire_settings()),
        *(f"--dpkgopt=path-exclude={path}" for path in recipe.EXCLUDED_PATHS),
        *(f"--customize-hook={command}" for command in _customisation(certificate, trusted_key)),
        recipe.SUITE,
        str(root),
        f"deb [signed-by={KEYRING}] {mirror()} {recipe.SUITE} main",
    ]
    run(*PRIVATE, *arguments)


def _customisation(certificate: Path, trusted_key: Path) -> list[str]:
    """Shell commands that mmdebstrap runs with the root directory as ``$1`` after the packages are installed."""
    return [
        # The image names no mirror, and keeps nothing of this host's apt configuration.
        'rm -rf "$1"/etc/apt/sources.list* "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/initrd.img* "$1"/etc/resolv.conf',
        f'cp -r --no-preserve=ownership "{recipe.FILES}/." "$1/"',
        f'install -D -m 644 "{certificate}" "$1/{recipe.CA_FILE}" && chroot "$1" update-ca-certificates',
        f'install -D -m 644 "{trusted_key}" "$1/{recipe.TRUSTED_KEY}"',
        f'chroot "$1" systemctl enable {" ".join(recipe.ENABLED_UNITS)}',
        f'chroot "$1" systemctl mask {" ".join(recipe.MASKED_UNITS)}',
        'chroot "$1" systemctl set-default multi-user.target',
        # Newer than /usr: the first boot has nothing to update (systemd-update-done(8)).
        'touch "$1/etc/.updated" "$1/var/.updated"',
    ]
