"""Content of the image: a typical machine image of an annex, without any file of this project."""

from __future__ import annotations

import hashlib
from pathlib import Path

SUITE = "forky"  # the first Debian release with HTCondor 25
PACKAGES = (
    "condor",
    "awscli",
    "cloud-init",
    "linux-image-cloud-amd64",
    "systemd",  # with systemd-networkd: Debian's fastest DHCP client, without a shell script
    "systemd-sysv",
    "udev",
    "dbus",  # needed by logind, which handles the power button
    "nftables",
    "iproute2",
    "zstd",  # unpacks the kernel when the image is built
    "ca-certificates",
    "curl",
)
# Documentation and translations: a third of the files, without use here.
EXCLUDED_PATHS = (
    "/usr/share/doc/*",
    "/usr/share/man/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/lib/python3/dist-packages/awscli/examples/*",
    # Hardware that the lab's machines do not have, and drivers that systemd loads as a precaution.
    "/usr/lib/modules/*/kernel/drivers/ata/*",
    "/usr/lib/modules/*/kernel/drivers/infiniband/*",
    "/usr/lib/modules/*/kernel/drivers/scsi/*",
    "/usr/lib/modules/*/kernel/drivers/target/*",
    "/usr/lib/modules/*/kernel/drivers/firmware/qemu_fw_cfg.ko*",
    "/usr/lib/modules/*/kernel/net/vmw_vsock/*",
    "/usr/lib/modules/*/kernel/net/8021q/*",
    # The disk boots without an initial RAM disk: do not build one.
    "/etc/kernel/postinst.d/dracut",
)
# The boot files of an execution point start HTCondor, after its configuration and its firewall.
DISABLED_UNITS = ("condor.service",)
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
CA_FILE = "usr/local/share/ca-certificates/annex-lab.crt"
DISK_MIB = 4096  # a sparse file: only used blocks are stored; the rest is for jobs


def key() -> str:
    """Name of the image's cache entry: a hash of this package's own files, so that no change can be forgotten."""
    digest = hashlib.sha256()
    package = Path(__file__).parent
    for path in sorted(p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        digest.update(f"{path.relative_to(package)}\0{path.stat().st_mode & 0o111}\0".encode())
        digest.update(path.read_bytes() + b"\0")
    return f"image-{digest.hexdigest()[:16]}"
