"""The component docker."""

from __future__ import annotations

from pathlib import Path

import pytest

from annex_boot.boot_files import boot_file
from annex_boot.installation import DIRECTORY
from annex_lease.components import COMPONENTS
from annex_lease.stock_images import IMAGE_FAMILIES
from tests.unit.boot.component_machine import ComponentMachine

DOCKER = "#!/bin/sh\n[ \"$*\" = --version ] && echo 'Docker version 28.2.2, build 1'\n"
USERMOD = """#!/bin/sh
echo "usermod $*" >>/fake/calls
[ ! -e /fake/usermod.fails ] || { echo "usermod: group 'docker' does not exist" >&2; exit 6; }
printf 'condor:x:64:\\ndocker:x:103:%s\\n' "$3" >/etc/group
"""
PACKAGES = {
    "debian-13": "docker.io docker-cli",
    "ubuntu-24.04": "docker.io",
    "amazon-linux-2023": "docker",
    "almalinux-9": "docker-ce docker-ce-cli containerd.io",
    "rocky-9": "docker-ce docker-ce-cli containerd.io",
}


def machine_of(path: Path, family: str) -> ComponentMachine:
    machine = ComponentMachine(path).with_component("docker", family)
    machine.program("usr/sbin/usermod", USERMOD)
    machine.program("usr/sbin/selinuxenabled", "#!/bin/sh\nexit 1\n")
    machine.write("etc/group", "condor:x:64:\ndocker:x:103:\n")
    machine.write("etc/nsswitch.conf", "group: files\n")
    machine.program("usr/sbin/docker", DOCKER)
    machine.configure("DOCKER", "/usr/sbin/docker")
    return machine


@pytest.fixture(params=COMPONENTS["docker"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> ComponentMachine:
    return machine_of(tmp_path, request.param)


def test_every_system_has_it() -> None:
    assert COMPONENTS["docker"] == tuple(IMAGE_FAMILIES) == tuple(PACKAGES)


@pytest.mark.parametrize("family", PACKAGES)
def test_the_packages_of_each_system(tmp_path: Path, family: str) -> None:
    machine = machine_of(tmp_path, family)
    machine.get("docker")
    manager = "apt-get" if IMAGE_FAMILIES[family].package_manager == "apt" else "dnf"
    assert machine.calls(manager)[-1].endswith(f" {PACKAGES[family]}")
    assert machine.calls("usermod") == ["-aG docker condor"]
    assert machine.exists("etc/yum.repos.d/annex-docker.repo") is (family in {"almalinux-9", "rocky-9"})


def test_the_repository_of_docker_is_verified(tmp_path: Path) -> None:
    machine = machine_of(tmp_path, "rocky-9")
    machine.get("docker")
    assert machine.read("etc/yum.repos.d/annex-docker.repo").splitlines() == [
        "[annex-docker]",
        "name=docker",
        "baseurl=https://download.docker.com/linux/rhel/9/$basearch/stable",
        "gpgcheck=1",
        f"gpgkey=file://{DIRECTORY}key-docker.asc",
        "skip_if_unavailable=0",
    ]


def test_docker_runs_before_htcondor_asks_for_it(machine: ComponentMachine) -> None:
    machine.get("docker")
    assert {"enable docker.service", "--no-block start docker.service"} <= {*machine.calls("systemctl")}
    assert machine.read("etc/systemd/system/condor.service.d/docker.conf") == "[Unit]\nAfter=docker.service\n"


@pytest.mark.parametrize(("enforced", "labelled"), [(0, ["-Rt svirt_sandbox_file_t /execute"]), (1, [])])
def test_the_directory_of_jobs_has_the_label_that_selinux_asks_for(
    machine: ComponentMachine, enforced: int, labelled: list[str]
) -> None:
    machine.program("usr/sbin/selinuxenabled", f"#!/bin/sh\nexit {enforced}\n")
    machine.program("usr/sbin/chcon", '#!/bin/sh\necho "chcon $*" >>/fake/calls\n')
    machine.get("docker")
    assert machine.calls("chcon") == labelled


def test_a_user_that_cannot_be_added_is_the_reason(machine: ComponentMachine) -> None:
    machine.write("fake/usermod.fails", "")
    done = machine.install("25.0", "docker")
    assert done.returncode == 1
    said = "usermod: group 'docker' does not exist"
    assert machine.read("fake/reason") == f"adding the user condor to the group docker failed: {said}\n"


def test_a_working_one_has_no_defect(machine: ComponentMachine) -> None:
    machine.get("docker")
    assert machine.defects("docker") == []


def test_each_defect_is_found(machine: ComponentMachine) -> None:
    machine.get("docker")
    machine.program("usr/sbin/docker", "#!/bin/sh\necho podman version 5.4.0\n")
    machine.write("etc/group", "condor:x:64:\ndocker:x:103:condors\n")
    machine.write("fake/enabled", "")
    machine.write("etc/systemd/system/condor.service.d/docker.conf", "[Unit]\n")
    assert machine.defects("docker") == [
        "docker: HTCondor's DOCKER is /usr/sbin/docker, which is no Docker",
        "docker: the user condor is not in the group docker",
        "docker: docker.service is not enabled",
        "docker: HTCondor would start before Docker",
    ]


def test_the_firewall_keeps_containers_from_the_metadata_service() -> None:
    """Packets of a container on a bridge are forwarded. A table of Docker that accepts them cannot undo a reject."""
    forward = boot_file("firewall.nft").partition("chain forward {")[2].partition("}")[0]
    assert "hook forward" in forward
    assert [line.strip() for line in forward.splitlines() if "reject" in line] == [
        "ip daddr 169.254.169.254 reject",
        "ip6 daddr fd00:ec2::254 reject",
    ]
