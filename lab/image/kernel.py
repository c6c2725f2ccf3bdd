"""Unpacked kernel for QEMU: unpacking at boot takes an emulated CPU one to two seconds."""

from __future__ import annotations

from pathlib import Path

from lab import LabError
from lab.processes import run

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
SECTOR = 512


def unpack(packed: Path, unpacked: Path, *, root: Path) -> None:
    """Writes the ELF kernel inside the bzImage ``packed`` to ``unpacked``, with the zstd of the image at ``root``.

    The fields of the header are those of https://docs.kernel.org/arch/x86/boot.html.

    Raises:
        LabError: the kernel is not packed with zstd.
    """
    image = packed.read_bytes()
    start = (image[0x1F1] + 1) * SECTOR + int.from_bytes(image[0x248:0x24C], "little")  # setup_sects, payload_offset
    length = int.from_bytes(image[0x24C:0x250], "little") - 4  # payload_length; the last word is the unpacked size
    payload = image[start : start + length]
    if not payload.startswith(ZSTD_MAGIC):
        raise LabError(
            f"{packed.name} is not a kernel packed with zstd; the image's kernel package has changed its form"
        )
    inside = root / "boot/payload"
    inside.write_bytes(payload)
    try:
        run("chroot", root, "zstd", "-dqf", "/boot/payload", "-o", "/boot/unpacked")
        (root / "boot/unpacked").replace(unpacked)
    finally:
        inside.unlink()
