"""User data of an execution point: the boot files, and the settings that differ between annexes.

A MIME multipart text of two cloud-configs (https://docs.cloud-init.io/en/latest/explanation/format/mime.html): the
boot files, gzipped, and ``/etc/annex/annex.env``, uncompressed so that CloudFormation can fill in values. It holds no
secret: everyone who may read the launch template or the instance's attributes can read user data.

Parts of others come before these two. cloud-init lets each cloud-config replace the keys of those before it unless the
later one says otherwise (cloud-init, "Merging User-Data sections"), and these two append: none of their commands and
files is lost.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable
from importlib import resources

from annex_boot.boot_text import on_machine
from annex_boot.installation import DIRECTORY, UPDATE_UNITS
from annex_boot.settings import EpSettings, setting_forms, setting_limits
from annex_lease import forms
from annex_lease.tags import TAG_END

MAX_USER_DATA_BYTES = 15 * 1024
"""Our own limit for an execution point's parts alone. The rest of EC2's limit, to which an app is held when it is
synthesised, is for the parts of others."""
EC2_USER_DATA_BYTES = 16 * 1024
"""EC2's limit, before base64 (EC2 User Guide, "Run commands when you launch an EC2 instance with user data input")."""
BOUNDARY = "=annex="
"""Line between two parts, after two hyphens; always the same, so that the same parts give the same bytes."""

_APPEND = "merge_how: dict(recurse_array)+list(append)\n"

_PROGRAMS = "/usr/local/lib/annex/"
_UNITS = "/etc/systemd/system/"

BOOT_FILES: dict[str, tuple[str, str]] = {
    "annex-busy.service": (_UNITS + "annex-busy.service", "0644"),
    "annex-firewall.service": (_UNITS + "annex-firewall.service", "0644"),
    "annex-gpus.service": (_UNITS + "annex-gpus.service", "0644"),
    "annex-install.service": (_UNITS + "annex-install.service", "0644"),
    "annex-incomplete.service": (_UNITS + "annex-incomplete.service", "0644"),
    "annex-join.service": (_UNITS + "annex-join.service", "0644"),
    "annex-prepare.service": (_UNITS + "annex-prepare.service", "0644"),
    "annex-retire.service": (_UNITS + "annex-retire.service", "0644"),
    "annex-watch.service": (_UNITS + "annex-watch.service", "0644"),
    "annex.target": (_UNITS + "annex.target", "0644"),
    "begin": (_PROGRAMS + "begin", "0755"),
    "busy": (_PROGRAMS + "busy", "0755"),
    "call-aws": (_PROGRAMS + "call-aws", "0755"),
    "condor-annex.conf": (_UNITS + "condor.service.d/annex.conf", "0644"),
    "condor.conf": ("/etc/condor/config.d/90-annex", "0644"),
    "configure": (_PROGRAMS + "configure", "0755"),
    "devices.sh": (_PROGRAMS + "devices.sh", "0644"),
    "firewall": (_PROGRAMS + "firewall", "0755"),
    "firewall.nft": ("/etc/annex/firewall.nft", "0644"),
    "firewall.sh": (_PROGRAMS + "firewall.sh", "0644"),
    "gpus": (_PROGRAMS + "gpus", "0755"),
    "install-software": (_PROGRAMS + "install-software", "0755"),
    "join": (_PROGRAMS + "join", "0755"),
    "lease-hook": (_PROGRAMS + "lease-hook", "0755"),
    "lease.sh": (_PROGRAMS + "lease.sh", "0644"),
    "metadata.sh": (_PROGRAMS + "metadata.sh", "0644"),
    "prepare": (_PROGRAMS + "prepare", "0755"),
    "programs.sh": (_PROGRAMS + "programs.sh", "0644"),
    "retire": (_PROGRAMS + "retire", "0755"),
    "settings.sh": (_PROGRAMS + "settings.sh", "0644"),
    "watch": (_PROGRAMS + "watch", "0755"),
}
"""Name in ``annex_boot/files`` -> path and mode on the instance."""


def boot_file(name: str, *, comments: bool = False) -> str:
    """Return a file of ``annex_boot/files`` as it is written on the instance.

    Placeholders (``@@NAME@@``) are replaced by the rules of the project, so that no boot file repeats one.

    Args:
        name: name of the file.
        comments: keep whole-line comments; on the instance they only take space. Default: False.

    Raises:
        FileNotFoundError: there is no such file.
    """
    text = (resources.files(__package__) / "files" / name).read_text(encoding="utf-8")
    return on_machine(text, _rules(), comments=comments)


def _rules() -> dict[str, str]:
    """The value of each placeholder in the boot files."""
    accepted = setting_forms()
    limits = [(f"${key}", key, low, high) for key, (low, high) in setting_limits().items()]
    lengths = [
        (f"${{#{key}}}", f"length of {key}", int(not form.matches("")), form.max_length)
        for key, form in accepted.items()
        if form.max_length
    ]
    return {
        "SETTING_FORMS": "\n".join(f"{key}=({form.pattern})" for key, form in accepted.items()),
        "SETTING_COUNT": str(len(accepted)),
        "SETTING_LIMITS": "\n".join(f"{value} {low} {high} {what}" for value, what, low, high in lengths + limits),
        "LEASE_END_TAG": TAG_END,
        "PROXY_FORM": forms.PROXY.pattern,
        "IDTOKEN_FORM": forms.IDTOKEN.pattern,
        "UPDATE_UNITS": ", ".join(UPDATE_UNITS),
        "INSTALL_DIRECTORY": DIRECTORY,
    }


def user_data_parts(settings: EpSettings) -> tuple[str, str]:
    """Return the two parts of an execution point, each with its headers; the same for the same settings."""
    start = f"#cloud-config\n{_APPEND}{boot_file('cloud-config.yaml')}"
    files = [_write_file(path, mode, boot_file(name)) for name, (path, mode) in sorted(BOOT_FILES.items())]
    static = start + "write_files:\n" + "".join(files)
    # mtime 0: the same input gives the same bytes.
    # One long line: the line breaks of MIME would take 160 bytes, and cloud-init needs none.
    packed = base64.b64encode(gzip.compress(static.encode(), compresslevel=9, mtime=0)).decode("ascii")
    own = f"#cloud-config\n{_APPEND}write_files:\n"
    own += _write_file("/etc/annex/annex.env", "0644", settings.to_env_file())
    return (
        f"Content-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n{packed}\n",
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
    # With as few blanks as YAML takes.
    block = "".join(f"   {line}\n" for line in content.splitlines())
    return f"- path: {path}\n  permissions: '{mode}'\n  content: |\n{block}"
