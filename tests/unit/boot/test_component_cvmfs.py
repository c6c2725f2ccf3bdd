"""The component cvmfs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from annex_boot.installation import DIRECTORY
from annex_lease.components import COMPONENTS
from tests.unit.boot.component_machine import ComponentMachine

APT, RPM = ("debian-13", "ubuntu-24.04"), ("almalinux-9", "rocky-9")
PROGRAMS = ("cvmfs2", "cvmfs_config")
OURS, USERS = "etc/cvmfs/default.d/10-annex.conf", "etc/cvmfs/default.local"
CONFIG = """#!/bin/sh
echo "cvmfs_config $*" >>/fake/calls
[ ! -e /fake/cvmfs_config.fails ] || exit 1
mkdir -p /etc/auto.master.d
echo "/cvmfs /etc/auto.cvmfs" >/etc/auto.master.d/cvmfs.autofs
"""


def machine_of(path: Path, family: str) -> ComponentMachine:
    """A machine on which the packages, which are fakes, have left their files."""
    machine = ComponentMachine(path).with_component("cvmfs", family)
    machine.program("usr/sbin/cvmfs2", "#!/bin/sh\n")
    machine.program("usr/sbin/cvmfs_config", CONFIG)
    machine.program("etc/auto.cvmfs", "")
    machine.write("etc/cvmfs/default.d/60-osg.conf", "CVMFS_CONFIG_REPOSITORY=config-osg.opensciencegrid.org\n")
    return machine


@pytest.fixture(params=COMPONENTS["cvmfs"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> ComponentMachine:
    return machine_of(tmp_path, request.param)


def proxy_of(machine: ComponentMachine) -> str:
    """The proxy that CVMFS reads: it runs a shell on the file. /run is the machine's."""
    text = machine.read(OURS).replace("/run/annex", str(machine.path / "run/annex"))
    done = subprocess.run(["sh", "-c", f"{text}\necho $CVMFS_HTTP_PROXY"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_systems() -> None:
    assert COMPONENTS["cvmfs"] == (*APT, *RPM)


@pytest.mark.parametrize(("family", "suite"), [("debian-13", "trixie-prod"), ("ubuntu-24.04", "noble-prod")])
def test_debian_and_ubuntu_get_it_from_cern(tmp_path: Path, family: str, suite: str) -> None:
    machine = machine_of(tmp_path, family)
    machine.get("cvmfs")
    assert machine.read("etc/apt/sources.list.d/annex-cvmfs.list") == (
        f"deb [signed-by={DIRECTORY}key-cvmfs.asc] https://cvmrepo.s3.cern.ch/cvmrepo/apt {suite} main\n"
    )
    assert machine.calls("apt-get")[-1].endswith(" cvmfs cvmfs-config-default")


@pytest.mark.parametrize("family", RPM)
def test_enterprise_linux_gets_it_from_the_osg(tmp_path: Path, family: str) -> None:
    machine = machine_of(tmp_path, family)
    machine.get("cvmfs")
    written = machine.read("etc/yum.repos.d/annex-osg.repo")
    assert f"gpgkey=file://{DIRECTORY}key.asc\n" in written
    assert machine.calls("dnf")[-1].endswith(" osg-oasis")


def test_it_is_mounted_when_it_is_used(machine: ComponentMachine) -> None:
    machine.get("cvmfs")
    assert machine.calls("cvmfs_config") == ["setup nostart"]
    assert {"enable autofs.service", "--no-block restart autofs.service"} <= {*machine.calls("systemctl")}


def test_a_setup_that_fails_is_the_reason(machine: ComponentMachine) -> None:
    machine.write("fake/cvmfs_config.fails", "")
    assert machine.install("25.0", "cvmfs").returncode == 1
    assert machine.read("fake/reason") == "cvmfs_config setup failed\n"


def test_the_proxy_is_that_of_the_annex_when_it_runs(machine: ComponentMachine) -> None:
    machine.get("cvmfs")
    assert proxy_of(machine) == "DIRECT"
    machine.write("run/annex/proxy", "https_proxy=http://p.example.edu:1\nhttp_proxy=http://p.example.edu:3128\n")
    assert proxy_of(machine) == "http://p.example.edu:3128"


def test_a_working_one_has_no_defect(machine: ComponentMachine) -> None:
    machine.get("cvmfs")
    assert machine.defects("cvmfs") == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_that_is_missing_is_a_defect(machine: ComponentMachine, program: str) -> None:
    machine.get("cvmfs")
    machine.move(program)
    assert machine.defects("cvmfs") == [f"cvmfs: the program {program} is missing"]


def test_each_defect_is_found(machine: ComponentMachine) -> None:
    machine.get("cvmfs")
    machine.write("etc/cvmfs/default.d/60-osg.conf", "# CVMFS_CONFIG_REPOSITORY=config-osg.opensciencegrid.org\n")
    machine.write(OURS, "CVMFS_QUOTA_LIMIT=1000\n")
    machine.write("etc/auto.master.d/cvmfs.autofs", "/other /etc/auto.cvmfs\n")
    (machine.path / "etc/auto.cvmfs").chmod(0o644)
    machine.write("fake/enabled", "")
    assert machine.defects("cvmfs") == [
        "cvmfs: no configuration repository is set in /etc/cvmfs/default.d",
        "cvmfs: no file of /etc/cvmfs sets CVMFS_HTTP_PROXY",
        "cvmfs: autofs does not mount /cvmfs",
        "cvmfs: autofs cannot run /etc/auto.cvmfs",
        "cvmfs: autofs.service is not enabled",
    ]


def test_a_configuration_that_is_missing_is_a_defect(machine: ComponentMachine) -> None:
    machine.get("cvmfs")
    (machine.path / OURS).unlink()
    assert machine.defects("cvmfs") == ["cvmfs: no file of /etc/cvmfs sets CVMFS_HTTP_PROXY"]


def test_a_file_of_the_user_stays_and_is_read_last(machine: ComponentMachine) -> None:
    machine.write(USERS, own := "CVMFS_HTTP_PROXY=http://squid.example.edu:3128\n")
    machine.get("cvmfs")
    assert machine.read(USERS) == own
    assert OURS.rpartition("/")[2] < "60-osg.conf", "CVMFS reads them in the order of their names"
    assert machine.defects("cvmfs") == []
    machine.write(USERS, "CVMFS_HTTP_PROXY=\n")
    assert machine.defects("cvmfs") == ["cvmfs: no file of /etc/cvmfs sets CVMFS_HTTP_PROXY"]


def test_a_file_of_the_user_may_read_what_is_not_set(machine: ComponentMachine) -> None:
    machine.get("cvmfs")
    machine.write("etc/cvmfs/default.d/70-site.conf", 'CVMFS_QUOTA_LIMIT="$NOT_SET"\n')
    assert machine.defects("cvmfs") == []
