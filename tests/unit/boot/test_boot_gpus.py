"""annex-gpus: a wait of an hour for the driver, on machines with a GPU."""

from __future__ import annotations

import pytest

from annex_boot.boot_files import boot_file
from tests.unit.boot.boot_root import BootRoot

WITHOUT = "etc/condor/config.d/92-annex-without-gpus"


def device(root: BootRoot, vendor: str, kind: str) -> None:
    root.write("sys/bus/pci/devices/0000:00:1e.0/vendor", vendor + "\n")
    root.write("sys/bus/pci/devices/0000:00:1e.0/class", kind + "\n")


@pytest.mark.parametrize(
    ("vendor", "kind", "waits"),
    [
        ("0x10de", "0x030200", True),  # NVIDIA, 3D controller
        ("0x1002", "0x038000", True),  # AMD
        ("0x1002", "0x120000", True),
        ("0x1d0f", "0x030000", False),  # the console of every Nitro instance
        ("0x10de", "0x040300", False),  # the sound of a GPU
    ],
)
def test_waits_where_there_is_a_gpu(root: BootRoot, vendor: str, kind: str, waits: bool) -> None:
    device(root, vendor, kind)
    assert root.run("prepare").returncode == 0
    assert root.read(WITHOUT) == "STARTD_DETECT_GPUS =\n"
    root.write("fake/step-1", ":")
    root.write("fake/calls", "")
    root.run("gpus")
    assert bool(root.calls("sleep")) == waits
    assert root.exists(WITHOUT)


def with_driver(root: BootRoot, ready: str) -> None:
    """A GPU whose driver is ready when a command succeeds: the devices in /dev are those of the host."""
    root.write("usr/local/lib/annex/devices.sh", f"has_gpu() {{ :; }}\ngpu_is_ready() {{ {ready}; }}\n")


def test_a_driver_in_time_leaves_the_gpus_to_htcondor(root: BootRoot) -> None:
    with_driver(root, ":")
    assert root.run("prepare").returncode == 0
    assert not root.exists(WITHOUT)
    assert root.run("gpus").returncode == 0
    assert root.calls("pgrep") == root.calls("sleep") == []


def test_a_late_driver_restarts_the_startd_once_no_job_runs(root: BootRoot) -> None:
    with_driver(root, "[ -e /tmp/ready ]")
    assert root.run("prepare").returncode == 0
    root.program("usr/sbin/pkill", "#!/bin/sh\n. /usr/sbin/record\n")
    root.write("fake/calls", "")
    root.write("fake/step-1", "touch /tmp/ready")
    root.write("fake/step-2", f"[ ! -e /{WITHOUT} ] && echo 1 >/fake/pgrep.fails")
    done = root.run("gpus")
    assert (done.returncode, root.calls("sleep")) == (0, ["5", "5"]), "a job runs in the second pause"
    assert root.calls("pkill") == ["-TERM -x -U 0 condor_startd"]
    assert not root.exists(WITHOUT)


def test_without_any_device_it_ends_at_once(root: BootRoot) -> None:
    root.run("prepare")
    done = root.run("gpus")
    assert (done.returncode, done.stdout) == (0, "")
    assert root.calls("sleep") == []


def test_after_an_hour_it_gives_up_and_says_so(root: BootRoot) -> None:
    device(root, "0x10de", "0x030200")
    root.run("prepare")
    root.write("usr/sbin/sleep", "#!/bin/sh\necho sleep $* >>/fake/calls\n")
    done = root.run("gpus")
    assert done.returncode == 0
    assert root.calls("sleep") == ["5"] * 720
    assert "jobs get no GPU here" in done.stdout


def test_it_starts_with_the_machine() -> None:
    assert "annex-gpus.service" in boot_file("annex.target")
