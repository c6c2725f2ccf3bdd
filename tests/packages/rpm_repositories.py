"""Small signed RPM repositories, laid out as those of HTCondor, of a system's publisher and of EPEL.

Packages are empty but for what the install files look at. Their names, and what HTCondor's package needs, are those of
HTCondor's own specification (build/packaging/rpm/condor.spec of github.com/htcondor/htcondor).
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

VERSION = "25.14.1"
# What condor.spec asks for, by the repository that has it: the system's, EPEL's, HTCondor's own.
OF_SYSTEM = ("openssh-server", "net-tools", "cryptsetup", "/usr/sbin/sendmail", "jq", "python3-requests", "krb5-libs",
             "libcom_err", "munge-libs", "openssl-libs", "systemd-libs", "rsync", "libuuid", "systemd", "shadow-utils",
             "python3-policycoreutils", "selinux-policy-targeted")  # fmt: skip
OF_EPEL = ("voms", "scitokens-cpp", "apptainer")
OF_HTCONDOR = ("python3-condor", "pelican", "pelican-osdf-compat")
SCRIPT = "#!/bin/sh\necho '$CondorVersion: 25.14.1 2026-08-30 $'\n"
EPEL_SOURCE = """\
[epel]
name=EPEL
baseurl=https://mirror.system.lab/epel/9/Everything/$basearch
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-9
"""


@dataclass(frozen=True)
class Package:
    """An RPM package without code."""

    name: str
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    def build(self, directory: Path) -> Path:
        """Builds the package, unsigned, below ``directory``."""
        top = Path(tempfile.mkdtemp(dir=directory))
        lines = [
            f"Name: {self.name}", f"Version: {VERSION}", "Release: 1", "Summary: test", "License: none",
            "BuildArch: noarch", "AutoReqProv: no",
            *(f"Requires: {each}" for each in self.requires), *(f"Provides: {each}" for each in self.provides),
            "%description", "test", "%install",
        ]  # fmt: skip
        for number, (path, text) in enumerate(self.files.items()):
            source = top / f"file-{number}"
            source.write_text(text)
            mode = "755" if "/sbin/" in path or "/libexec/" in path else "644"
            lines.append(f"install -D -m {mode} {source} %{{buildroot}}{path}")
        specification = top / "package.spec"
        specification.write_text("\n".join([*lines, "%files", *self.files]) + "\n")
        _run("rpmbuild", "-bb", "--quiet", f"--define=_topdir {top}", str(specification))
        (built,) = top.glob("RPMS/noarch/*.rpm")
        return built


class Signer:
    """A key pair, whose private key lasts as long as the directory."""

    def __init__(self, directory: Path, name: str) -> None:
        self.name = name
        self._home = directory
        directory.mkdir(mode=0o700)
        self._gpg("--quick-generate-key", name, "rsa2048", "sign", "0")
        self.key = self._gpg("--armor", "--export")

    def sign(self, package: Path) -> None:
        """Signs a package."""
        values = {"__gpg": "/usr/bin/gpg", "_gpg_name": self.name, "_gpg_path": str(self._home)}
        _run("rpmsign", *(f"--define={name} {value}" for name, value in values.items()), "--addsign", str(package))

    def close(self) -> None:
        """Ends the agent of its keyring."""
        _run("gpgconf", "--homedir", str(self._home), "--kill", "all")

    def _gpg(self, *words: str) -> str:
        return _run("gpg", "--homedir", str(self._home), "--batch", "--quiet", "--passphrase", "", *words)


def htcondor_packages() -> list[Package]:
    """HTCondor's package and what its own repository has besides."""
    programs = ("condor_master", "condor_ping", "condor_version", "condor_config_val")
    files = {f"/usr/sbin/{name}": SCRIPT for name in programs}
    files |= {"/usr/lib/systemd/system/condor.service": "[Service]\nExecStart=/bin/true\n"}
    condor = Package("condor", (*OF_SYSTEM, *OF_EPEL, *OF_HTCONDOR), (), files)
    return [condor, *map(Package, OF_HTCONDOR)]


def system_packages() -> list[Package]:
    """Packages of the system's own repositories."""
    nft = Package("nftables", files={"/usr/sbin/nft": "#!/bin/sh\n"})
    return [Package("system", provides=OF_SYSTEM), nft, Package("procps-ng")]


def epel_packages() -> list[Package]:
    """Packages of EPEL. One of them needs one of CRB."""
    return [Package(name, ("of-crb",) if name == "apptainer" else ()) for name in OF_EPEL]


def epel_release(key: str) -> Package:
    """The package with EPEL's source and key, which is in a repository of the system."""
    files = {"/etc/yum.repos.d/epel.repo": EPEL_SOURCE, "/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-9": key}
    return Package("epel-release", files=files)


def repository(directory: Path, packages: list[Package], signer: Signer | None, scratch: Path) -> None:
    """Makes a repository of packages, signed unless there is no signer."""
    directory.mkdir(parents=True)
    for package in packages:
        built = package.build(scratch)
        if signer is not None:
            signer.sign(built)
        shutil.copy(built, directory)
    _run("createrepo_c", "--quiet", str(directory))


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout
