"""User data of an execution point: the first boot files, and the settings that differ between annexes.

A MIME multipart text of two cloud-configs (https://docs.cloud-init.io/en/latest/explanation/format/mime.html): the
first boot files, gzipped, and ``/etc/annex/annex.env``, uncompressed so that CloudFormation can fill in values. The
instance fetches the other boot files from Amazon S3 (`annex_boot.archive`). User data holds no secret: everyone
who may read the launch template or the instance's attributes can read it.

Parts of others come before these two. cloud-init lets each cloud-config replace the keys of those before it unless the
later one says otherwise (cloud-init, "Merging User-Data sections"), and these two append: none of their commands and
files is lost.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable

from annex_boot.boot_files import BOOT_FILES, FIRST_FILES, boot_file
from annex_boot.settings import EpSettings

MAX_USER_DATA_BYTES = 15 * 1024
"""Our own limit for an execution point's parts alone. The rest of EC2's limit, to which an app is held when it is
synthesised, is for the parts of others."""
EC2_USER_DATA_BYTES = 16 * 1024
"""EC2's limit, before base64 (EC2 User Guide, "Run commands when you launch an EC2 instance with user data input")."""
BOUNDARY = "=annex="
"""Line between two parts, after two hyphens; always the same, so that the same parts give the same bytes."""

_APPEND = "merge_how: dict(recurse_array)+list(append)\n"


def user_data_parts(settings: EpSettings) -> tuple[str, str]:
    """Return the two parts of an execution point, each with its headers; the same for the same settings."""
    start = f"#cloud-config\n{_APPEND}{boot_file('cloud-config.yaml')}"
    files = [_write_file(*BOOT_FILES[name], boot_file(name)) for name in sorted(FIRST_FILES)]
    static = start + "write_files:\n" + "".join(files)
    # mtime 0: the same input gives the same bytes.
    packed = base64.encodebytes(gzip.compress(static.encode(), compresslevel=9, mtime=0)).decode("ascii")
    own = f"#cloud-config\n{_APPEND}write_files:\n"
    own += _write_file("/etc/annex/annex.env", "0644", settings.to_env_file())
    return (
        f"Content-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n{packed}",
        f"Content-Type: text/cloud-config\n\n{own}",
    )


def multipart(parts: Iterable[str]) -> str:
    """Return the MIME multipart text of parts, each with its headers."""
    bodies = "".join(f"--{BOUNDARY}\n{part}\n" for part in parts)
    return f'Content-Type: multipart/mixed; boundary="{BOUNDARY}"\nMIME-Version: 1.0\n\n{bodies}--{BOUNDARY}--\n'


def render_user_data(settings: EpSettings) -> str:
    """Return the user data of an execution point: text, at most 15 KB, the same for the same settings.

    Raises:
        ValueError: it is larger, which only absurdly long values can cause.
    """
    text = multipart(user_data_parts(settings))
    if len(text.encode()) > MAX_USER_DATA_BYTES:
        raise ValueError(f"user data of {len(text.encode())} bytes: must be at most {MAX_USER_DATA_BYTES}")
    return text


def _write_file(path: str, mode: str, content: str) -> str:
    block = "".join(f"      {line}\n" for line in content.splitlines())
    return f"  - path: {path}\n    permissions: '{mode}'\n    content: |\n{block}"
