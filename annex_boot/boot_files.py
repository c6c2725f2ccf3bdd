"""Boot files of an execution point: where each is on the instance, and its text.

User data has space for the first ones only: those that fetch the others, and those with which an instance leaves its
group if that fails.
"""

from __future__ import annotations

from importlib import resources

from annex_boot.boot_text import on_machine
from annex_boot.installation import DIRECTORY, UPDATE_UNITS
from annex_boot.settings import setting_forms, setting_limits
from annex_lease import forms
from annex_lease.tags import TAG_END

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
    "interruption.sh": (_PROGRAMS + "interruption.sh", "0644"),
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
FIRST_FILES = frozenset(
    {
        "annex-incomplete.service",
        "annex-install.service",
        "begin",
        "call-aws",
        "install-software",
        "metadata.sh",
        "programs.sh",
        "retire",
        "settings.sh",
    }
)
"""Names of the boot files in user data. The archive has the other ones."""


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
