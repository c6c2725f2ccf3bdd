"""Archive of the boot files that user data has no space for, and of the install files.

It is an object in Amazon S3. An instance fetches it when it boots for the first time, and unpacks it only if it has the
SHA-256 that its user data names.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from types import MappingProxyType

from annex_boot.boot_files import BOOT_FILES, FIRST_FILES, boot_file
from annex_boot.installation import DIRECTORY

_NONE: Mapping[str, str] = MappingProxyType({})


def boot_archive(install: Mapping[str, str] = _NONE) -> bytes:
    """Return a gzipped tar file whose names are paths below the root directory; the same for the same files.

    Args:
        install: text of each install file by its name, as of `annex_boot.installation.install_files`. Default: none,
            nothing is installed.
    """
    files = {path: (mode, boot_file(name)) for name, (path, mode) in BOOT_FILES.items() if name not in FIRST_FILES}
    files |= {DIRECTORY + name: ("0644", text) for name, text in install.items()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, (mode, text) in sorted(files.items()):
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(text.encode()), int(mode, 8)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(packed.getvalue(), compresslevel=9, mtime=0)
