"""The component nvidia."""

from __future__ import annotations

from pathlib import Path

import pytest

from annex_boot.installation import DIRECTORY
from annex_lease.components import COMPONENTS
from tests.unit.boot.component_machine import ComponentMachine

KERNEL = "6.12.40-64.114.amzn2023.x86_64"
UNAME = f"""#!/bin/sh
case $1 in -r) echo {KERNEL} ;; *) echo x86_64 ;; esac
"""
LDCONFIG = """#!/bin/sh
echo '	libcuda.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libcuda.so.1'
echo '	libnvidia-ml.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libnvidia-ml.so.1'
"""
ORDER = "etc/systemd/system/annex-prepare.service.d/nvidia.conf"
# On the machines of tests /usr/bin is the host's.
SMI = "usr/sbin/nvidia-smi"


def machine_of(path: Path, family: str) -> ComponentMachine:
    machine = ComponentMachine(path).with_component("nvidia", family)
    component = machine.read(f"{DIRECTORY}component-nvidia")
    machine.write(f"{DIRECTORY}component-nvidia", component.replace("[ -x /usr/bin/nvidia-smi", f"[ -x /{SMI}"))
    machine.program("usr/sbin/uname", UNAME)
    machine.program("usr/sbin/rpm", '#!/bin/sh\necho "rpm $*" >>/fake/calls\necho kernel6.12\n')
    machine.program("usr/sbin/ldconfig", LDCONFIG)
    machine.program("usr/sbin/modinfo", '#!/bin/sh\n[ "$1" = nvidia ]\n')
    machine.program(SMI, "#!/bin/sh\n")
    machine.program("opt/libexec/condor_gpu_discovery", "#!/bin/sh\n")
    return machine


@pytest.fixture(params=COMPONENTS["nvidia"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> ComponentMachine:
    return machine_of(tmp_path, request.param)


def test_the_systems() -> None:
    assert COMPONENTS["nvidia"] == ("debian-13", "ubuntu-24.04", "amazon-linux-2023")


def test_debian_gets_it_from_nvidia(tmp_path: Path) -> None:
    machine = machine_of(tmp_path, "debian-13")
    machine.get("nvidia")
    assert machine.read("etc/apt/sources.list.d/annex-nvidia.list") == (
        f"deb [signed-by={DIRECTORY}key-nvidia.asc] "
        "https://developer.download.nvidia.com/compute/cuda/repos/debian13/x86_64/ /\n"
    )
    packages = machine.calls("apt-get")[-1]
    assert packages.endswith(f" linux-headers-{KERNEL} nvidia-driver-cuda nvidia-kernel-open-dkms")


def test_ubuntu_gets_the_module_of_the_kernel_that_runs(tmp_path: Path) -> None:
    machine = machine_of(tmp_path, "ubuntu-24.04")
    machine.get("nvidia")
    driver = "nvidia-headless-no-dkms-580-server-open nvidia-utils-580-server"
    assert machine.calls("apt-get")[-1].endswith(f" linux-modules-nvidia-580-server-open-{KERNEL} {driver}")
    assert not machine.exists("etc/apt/sources.list.d/annex-nvidia.list")


def test_amazon_linux_gets_it_from_amazon(tmp_path: Path) -> None:
    machine = machine_of(tmp_path, "amazon-linux-2023")
    machine.get("nvidia")
    assert machine.calls("rpm") == [f"-qf --qf %{{NAME}} /boot/vmlinuz-{KERNEL}"]
    release, packages = machine.calls("dnf")[-2:]
    assert release.endswith(f" nvidia-release kernel6.12-devel-{KERNEL} kernel6.12-modules-extra-{KERNEL}")
    assert packages.endswith(" kmod-nvidia-open-dkms nvidia-driver-cuda")


def test_the_device_is_made_before_htcondor_looks_for_it(machine: ComponentMachine) -> None:
    machine.get("nvidia")
    assert machine.read(ORDER) == "[Service]\nExecStartPre=-/usr/bin/nvidia-smi -L\n"


def test_a_working_one_has_no_defect(machine: ComponentMachine) -> None:
    machine.get("nvidia")
    assert machine.defects("nvidia") == []


@pytest.mark.parametrize("library", ["libcuda.so.1", "libnvidia-ml.so.1"])
def test_a_library_that_is_missing_is_a_defect(machine: ComponentMachine, library: str) -> None:
    machine.get("nvidia")
    machine.program("usr/sbin/ldconfig", LDCONFIG.replace(library, library + "1"))
    assert machine.defects("nvidia") == [f"nvidia: the library {library} is missing"]


def test_each_defect_is_found(machine: ComponentMachine) -> None:
    machine.get("nvidia")
    (machine.path / SMI).unlink()
    machine.program("usr/sbin/modinfo", "#!/bin/sh\nexit 1\n")
    (machine.path / "opt/libexec/condor_gpu_discovery").unlink()
    machine.write(ORDER, "[Service]\n")
    assert machine.defects("nvidia") == [
        "nvidia: the program /usr/bin/nvidia-smi is missing",
        f"nvidia: the kernel {KERNEL} has no module nvidia",
        "nvidia: HTCondor lacks condor_gpu_discovery",
        "nvidia: no device is made before HTCondor looks for GPUs",
    ]
