"""Programs of the image: found on its own PATH; one that is missing is named, and the instance leaves for good."""

from __future__ import annotations

import pytest

from annex_boot.boot_files import boot_file
from tests.unit.boot.boot_root import SECRET, BootRoot
from tests.unit.boot.test_boot_retire import LEAVE

NEEDED = ["condor_master", "condor_ping", "curl", "nft", "pgrep", "setpriv", "systemd-run", "systemd-sysusers"]
START, STAY = "--no-block start annex.target", "--no-block start annex-incomplete.service"


@pytest.mark.parametrize("directory", ["/usr/local/bin", "/usr/local/sbin"])
def test_programs_in_the_usual_places_are_found(root: BootRoot, directory: str) -> None:
    for program in ("cloud-init", "condor_ping", "curl"):
        root.move(program, directory)
    assert root.run("begin").returncode == 0
    assert root.calls("systemctl")[-1] == START
    assert root.run("retire").returncode == 0
    assert root.calls("call-aws") == [LEAVE]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("etc/profile", "echo Welcome\nPATH=/opt/tools/bin:$PATH\n"),
        ("etc/environment", 'LANG=C\nPATH="/usr/bin:/opt/tools/bin"\n'),
        ("root/.profile", "export PATH=$PATH:/opt/tools/bin\n"),
    ],
)
def test_programs_elsewhere_on_the_images_path_are_found(root: BootRoot, file: str, text: str) -> None:
    root.move("condor_ping", "/opt/tools/bin")
    root.run("begin")
    assert root.calls("systemctl")[-1] == STAY, "the test itself hides the program"
    root.write(file, text)
    root.run("begin")
    assert root.calls("systemctl")[-1] == START
    assert root.run("prepare").returncode == 0
    assert root.calls("call-aws") == [f"secret {SECRET}"]


def test_a_directory_that_depends_on_the_place_is_no_part_of_the_path(root: BootRoot) -> None:
    root.move("condor_ping", "/opt/tools/bin")
    root.write("etc/environment", "PATH=opt/tools/bin:.:$HOME/bin::\n")
    root.run("begin")
    assert root.calls("systemctl")[-1] == STAY


def test_a_profile_that_fails_is_no_obstacle(root: BootRoot) -> None:
    root.write("etc/profile", "exit 3\n")
    root.run("begin")
    assert root.calls("systemctl")[-1] == START


@pytest.mark.parametrize("profile", ["tail -f /dev/null\n", "trap '' TERM\ntail -f /dev/null\n"])
def test_a_profile_that_hangs_is_no_obstacle(root: BootRoot, profile: str) -> None:
    """It has ten seconds, here a fifth of one, and is killed then."""
    sooner = '[ "$1 $2 $3" = "-s KILL 10" ] && shift 3 && exec /usr/bin/timeout -s KILL 0.2 "$@"'
    root.program("usr/sbin/timeout", f"#!/bin/sh\n{sooner}\n")
    root.write("etc/profile", profile)
    root.run("begin")
    assert root.calls("systemctl")[-1] == START


@pytest.mark.parametrize("program", NEEDED)
def test_what_is_missing_is_named_at_once(root: BootRoot, program: str) -> None:
    root.move(program)
    root.run("begin")
    assert root.calls("systemctl")[-1] == STAY
    assert START not in root.calls("systemctl")
    assert root.read("run/annex/reason") == f"the image lacks {program}\n"
    assert root.run("retire", "stay").stdout.startswith(f"annex: retiring: the image lacks {program}\n")


def test_all_that_is_missing_is_named(root: BootRoot) -> None:
    for program in ("curl", "nft"):
        root.move(program)
    root.run("begin")
    assert root.read("run/annex/reason") == "the image lacks curl nft\n"


def test_without_the_service_of_htcondor_nothing_starts(root: BootRoot) -> None:
    (root.path / "etc/systemd/system/condor.service").unlink()
    root.run("begin")
    assert root.read("run/annex/reason") == "the image lacks condor.service\n"
    assert root.calls("systemctl")[-1] == STAY


def test_it_does_not_power_off_before_it_has_left(root: BootRoot) -> None:
    """The group would replace it by one that boots the same image."""
    (root.path / "fake/leave").rename(root.path / "fake/refusing")
    for step in range(1, 5):
        root.write(f"fake/step-{step}", ":")
    root.write("fake/step-5", "mv /fake/refusing /fake/leave")
    done = root.run("retire", "stay")
    assert root.calls("call-aws") == [LEAVE] * 5
    assert root.calls("sleep") == ["5", "20", "0", "300", "300"]
    assert "it would replace this instance by one like it" in done.stdout
    assert done.stdout.endswith("annex: retired\n")


def test_it_leaves_without_any_program_that_is_not_of_the_system(root: BootRoot) -> None:
    for program in NEEDED:
        root.move(program)
    done = root.run("retire", "stay")
    assert root.calls("call-aws") == [LEAVE]
    assert done.stdout.endswith("annex: retired\n")


def test_without_cloud_init_the_systems_python_is_used(root: BootRoot) -> None:
    root.move("cloud-init")
    root.program("usr/sbin/python3", '#!/bin/sh\nexec /usr/sbin/interpreter -s "$@"\n')
    assert root.run("retire").stdout.endswith("annex: retired\n")


def test_after_a_day_it_powers_off_all_the_same(root: BootRoot) -> None:
    (root.path / "fake/leave").unlink()
    root.write("fake/uptime", "86400.00 1.00\n")
    done = root.run("retire", "stay")
    assert done.stdout.endswith("powering off anyway\n")
    unit = boot_file("annex-incomplete.service").splitlines()
    assert "ExecStart=/bin/sh /usr/local/lib/annex/retire stay" in unit
    assert {"SuccessAction=poweroff", "FailureAction=poweroff", "TimeoutStartSec=25h"} <= set(unit)
