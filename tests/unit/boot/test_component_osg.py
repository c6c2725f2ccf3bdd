"""The component osg."""

from __future__ import annotations

from pathlib import Path

import pytest

from annex_boot.installation import DIRECTORY
from annex_lease.components import COMPONENTS
from tests.unit.boot.component_machine import ComponentMachine

FILES = ("etc/grid-security/certificates/cilogon-osg.pem", "etc/osg/wn-client/setup.sh")
PROGRAMS = ("fetch-crl", "voms-proxy-info", "xrdcp")


@pytest.fixture(params=COMPONENTS["osg"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> ComponentMachine:
    machine = ComponentMachine(tmp_path).with_component("osg", request.param)
    for file in FILES:
        machine.write(file, "content\n")
    for program in PROGRAMS:
        machine.program(f"usr/sbin/{program}", "#!/bin/sh\n")
    return machine


def test_the_systems_of_the_osg() -> None:
    assert COMPONENTS["osg"] == ("almalinux-9", "rocky-9")


def test_packages_come_from_the_repository_of_the_osg(machine: ComponentMachine) -> None:
    machine.get("osg")
    assert machine.read("etc/yum.repos.d/annex-osg.repo").splitlines() == [
        "[annex-osg]",
        "name=osg",
        "baseurl=https://repo.osg-htc.org/osg/25-main/el9/release/$basearch",
        "gpgcheck=1",
        f"gpgkey=file://{DIRECTORY}key.asc",
        "skip_if_unavailable=0",
        "priority=98",
    ]
    assert "priority=1\n" in machine.read("etc/yum.repos.d/annex.repo"), "HTCondor comes from there"
    assert machine.calls("dnf")[-1].endswith(" osg-ca-certs fetch-crl osg-wn-client")


def test_revocation_lists_are_fetched_from_now_on(machine: ComponentMachine) -> None:
    machine.get("osg")
    assert {"enable fetch-crl.timer", "--no-block start fetch-crl.timer"} <= {*machine.calls("systemctl")}


def test_a_working_one_has_no_defect(machine: ComponentMachine) -> None:
    machine.get("osg")
    assert machine.defects("osg") == []


@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_missing_or_empty_is_a_defect(machine: ComponentMachine, file: str) -> None:
    machine.get("osg")
    machine.write(file, "")
    assert machine.defects("osg") == [f"osg: /{file} is missing"]
    (machine.path / file).unlink()
    assert machine.defects("osg") == [f"osg: /{file} is missing"]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_that_is_missing_is_a_defect(machine: ComponentMachine, program: str) -> None:
    machine.get("osg")
    machine.move(program)
    assert machine.defects("osg") == [f"osg: the program {program} is missing"]


def test_lists_that_expire_are_a_defect(machine: ComponentMachine) -> None:
    machine.get("osg")
    machine.write("fake/enabled", "fetch-crl.service\n")
    assert machine.defects("osg") == ["osg: fetch-crl.timer is not enabled: revocation lists expire"]
