"""Archive of the boot files that user data has no space for, and of the install files.

It is an object in Amazon S3. An instance fetches it when it boots for the first time, and unpacks it only if it has the
SHA-256 that its user data names.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Sequence

from annex_boot.boot_files import BOOT_FILES, FIRST_FILES, boot_file
from annex_boot.installation import DIRECTORY, install_files


def boot_archive(components: Sequence[str] = (), script: str | None = None) -> bytes:
    """Return a gzipped tar file whose names are paths below the root directory; the same for the same arguments.

    Args:
        components: names of the components that are installed. Default: none.
        script: text of the annex's own script. Default: None - there is none.

    Raises:
        FileNotFoundError: there is no such component.
    """
    files = {path: (mode, boot_file(name)) for name, (path, mode) in BOOT_FILES.items() if name not in FIRST_FILES}
    # Without a script, an empty one takes the place of what an image of another instance may have.
    files |= {DIRECTORY + name: ("0644", text) for name, text in install_files(components, script or "").items()}
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, (mode, text) in sorted(files.items()):
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(text.encode()), int(mode, 8)
            archive.addfile(entry, io.BytesIO(text.encode()))
    return gzip.compress(packed.getvalue(), compresslevel=9, mtime=0)
