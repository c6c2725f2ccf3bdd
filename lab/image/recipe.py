"""Content of the stock root and of the lab's package repository, and the names of their cache entries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from annex_boot.installation import install_files

SUITE = "trixie"
# Of the packages of Debian's images for EC2 those with a part in the boot or the installation. Their lists, which name
# neither nftables nor curl: https://salsa.debian.org/cloud-team/debian-cloud-images, config_space/*/package_config.
# Without awscli, which they have: nothing of ours may need it.
STOCK_PACKAGES = (
    "apt-utils",
    "cloud-init",
    "linux-image-cloud-amd64",
    "systemd",  # with systemd-networkd: Debian's fastest DHCP client, without a shell script
    "systemd-sysv",
    "udev",
    "dbus",  # needed by logind, which handles the power button
    "iproute2",
    "iptables",
    "unattended-upgrades",
    "zstd",  # unpacks the kernel when the image is built
    "ca-certificates",
)
HTCONDOR_SERIES = "25.x"
HTCONDOR_SUITE = "forky"  # the first Debian release with HTCondor 25
# What HTCondor of that release needs is in trixie too, but for one library.
HTCONDOR_PACKAGES = ("condor", "libpcre2-8-0")
# Documentation and translations: a third of the files, without use here.
EXCLUDED_PATHS = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    # Hardware that the lab's machines do not have, and drivers that systemd loads as a precaution.
    "/usr/lib/modules/*/kernel/drivers/ata/*",
    "/usr/lib/modules/*/kernel/drivers/infiniband/*",
    "/usr/lib/modules/*/kernel/drivers/scsi/*",
    "/usr/lib/modules/*/kernel/drivers/target/*",
    "/usr/lib/modules/*/kernel/drivers/firmware/qemu_fw_cfg.ko*",
    "/usr/lib/modules/*/kernel/net/vmw_vsock/*",
    "/usr/lib/modules/*/kernel/net/8021q/*",
    # The disk boots without an initial RAM disk: do not build one.
    "/etc/kernel/postinst.d/*",
)
# A machine here runs for minutes, and each of these takes part of a second of its boot on an emulated CPU.
MASKED_UNITS = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "fstrim.timer",
    "systemd-tmpfiles-clean.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "cloud-init-hotplugd.socket",
    "systemd-pstore.service",
    "systemd-hwdb-update.service",
    "systemd-binfmt.service",
    "systemd-random-seed.service",
    "systemd-journal-flush.service",
    "systemd-journal-catalog-update.service",
    "systemd-network-generator.service",
    "systemd-networkd-persistent-storage.service",
    "systemd-udev-load-credentials.service",
    "systemd-tmpfiles-setup-dev-early.service",
    "systemd-tmpfiles-setup-dev.service",
    "kmod-static-nodes.service",
    "modprobe@.service",
    "dev-hugepages.mount",
    "dev-mqueue.mount",
    "sys-kernel-config.mount",
    "sys-kernel-debug.mount",
    "sys-kernel-tracing.mount",
    "sys-fs-fuse-connections.mount",
    "proc-sys-fs-binfmt_misc.automount",
    "getty@tty1.service",
    "remote-fs.target",
    "dracut-shutdown.service",
)
ENABLED_UNITS = ("systemd-networkd.service",)
FILES = Path(__file__).parent / "files"  # copied into the root directory as they are
TRUSTED_KEY = "etc/annex/keys.d/lab.asc"  # the lab's repository signs itself
CA_FILE = "usr/local/share/ca-certificates/annex-lab.crt"
DISK_MIB = 4096  # a sparse file: only used blocks are stored; the rest is for jobs
TOOLS = ("awscli",)  # of the operator, on the pool's host
TOOLS_CACHE = "var/cache/annex-lab"
_PACKAGE = Path(__file__).parent
_AFTERWARDS = [_PACKAGE / "__init__.py", _PACKAGE / "installed.py"]  # without influence on the stock root


def stock_key() -> str:
    """Name of the stock image's cache entry: a hash of this package's own files, so that no change can be forgotten."""
    files = (path for path in _PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return f"stock-{_digest(path for path in files if path not in _AFTERWARDS)}"


def image_key() -> str:
    """Name of the image's cache entry: that of the stock root, with the install files."""
    made_of = f"{stock_key()} {_digest(_AFTERWARDS)} {sorted(install_files().items())}"
    return f"image-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(f"{path.relative_to(_PACKAGE)}\0{path.stat().st_mode & 0o111}\0".encode())
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
