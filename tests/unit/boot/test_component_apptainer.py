"""The component apptainer."""

from __future__ import annotations

from pathlib import Path

import pytest

from annex_boot.installation import DIRECTORY
from annex_lease.components import COMPONENTS
from tests.unit.boot.component_machine import ComponentMachine

# As Apptainer: it runs HTCondor's test program, which exits with 37, in the sandbox that its package has.
APPTAINER = """#!/bin/sh
echo "apptainer $* as $ANNEX_TEST_UID" >>/fake/calls
[ "$*" != --version ] || { echo "apptainer version 1.5.3"; exit 0; }
[ "$*" = "exec -C /opt/libexec/singularity_test_sandbox /exit_37" ] || exit 255
[ -z "${HOME+set}" ] || exit 254
exit 37
"""


@pytest.fixture(params=COMPONENTS["apptainer"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> ComponentMachine:
    machine = ComponentMachine(tmp_path).with_component("apptainer", request.param)
    machine.program("usr/sbin/singularity", APPTAINER)
    machine.configure("SINGULARITY", "/usr/sbin/singularity")
    machine.configure("SINGULARITY_TEST_SANDBOX", "/opt/libexec/singularity_test_sandbox")
    return machine


def test_the_systems() -> None:
    assert COMPONENTS["apptainer"] == ("ubuntu-24.04", "almalinux-9", "rocky-9")


def test_ubuntu_gets_it_from_its_publisher(tmp_path: Path) -> None:
    machine = ComponentMachine(tmp_path).with_component("apptainer", "ubuntu-24.04")
    lists, packages, *_ = machine.get("apptainer")
    source = "https://ppa.launchpadcontent.net/apptainer/ppa/ubuntu noble main"
    written = machine.read("etc/apt/sources.list.d/annex-apptainer.list")
    assert written == f"deb [signed-by={DIRECTORY}key-apptainer.asc] {source}\n"
    only = "-o Dir::Etc::sourcelist=/etc/apt/sources.list.d/annex-apptainer.list -o Dir::Etc::sourceparts=-"
    assert f" update --error-on=any {only} -o APT::Get::List-Cleanup=0" in lists
    assert packages.endswith(" install --no-install-recommends apptainer")


def test_ubuntu_allows_it_to_make_user_namespaces(tmp_path: Path) -> None:
    machine = ComponentMachine(tmp_path).with_component("apptainer", "ubuntu-24.04")
    machine.get("apptainer")
    profile = machine.read("etc/apparmor.d/apptainer").splitlines()
    assert "profile apptainer /usr/lib{exec,/*}/apptainer/bin/starter{,-suid} flags=(unconfined) {" in profile
    assert profile.index("  userns,") < profile.index("}")
    assert "reload apparmor.service" in machine.calls("systemctl")


def test_a_profile_of_the_package_stays(tmp_path: Path) -> None:
    machine = ComponentMachine(tmp_path).with_component("apptainer", "ubuntu-24.04")
    machine.write("etc/apparmor.d/apptainer", "profile of the package\n")
    machine.get("apptainer")
    assert machine.read("etc/apparmor.d/apptainer") == "profile of the package\n"


@pytest.mark.parametrize("family", ["almalinux-9", "rocky-9"])
def test_enterprise_linux_gets_it_from_epel(tmp_path: Path, family: str) -> None:
    machine = ComponentMachine(tmp_path).with_component("apptainer", family)
    packages, _ = machine.get("apptainer")
    assert packages.endswith(" --enablerepo=crb install --setopt=install_weak_deps=False --nodocs apptainer")
    assert not machine.exists("etc/yum.repos.d/annex-apptainer.repo")
    assert not machine.exists("etc/apparmor.d/apptainer")


def test_a_working_one_has_no_defect(machine: ComponentMachine) -> None:
    machine.get("apptainer")
    assert machine.defects("apptainer") == []
    ran = machine.calls("apptainer")[-1]
    assert ran == "exec -C /opt/libexec/singularity_test_sandbox /exit_37 as 65534", "an ordinary user runs it"


@pytest.mark.parametrize("answer", ["exit 1", "echo singularity-ce version 4.1.5"])
def test_what_htcondor_would_run_is_another_program(machine: ComponentMachine, answer: str) -> None:
    machine.get("apptainer")
    machine.program("usr/sbin/singularity", f"#!/bin/sh\n{answer}\n")
    assert machine.defects("apptainer") == [
        "apptainer: HTCondor's SINGULARITY is /usr/sbin/singularity, which is no Apptainer"
    ]


def test_htcondor_has_no_setting_for_it(machine: ComponentMachine) -> None:
    machine.get("apptainer")
    (machine.path / "fake/config/SINGULARITY").unlink()
    (found,) = machine.defects("apptainer")
    assert found.startswith("apptainer: HTCondor's SINGULARITY is Not defined")


def test_a_kernel_that_refuses_containers_of_ordinary_users(machine: ComponentMachine) -> None:
    machine.get("apptainer")
    machine.program("usr/sbin/singularity", APPTAINER.replace("exit 37", "exit 255"))
    assert machine.defects("apptainer") == [
        "apptainer: an ordinary user cannot run a container: status 255, and not 37"
    ]
