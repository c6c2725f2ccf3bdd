"""An installation that was interrupted: the next boot completes its packages, or installs them again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.boot.stock_machine import MANAGER, Machine

UNPACKED = "The following packages have been unpacked but not yet configured.\n condor\n"
CONFIGURE = "--force-confold --force-unsafe-io --configure -a"
FIX = " --fix-broken install --no-install-recommends"
MARK = "var/lib/annex/installing"


@pytest.fixture
def complete(machine: Machine) -> Machine:
    """A machine that lacks no program."""
    assert machine.install().returncode == 0
    machine.write("fake/calls", "")
    return machine


@pytest.mark.parametrize("finding", ["fake/audit", "var/lib/dpkg/updates/0001"])
def test_packages_that_dpkg_did_not_complete_are_completed_without_a_source(complete: Machine, finding: str) -> None:
    complete.write(finding, UNPACKED)
    done = complete.install()
    assert done.returncode == 0, done.stdout
    assert CONFIGURE in complete.calls("dpkg")
    assert complete.calls("apt-get") == []
    assert "annex: install: an installation was interrupted\n" in done.stdout


def test_complete_packages_are_left_alone(complete: Machine) -> None:
    (complete.path / "var/lib/dpkg/updates").mkdir(parents=True)
    assert complete.install().returncode == 0
    assert complete.calls("dpkg") == ["--audit"]


def test_they_are_completed_before_apt_is_called(machine: Machine) -> None:
    machine.write("var/lib/dpkg/updates/0001", UNPACKED)
    done = machine.install()
    assert done.returncode == 0, done.stdout
    assert "dpkg was interrupted" not in done.stdout
    assert len(machine.calls("apt-get")) == 2


def test_nothing_is_asked_and_htcondor_is_not_started(machine: Machine) -> None:
    machine.write("fake/audit", UNPACKED)
    machine.install()
    assert "DEBIAN_FRONTEND=noninteractive" in machine.read("fake/environment-of-dpkg").splitlines()
    assert machine.read("fake/policy-of-dpkg") == "policy 101\n"
    assert not machine.exists("usr/sbin/policy-rc.d")


def test_apt_completes_what_dpkg_cannot(complete: Machine) -> None:
    complete.write("fake/audit", UNPACKED)
    complete.write("fake/incomplete", UNPACKED)
    assert complete.install().returncode == 0
    update, fix = complete.calls("apt-get")
    assert update.endswith(" update --error-on=any")
    assert fix.endswith(FIX)


def test_packages_that_cannot_be_completed_are_the_reason(complete: Machine) -> None:
    complete.write("fake/audit", UNPACKED)
    complete.write("fake/incomplete", UNPACKED)
    addition = 'case "$*" in *--fix-broken*) echo "E: Unmet dependencies"; exit 100 ;; esac'
    complete.program("usr/sbin/apt-get", MANAGER.replace("#!/bin/sh\n", f"#!/bin/sh\n{addition}\n"))
    for step in (1, 2, 3):
        complete.write(f"fake/step-{step}", ":")
    complete.refused("completing the packages failed: E: Unmet dependencies")


@pytest.mark.parametrize(("family", "manager"), [("debian-13", "apt-get"), ("rocky-9", "dnf")])
def test_an_installation_whose_end_is_not_known_is_done_again(tmp_path: Path, family: str, manager: str) -> None:
    machine = Machine(tmp_path).become(family)
    addition = f"case \"$*\" in *' condor '*) [ ! -e /{MARK} ] || echo marked >>/fake/marks ;; esac"
    machine.program(f"usr/sbin/{manager}", MANAGER.replace("#!/bin/sh\n", f"#!/bin/sh\n{addition}\n"))
    assert machine.install().returncode == 0
    assert machine.read("fake/marks") == "marked\n"
    assert not machine.exists(MARK)
    machine.write(MARK, "")
    machine.write("fake/calls", "")
    done = machine.install()
    assert done.returncode == 0, done.stdout
    assert " lacks complete packages; HTCondor 25.0 comes from " in done.stdout
    assert " condor nftables " in machine.calls(manager)[-1]
    assert not machine.exists(MARK)


def test_a_failed_installation_keeps_its_mark(machine: Machine) -> None:
    machine.write("fake/brought", "condor_version condor_master nft")
    assert machine.install().returncode == 1
    assert machine.exists(MARK)


def test_rpm_has_nothing_to_complete(tmp_path: Path) -> None:
    machine = Machine(tmp_path).become("rocky-9")
    machine.write("fake/audit", UNPACKED)
    assert machine.install().returncode == 0
    assert machine.calls("dpkg") == []
