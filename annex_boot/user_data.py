"""The user data of an execution point: the boot files and the few values that differ between annexes.

A MIME multipart text of two cloud-configs (https://docs.cloud-init.io/en/latest/explanation/format/mime.html): the
boot files, gzipped, and ``/etc/annex/annex.env``, in the clear so that values CloudFormation fills in can stand there.
There is no secret in it: everybody who may read the launch template or the instance's attributes reads user data.
"""

from __future__ import annotations

import base64
import gzip
import re
from dataclasses import dataclass
from importlib import resources

LARGEST_USER_DATA_BYTES = 12 * 1024
"""Our own limit. EC2's is 16 KB before base64; the rest is for what values CloudFormation fills in."""

_PROGRAMS = "/usr/local/lib/annex/"
_UNITS = "/etc/systemd/system/"

BOOT_FILES: dict[str, tuple[str, str]] = {
    "annex-busy.service": (_UNITS + "annex-busy.service", "0644"),
    "annex-firewall.service": (_UNITS + "annex-firewall.service", "0644"),
    "annex-join.service": (_UNITS + "annex-join.service", "0644"),
    "annex-prepare.service": (_UNITS + "annex-prepare.service", "0644"),
    "annex-retire.service": (_UNITS + "annex-retire.service", "0644"),
    "annex-watch.service": (_UNITS + "annex-watch.service", "0644"),
    "annex.target": (_UNITS + "annex.target", "0644"),
    "begin": (_PROGRAMS + "begin", "0755"),
    "busy": (_PROGRAMS + "busy", "0755"),
    "condor-annex.conf": (_UNITS + "condor.service.d/annex.conf", "0644"),
    "condor.conf": ("/etc/condor/config.d/90-annex", "0644"),
    "configure": (_PROGRAMS + "configure", "0755"),
    "firewall": (_PROGRAMS + "firewall", "0755"),
    "firewall.nft": ("/etc/annex/firewall.nft", "0644"),
    "join": (_PROGRAMS + "join", "0755"),
    "lease-hook": (_PROGRAMS + "lease-hook", "0755"),
    "lease.sh": (_PROGRAMS + "lease.sh", "0644"),
    "metadata.sh": (_PROGRAMS + "metadata.sh", "0644"),
    "prepare": (_PROGRAMS + "prepare", "0755"),
    "retire": (_PROGRAMS + "retire", "0755"),
    "settings.sh": (_PROGRAMS + "settings.sh", "0644"),
    "wall.sh": (_PROGRAMS + "wall.sh", "0644"),
    "watch": (_PROGRAMS + "watch", "0755"),
}
"""Name in ``annex_boot/files`` -> path and mode on the instance."""

# The same patterns as in boot/settings.sh, which sees the values after CloudFormation filled in its own.
_TEXT_SETTINGS = {
    "annex": (
        "ANNEX_NAME",
        r"(?=.{1,32}\Z)[a-z](-?[a-z0-9]){0,31}",
        "1 to 32 lower-case letters, digits and single inner hyphens, a letter first",
    ),
    "region": ("ANNEX_REGION", r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}", "an AWS Region such as us-east-1"),
    "credential_arn": (
        "ANNEX_CREDENTIAL",
        r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[A-Za-z0-9/_+=.@-]+",
        "the ARN of a Secrets Manager secret",
    ),
    "collector": (
        "ANNEX_COLLECTOR",
        r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?:[0-9]{1,5}",
        "HOST:PORT such as cm.example.edu:9618",
    ),
    "trust_domain": (
        "ANNEX_TRUST_DOMAIN",
        r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?",
        "a domain name such as example.edu",
    ),
}
_SECONDS_SETTINGS = {
    "drain_before_end_seconds": "ANNEX_DRAIN_BEFORE_END",
    "idle_timeout_seconds": "ANNEX_IDLE_TIMEOUT",
    "join_timeout_seconds": "ANNEX_JOIN_TIMEOUT",
    "shutdown_after_end_seconds": "ANNEX_SHUTDOWN_AFTER_END",
}
_LONGEST_SECONDS = 99_999_999
_FLAG_SETTINGS = {"protect_busy": "ANNEX_PROTECT_BUSY"}

# How the CDK writes a value it will know only later into a string.
_TOKEN = "${Token["  # noqa: S105 - not a credential


@dataclass(frozen=True, kw_only=True)
class EpSettings:
    """What an execution point is told about its annex. A text may contain CDK tokens; it is then not checked here.

    Attributes:
        annex: Name of the annex.
        region: AWS Region of the annex.
        credential_arn: ARN of the secret that holds the IDTOKEN.
        collector: The pool's collector as ``HOST:PORT``.
        trust_domain: The pool's TRUST_DOMAIN.
        drain_before_end_seconds: Time before the lease end at which running jobs are sent back to the queue.
        idle_timeout_seconds: Time without a claim after which the instance retires.
        join_timeout_seconds: Time after boot within which the pool must have accepted the instance; it retires otherwise.
        shutdown_after_end_seconds: Time past the lease end after which the instance powers itself off, asking nobody.
        protect_busy: Whether the instance protects itself from scale-in while a job runs on it.

    Raises:
        ValueError: If a value is not of the form the boot files accept.
    """

    annex: str
    region: str
    credential_arn: str
    collector: str
    trust_domain: str
    drain_before_end_seconds: int
    idle_timeout_seconds: int
    join_timeout_seconds: int
    shutdown_after_end_seconds: int
    protect_busy: bool = False

    def __post_init__(self) -> None:
        for field, (_, pattern, allowed) in _TEXT_SETTINGS.items():
            value = getattr(self, field)
            if "\n" in value or "\r" in value or (_TOKEN not in value and not re.fullmatch(pattern, value)):
                raise ValueError(f"{field} = {value!r}: must be {allowed}")
        for field in _SECONDS_SETTINGS:
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _LONGEST_SECONDS:
                raise ValueError(f"{field} = {value!r}: must be whole seconds from 1 to {_LONGEST_SECONDS}")
        for field in _FLAG_SETTINGS:
            value = getattr(self, field)
            if not isinstance(value, bool):
                raise ValueError(f"{field} = {value!r}: must be True or False")

    def environment(self) -> str:
        """Return the text of ``/etc/annex/annex.env``: one ``KEY=value`` a line."""
        texts = [f"{key}={getattr(self, field)}" for field, (key, _, _) in _TEXT_SETTINGS.items()]
        numbers = [f"{key}={getattr(self, field)}" for field, key in _SECONDS_SETTINGS.items()]
        flags = [f"{key}={int(getattr(self, field))}" for field, key in _FLAG_SETTINGS.items()]
        return "".join(f"{line}\n" for line in texts + numbers + flags)


def boot_file(name: str) -> str:
    """Return a file of ``annex_boot/files`` as it is written on the instance: without whole-line comments.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    text = (resources.files(__package__) / "files" / name).read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if line.strip())
    return "".join(f"{line}\n" for line in lines if line.startswith("#!") or not line.lstrip().startswith("#"))


def render_user_data(settings: EpSettings) -> str:
    """Return the user data of an execution point: text, below 12 KB, the same for the same settings.

    Raises:
        ValueError: If it is larger, which only absurdly long values can cause.
    """
    start = "#cloud-config\n" + boot_file("cloud-config.yaml")
    files = [_write_file(path, mode, boot_file(name)) for name, (path, mode) in sorted(BOOT_FILES.items())]
    static = start + "write_files:\n" + "".join(files)
    # mtime 0: the same input gives the same bytes.
    packed = base64.encodebytes(gzip.compress(static.encode(), compresslevel=9, mtime=0)).decode("ascii")
    # cloud-init keeps only the first of two lists unless told to append.
    own = "#cloud-config\nmerge_how: dict(recurse_array)+list(append)\nwrite_files:\n" + _write_file(
        "/etc/annex/annex.env", "0644", settings.environment()
    )
    text = (
        'Content-Type: multipart/mixed; boundary="=annex="\nMIME-Version: 1.0\n\n'
        f"--=annex=\nContent-Type: application/gzip\nContent-Transfer-Encoding: base64\n\n{packed}\n"
        f"--=annex=\nContent-Type: text/cloud-config\n\n{own}\n"
        "--=annex=--\n"
    )
    if len(text.encode()) > LARGEST_USER_DATA_BYTES:
        raise ValueError(f"user data of {len(text.encode())} bytes: must be at most {LARGEST_USER_DATA_BYTES}")
    return text


def _write_file(path: str, mode: str, content: str) -> str:
    block = "".join(f"      {line}\n" for line in content.splitlines())
    return f"  - path: {path}\n    permissions: '{mode}'\n    content: |\n{block}"
