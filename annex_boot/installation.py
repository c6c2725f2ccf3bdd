"""Install files of a machine: which ones it needs, where they are on it, and the commands that use them.

The same files run at boot of a stock image, while an image is built, and in the lab. At boot they come with the boot
archive.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from importlib import resources

from annex_boot.boot_text import on_machine
from annex_lease.stock_images import HTCONDOR_REPOSITORIES, IMAGE_FAMILIES, ImageFamily

DIRECTORY = "/usr/local/lib/annex-install/"
"""Directory of the install files on the machine."""
UPDATE_UNITS = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "apt-daily.service",
    "apt-daily-upgrade.service",
    "unattended-upgrades.service",
    "dnf-automatic.timer",
    "dnf-automatic-install.timer",
    "dnf5-automatic.timer",
    "yum-cron.service",
)
"""Units of unattended updates, of Debian, Ubuntu and the RPM families. An update of HTCondor's package restarts it."""
KEY = "key.asc"
"""Key with which HTCondor's packages of release 25 are signed."""
KEY_FINGERPRINTS: Mapping[str, str] = {
    # OSG's key of release 25: https://osg-htc.org/docs/release/signing/, "The OSG Packaging Signing Keys".
    KEY: "962A9BCDD330245F2703C88B74E5BE22D4E9B1FC",
    # The key of ppa:apptainer/ppa on Launchpad; roles of Ansible name the same fingerprint of Ubuntu's key server.
    "key-apptainer.asc": "F6B0F5193D4F3301EF491FF0AFE36534FC6218AE",
    # https://cvmfs.readthedocs.io/en/latest/, "Package Repositories"; apt.pp of github.com/cvmfs-contrib/puppet-cvmfs.
    "key-cvmfs.asc": "FD80468D49B3B24C341741FC8CE0A76C497EA957",
    # Docker Docs named it in "Install Docker Engine on CentOS"; HTCondor's packages of its build machines trust it.
    "key-docker.asc": "060A61C51B558A7F742B77AAC52FEB6B621E9F35",
    # The key of nvidia-cuda for Debian 13 in Debian's package extrepo-offline-data.
    "key-nvidia.asc": "02182E60104FCDC26EAE1B8597A5D4CB8793F200",
}
"""Fingerprints of the keys that are shipped, each without a subkey for encryption. No key is fetched."""
_OWN = ("apt.sh", "boot", "check", "clean", "dnf.sh", "install", "run", "series.sh", "steps.sh")
_SCRIPT = "script"
_KEY_NAME = re.compile(r"\bkey-[a-z]+\.asc\b")
_COLUMNS = "package manager, path, suite, architectures, EPEL, extra repository, directories of a mirror, packages"


def install_files(components: Sequence[str] = (), script: str | None = None) -> dict[str, str]:
    """Return the text of each install file by its name in `DIRECTORY`; a component brings the keys that it names.

    Args:
        components: names of the components that are installed. Default: none.
        script: text of the annex's own script, which runs at boot. Default: None - there is none.

    Raises:
        FileNotFoundError: there is no such component.
    """
    of_components = {name: install_file(name) for name in (f"component-{each}" for each in components)}
    keys = [key for text in of_components.values() for key in _KEY_NAME.findall(text)]
    own = {name: install_file(name) for name in (*_OWN, KEY, *keys)}
    of_annex = {} if script is None else {_SCRIPT: script}
    return own | of_components | {"programs.sh": _text("files", "programs.sh")} | of_annex


def install_file(name: str, *, comments: bool = False) -> str:
    """Return a file of ``annex_boot/install`` as it is on a machine, with or without its comments.

    Raises:
        FileNotFoundError: there is no such file.
    """
    return _text("install", name, comments=comments)


def install_command(series: str, components: Sequence[str] = ()) -> str:
    """Return the shell command that installs HTCondor of a series, and components."""
    return shlex.join(["/bin/sh", DIRECTORY + "install", series, *components])


def check_command(series: str, components: Sequence[str] = (), *, image: bool = False) -> str:
    """Return the shell command that tests the machine; of an image also that nothing of its origin is left."""
    return shlex.join(["/bin/sh", DIRECTORY + "check", series, *(["image"] if image else []), *components])


CLEAN_COMMAND = f"/bin/sh {DIRECTORY}clean"
"""Shell command that removes what must not be on two machines."""


def _text(directory: str, name: str, *, comments: bool = False) -> str:
    text = (resources.files("annex_boot") / directory / name).read_text(encoding="utf-8")
    values = {
        "SYSTEM_COLUMNS": _COLUMNS,
        "SYSTEMS": "\n".join(map(_row, IMAGE_FAMILIES.values())),
        "SYSTEM_NAMES": ", ".join(each.title for each in IMAGE_FAMILIES.values()),
        "HTCONDOR_REPOSITORIES": HTCONDOR_REPOSITORIES,
        "UPDATE_UNITS": " ".join(UPDATE_UNITS),
    }
    # An armored key has an empty line, and no comment.
    return text if name in KEY_FINGERPRINTS else on_machine(text, values, comments=comments)


def _row(family: ImageFamily) -> str:
    columns = [
        family.os_id,
        family.os_version,
        family.package_manager,
        family.htcondor_path,
        family.htcondor_suite,
        ",".join(family.architectures),
        "epel" if family.epel else "",
        family.extra_repository,
        ",".join(family.mirrored),
        *family.packages,
    ]
    return " ".join(each or "-" for each in columns)
