"""A machine that boots a system's stock image, with fakes of its package manager."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from annex_boot.installation import DIRECTORY, install_files
from annex_lease.stock_images import IMAGE_FAMILIES
from tests.unit.boot.boot_root import BootRoot

BROUGHT = ("condor_config_val", "condor_master", "condor_ping", "condor_version", "nft")
NO_DEFECT = "HTCondor 25.0.14, no defect"
# A package manager: records its call, and brings what /fake/brought names unless it is to fail, which it explains.
MANAGER = """#!/bin/sh
echo "${0##*/} $*" >>/fake/calls
[ ! -e /var/lib/dpkg/updates/0001 ] || { echo "E: dpkg was interrupted"; exit 100; }
left=$(cat /fake/manager.fails 2>/dev/null || echo 0)
[ "$left" -le 0 ] || { echo $((left - 1)) >/fake/manager.fails; cat /fake/manager.says 2>/dev/null; exit 100; }
case "$*" in
*" condor "*)
    [ ! -x /usr/sbin/policy-rc.d ] || { /usr/sbin/policy-rc.d condor; echo "policy $?" >>/fake/policy; }
    for each in $(cat /fake/brought); do cp /fake/packages/$each /usr/sbin/$each; done
    : >/etc/systemd/system/condor.service
    ;;
esac
"""
# dpkg: lists what /fake/audit has. It completes that, and its journal, unless /fake/incomplete says what it leaves.
DPKG = """#!/bin/sh
echo "dpkg $*" >>/fake/calls
case $* in
--audit) cat /fake/audit 2>/dev/null ;;
*)
    env >/fake/environment-of-dpkg
    policy-rc.d condor; echo "policy $?" >>/fake/policy-of-dpkg
    rm -rf /fake/audit /var/lib/dpkg/updates
    [ ! -e /fake/incomplete ] || { cp /fake/incomplete /fake/audit; exit 1; }
    ;;
esac
"""


class Machine(BootRoot):
    """A machine that boots a system's stock image, with the install files."""

    def become(self, family: str = "debian-13", machine: str = "x86_64", components: Sequence[str] = ()) -> Machine:
        system = IMAGE_FAMILIES[family]
        version = "9.6" if system.epel else system.os_version
        self.write(
            "etc/os-release", f'ID="{system.os_id}"\nVERSION_ID="{version}"\nPRETTY_NAME="{system.title} (test)"\n'
        )
        for name, text in install_files(components).items():
            self.write(DIRECTORY + name, text)
        self.program("fake/packages/condor_version", "#!/bin/sh\necho '$CondorVersion: 25.0.14 2026-08-30 $'\n")
        self.program("fake/packages/condor_config_val", "#!/bin/sh\necho /opt/libexec\n")
        self.program("opt/libexec/curl_plugin", "")
        self.program("usr/sbin/interpreter", "#!/bin/sh\n")
        for program in ("condor_master", "condor_ping", "nft"):
            self.program(f"fake/packages/{program}", "#!/bin/sh\n")
            (self.path / "usr/sbin" / program).unlink()
        self.write("fake/brought", " ".join(BROUGHT))
        (self.path / "etc/systemd/system/condor.service.d").mkdir(exist_ok=True)
        (self.path / "etc/systemd/system/condor.service").unlink()
        self.program("usr/sbin/uname", f"#!/bin/sh\necho {machine}\n")
        for manager in ("apt-get", "dnf"):
            self.program(f"usr/sbin/{manager}", MANAGER)
        self.program("usr/sbin/dpkg", DPKG)
        for directory in ("etc/apt/sources.list.d", "etc/apt/preferences.d", "etc/yum.repos.d", "etc/pki/rpm-gpg"):
            (self.path / directory).mkdir(parents=True)
        self.write("etc/apt/sources.list.d/own.sources", "of the image")
        self.write("etc/pki/rpm-gpg/RPM-GPG-KEY-AlmaLinux-9", "key")
        return self

    def install(self, series: str = "25.0", *components: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(f"{DIRECTORY}install", series, *components, REASON_FILE="/fake/reason", **environment)

    def check(self, *words: str) -> list[str]:
        """Test the machine. Return the defects, or the one line that says that there is none."""
        done = self.run(f"{DIRECTORY}check", "25.0", *words)
        found = [line.removeprefix("annex: check: ") for line in done.stdout.splitlines()]
        assert done.returncode == (0 if found == [NO_DEFECT] else 1), done.stdout
        return found

    def refused(self, reason: str, series: str = "25.0", **environment: str) -> None:
        done = self.install(series, **environment)
        assert done.returncode == 1, done.stdout
        assert self.read("fake/reason") == f"{reason}\n"
        assert done.stdout.endswith(f"annex: install: {reason}\n")
