"""Source of Debian packages: the mirror, proxy and rules of this host's own apt."""

from __future__ import annotations

from pathlib import Path

from lab import LabError
from lab.processes import run

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

TARGET = "$(CREATED_BY)\t$(LABEL)\t$(REPO_URI)"


def mirror() -> str:
    """Address of the Debian archive that this host uses.

    A pool of the archive holds every suite, so the mirror of a Debian 12 host also serves the suite of the image.

    Raises:
        LabError: this host's apt has no source for the Debian archive.
    """
    found = [row.split("\t") for row in run("apt-get", "indextargets", "--format", TARGET).splitlines()]
    rows = [(label, uri.rstrip("/")) for created_by, label, uri in found if created_by == "Packages"]
    # Labels are in the lists that `apt-get update` fetched; without them the path identifies the archive.
    for wanted in (
        [uri for label, uri in rows if label == "Debian"],
        [uri for _, uri in rows if uri.endswith("/debian")],
    ):
        if wanted:
            return wanted[0]
    raise LabError(
        f"apt on this host has no source of the Debian archive (found: {sorted({uri for _, uri in rows}) or 'none'}); "
        "add one to /etc/apt/sources.list.d and run `apt-get update`"
    )


def acquire_settings() -> list[str]:
    """This host's own rules for fetching (proxy, retries, validity dates), as lines of apt.conf.

    They describe the way to the mirror in this network. Rules about signatures are not among them.
    """
    lines = run("apt-config", "dump", "--no-empty", "--format", '%F "%v";%n', "Acquire").splitlines()
    return [
        line for line in lines if not line.startswith(("Acquire::Allow", "Acquire::IndexTargets", "Acquire::cdrom"))
    ]


def proxy() -> str:
    """URL of the proxy through which this host's apt reaches the mirror; "" for none."""
    found = run("apt-config", "dump", "--no-empty", "--format", "%v%n", "Acquire::http::Proxy").strip()
    return "" if found == "DIRECT" else found
