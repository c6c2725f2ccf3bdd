"""Package managers of an installation: how they are called, what they refuse, and which services they may start."""

from __future__ import annotations

from pathlib import Path

import pytest

from annex_boot.installation import UPDATE_UNITS
from annex_lease.stock_images import IMAGE_FAMILIES
from tests.unit.boot.stock_machine import MANAGER, Machine

MIRROR = "https://m.example.edu"
APT_SOURCES, DNF_SOURCES = "etc/apt/sources.list.d/annex.list", "etc/yum.repos.d/annex.repo"


def with_manager(machine: Machine, manager: str, addition: str) -> None:
    """Have a package manager do something before what it does anyway."""
    machine.program(f"usr/sbin/{manager}", MANAGER.replace("#!/bin/sh\n", f"#!/bin/sh\n{addition}\n"))


def without_waiting(machine: Machine) -> None:
    for step in (1, 2, 3):
        machine.write(f"fake/step-{step}", ":")


def test_apt_waits_for_its_lock_and_asks_nothing(machine: Machine) -> None:
    with_manager(machine, "apt-get", "env >/fake/environment")
    machine.install()
    environment = machine.read("fake/environment").splitlines()
    assert {"DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1"} <= {*environment}
    for call in machine.calls("apt-get"):
        assert "-qy -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300" in call
        assert "-o Dpkg::Options::=--force-confold" in call


def test_dnf_asks_again_and_brings_no_more_than_it_must(tmp_path: Path) -> None:
    machine = Machine(tmp_path).become("rocky-9")
    machine.install()
    calls = machine.calls("dnf")
    assert all(call.startswith("-y -q --setopt=retries=3 --setopt=timeout=30 ") for call in calls)
    assert " install --setopt=install_weak_deps=False --nodocs condor " in calls[-1]
    assert calls[-2].endswith(" makecache")


def test_a_package_starts_its_services_unless_it_is_htcondor(machine: Machine) -> None:
    ask = 'for each in condor condor.service docker; do policy-rc.d $each; echo "$each $?" >>/fake/asked; done'
    with_manager(machine, "apt-get", f'case "$*" in *" install "*) {ask} ;; esac')
    machine.install()
    assert machine.read("fake/asked").splitlines() == ["condor 101", "condor.service 101", "docker 0"]


def test_packages_that_cannot_be_installed_are_asked_for_again(machine: Machine) -> None:
    with_manager(machine, "apt-get", 'case "$*" in *" install "*) echo install >>/fake/tries; exit 100 ;; esac')
    without_waiting(machine)
    machine.refused("installing condor nftables curl procps failed")
    assert machine.read("fake/tries") == "install\n" * 4


def test_epel_that_cannot_be_added_is_asked_for_again(tmp_path: Path) -> None:
    machine = Machine(tmp_path).become("almalinux-9")
    with_manager(machine, "dnf", 'case "$*" in *" epel-release") echo epel >>/fake/tries; exit 1 ;; esac')
    without_waiting(machine)
    machine.refused("reading the package lists failed")
    assert machine.read("fake/tries") == "epel\n" * 4


def test_updates_that_run_are_stopped(machine: Machine) -> None:
    machine.install()
    assert {f"--no-block stop {unit}" for unit in UPDATE_UNITS} <= {*machine.calls("systemctl")}


def test_an_architecture_is_compared_as_a_whole(tmp_path: Path) -> None:
    machine = Machine(tmp_path).become("ubuntu-24.04", "arm")
    machine.refused("HTCondor has no packages for arm on Ubuntu 24.04 (test), only for x86_64,arm64")


@pytest.mark.parametrize("family", [name for name, each in IMAGE_FAMILIES.items() if each.package_manager == "dnf"])
def test_the_lists_of_htcondor_are_not_verified_but_its_packages_are(tmp_path: Path, family: str) -> None:
    machine = Machine(tmp_path).become(family)
    machine.install()
    written = machine.read(DNF_SOURCES).splitlines()
    assert ("repo_gpgcheck=0" in written, "repo_gpgcheck=1" in written) == (True, False)
    assert ("gpgcheck=1" in written, "gpgcheck=0" in written) == (True, False)


def test_a_mirror_takes_the_place_of_both_forms_of_sources_once(machine: Machine) -> None:
    machine.write("etc/apt/sources.list", "of the image")
    machine.write("etc/apt/sources.list.d/other.sources.disabled", "off")
    without_waiting(machine)
    machine.write("fake/manager.fails", "1")
    assert machine.install(ANNEX_PACKAGE_MIRROR=MIRROR).returncode == 0
    present = {path.name for path in (machine.path / "etc/apt/sources.list.d").iterdir()}
    assert present == {"annex.list", "own.sources.disabled", "other.sources.disabled"}
    assert machine.exists("etc/apt/sources.list.disabled")
    assert not machine.exists("etc/apt/sources.list")
    assert len(machine.read(APT_SOURCES).splitlines()) == 4, "the second attempt writes them again"


def test_the_mirror_of_epel_waits_for_the_key_that_epel_brings(tmp_path: Path) -> None:
    machine = Machine(tmp_path).become("rocky-9")
    machine.write("etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-9", "key of another repository")
    machine.write("etc/pki/rpm-gpg/RPM-GPG-KEY-Rocky-9", "key")
    (machine.path / "etc/pki/rpm-gpg/RPM-GPG-KEY-AlmaLinux-9").unlink()
    assert machine.install(ANNEX_PACKAGE_MIRROR=MIRROR).returncode == 0
    written = machine.read(DNF_SOURCES)
    assert written.count("gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-Rocky-9\n") == 4
    without = [call for call in machine.calls("dnf") if "--disablerepo=annex-epel" in call]
    assert [call.rpartition(" ")[2] for call in without] == ["epel-release"]


def test_a_system_without_a_mirror_keeps_its_sources(tmp_path: Path) -> None:
    machine = Machine(tmp_path).become("amazon-linux-2023")
    assert machine.install(ANNEX_PACKAGE_MIRROR=MIRROR).returncode == 0
    assert MIRROR not in machine.read(DNF_SOURCES)
    assert not any("--disablerepo" in call for call in machine.calls("dnf"))


def test_a_component_reads_the_lists_on_a_machine_that_lacks_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path).become("debian-13", components=["pelican"])
    machine.install()
    machine.write("fake/calls", "")
    assert machine.install("25.0", "pelican").returncode == 0
    update, packages = machine.calls("apt-get")
    assert update.endswith(" update --error-on=any")
    assert packages.endswith(" install --no-install-recommends pelican pelican-osdf-compat")


def test_a_repository_of_a_component_is_read_alone_and_must_answer(tmp_path: Path) -> None:
    machine = Machine(tmp_path).become("debian-13", components=["cvmfs"])
    machine.install("25.0", "cvmfs")
    (update,) = (call for call in machine.calls("apt-get") if "annex-cvmfs.list" in call)
    assert update.endswith(
        " update --error-on=any -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/annex-cvmfs.list "
        "-o Dir::Etc::sourceparts=- -o APT::Get::List-Cleanup=0"
    )
