"""The first boot: boot archive and installation, once, before the execution point starts, within the time."""

from __future__ import annotations

import dataclasses

import pytest

from annex_boot.boot_files import boot_file
from annex_boot.installation import DIRECTORY, install_files
from tests.unit.boot.boot_root import SETTINGS, BootRoot

INSTALL, START = "--no-block start annex-install.service", "--no-block start annex.target"
LEAVE = "--no-block start annex-incomplete.service"
FETCH = f"unpack {SETTINGS.archive} {SETTINGS.archive_digest} /"


@pytest.fixture
def bare(root: BootRoot) -> BootRoot:
    """An instance of a stock image, which fetched the archive; `install` and `check` do what a test says."""
    settings = dataclasses.replace(
        SETTINGS,
        htcondor="25.0",
        components="cvmfs,osg",
        package_mirror="http://m.example.edu",
    )
    root.write("etc/annex/annex.env", settings.to_env_file())
    for name, text in install_files(script="").items():
        root.write(DIRECTORY + name, text)
    for name in ("install", "check"):
        said = f'echo "{name} $*" >>/fake/calls\nenv >/fake/environment-of-{name}\n. /fake/{name}-does\n'
        root.write(f"{DIRECTORY}{name}", said)
        root.write(f"fake/{name}-does", "exit 0\n")
    (root.path / "var/lib/annex/installed").unlink()
    return root


def test_the_first_boot_installs_and_every_other_one_starts(bare: BootRoot) -> None:
    condor_master = bare.read("usr/sbin/condor_master")
    bare.move("condor_master")
    bare.write("fake/hidden", "")
    assert bare.run("begin").returncode == 0
    assert bare.calls("systemctl")[-1] == INSTALL
    assert START not in bare.calls("systemctl")
    bare.write("fake/condor_master", condor_master)
    bare.write("fake/install-does", "install -m 755 /fake/condor_master /usr/sbin\n")
    assert bare.run("install-software").returncode == 0
    assert bare.calls("call-aws") == [FETCH]
    assert bare.calls("install") == bare.calls("check") == ["25.0 cvmfs osg"]
    assert bare.calls("systemctl")[-2:] == ["daemon-reload", START]
    bare.run("begin")
    assert bare.calls("systemctl")[-2:] == ["daemon-reload", START]
    assert bare.calls("call-aws") == [FETCH]


def test_with_htcondor_in_the_image_the_first_boot_only_fetches(bare: BootRoot) -> None:
    bare.write("etc/annex/annex.env", SETTINGS.to_env_file())
    bare.run("begin")
    assert bare.calls("systemctl")[-1] == INSTALL
    assert bare.run("install-software").returncode == 0
    assert bare.calls("call-aws") == [FETCH]
    assert bare.calls("install") == bare.calls("check") == []
    assert bare.calls("systemctl")[-2:] == ["daemon-reload", START]


def test_an_image_without_its_programs_leaves_after_the_fetch(bare: BootRoot) -> None:
    bare.write("etc/annex/annex.env", SETTINGS.to_env_file())
    bare.move("nft")
    assert bare.run("install-software").returncode == 0
    assert bare.read("run/annex/reason") == "the image lacks nft\n"
    assert bare.calls("systemctl")[-1] == LEAVE


def test_components_are_installed_beside_the_htcondor_of_an_image(bare: BootRoot) -> None:
    bare.run("begin")
    assert bare.calls("systemctl")[-1] == INSTALL


def test_an_image_made_of_an_instance_is_changed_once_by_the_same_files(bare: BootRoot) -> None:
    bare.run("install-software")
    digest = SETTINGS.archive_digest
    assert bare.read("var/lib/annex/installed") == f"{digest}\n"
    bare.run("begin")
    assert bare.calls("systemctl")[-1] == START
    settings = bare.read("etc/annex/annex.env")
    bare.write("etc/annex/annex.env", settings.replace(digest, digest[::-1]))
    bare.run("begin")
    assert bare.calls("systemctl")[-1] == INSTALL, "another archive than the one that made the image"


def test_an_installation_that_brought_nothing_is_found_at_the_next_boot(bare: BootRoot) -> None:
    bare.run("install-software")
    bare.move("nft")
    bare.run("begin")
    assert bare.read("run/annex/reason") == "the image lacks nft\n"
    assert bare.calls("systemctl")[-1] == LEAVE


def test_sources_and_proxy_reach_the_installation(bare: BootRoot) -> None:
    settings = bare.read("etc/annex/annex.env").replace("ANNEX_PROXY=", "ANNEX_PROXY=http://proxy.example.edu:3128")
    bare.write("etc/annex/annex.env", settings)
    bare.run("install-software")
    environment = bare.read("fake/environment-of-install").splitlines()
    wanted = {"ANNEX_PACKAGE_MIRROR=http://m.example.edu", "https_proxy=http://proxy.example.edu:3128"}
    assert wanted <= set(environment)


# The time passes in a second, and the second signal comes soon after the first one.
TIMEOUT = """#!/bin/sh
[ "$1" = -k ] || exec /usr/bin/timeout "$@"
echo "timeout $1 $2 $3" >>/fake/calls
shift 3
/usr/bin/timeout -k 0.5 1 "$@"
status=$?
[ ! -e /fake/uptime-then ] || cat /fake/uptime-then >/fake/uptime
exit "$status"
"""
HANGS = 'echo "reading the package lists" >$STEP_FILE; exec tail -f /dev/null'


@pytest.mark.parametrize("step", ["install", "check"])
@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("echo 'no packages' >$REASON_FILE; exit 1", "no packages"),
        ("echo 'component osg' >$STEP_FILE; exit 3", "component osg ended with status 3"),
        (HANGS, "not done within 900 s: reading the package lists"),
    ],
)
def test_a_failure_leaves_its_reason_and_starts_nothing(bare: BootRoot, step: str, does: str, reason: str) -> None:
    bare.write(f"fake/{step}-does", does)
    bare.write("run/annex/reason", "that of an attempt before\n")
    bare.program("usr/sbin/timeout", TIMEOUT)
    assert bare.run("install-software").returncode == 1
    assert bare.calls("timeout")[0] == "-k 30 880", "the time to join, less what has passed since the boot"
    assert bare.read("run/annex/reason") == f"{reason}\n"
    assert START not in bare.calls("systemctl")
    assert not bare.exists("var/lib/annex/installed")


IGNORES = "trap '' TERM; echo 'component osg' >$STEP_FILE; tail -f /dev/null & wait; wait"


@pytest.mark.parametrize(
    ("does", "uptime", "reason"),
    [
        (IGNORES, "930", "not done within 900 s: component osg"),
        ("echo 'component osg' >$STEP_FILE; kill -9 $$", "100", "component osg ended with status 137"),
    ],
)
def test_what_ignores_its_end_is_killed(bare: BootRoot, does: str, uptime: str, reason: str) -> None:
    bare.write("fake/install-does", does)
    bare.write("fake/uptime-then", f"{uptime}.00 1.00\n")
    bare.program("usr/sbin/timeout", TIMEOUT)
    assert bare.run("install-software").returncode == 1
    assert bare.read("run/annex/reason") == f"{reason}\n"


def test_all_is_on_the_disk_before_the_first_boot_counts_as_over(bare: BootRoot) -> None:
    """After a power cut the mark could be there, and not what it stands for."""
    bare.write("fake/check-does", "echo tested >>/fake/order\n")
    look = "{ [ ! -e /var/lib/annex/installed ] || echo marked; echo synced; } >>/fake/order"
    bare.program("usr/sbin/sync", f"#!/bin/sh\n{look}\n")
    assert bare.run("install-software").returncode == 0
    assert bare.read("fake/order").splitlines() == ["tested", "synced"]
    assert bare.exists("var/lib/annex/installed")


@pytest.mark.parametrize(("step", "next_one"), [("install", "run"), ("run", "check")])
def test_nothing_follows_a_step_that_failed(bare: BootRoot, step: str, next_one: str) -> None:
    bare.write(f"{DIRECTORY}script", "echo ran >>/fake/script\nexit 1\n" if step == "run" else "exit 0\n")
    bare.write("fake/install-does", "exit 1\n" if step == "install" else "exit 0\n")
    assert bare.run("install-software").returncode == 1
    assert bare.calls("check") == []
    assert bare.exists("fake/script") is (next_one == "check")


def test_without_time_left_nothing_is_installed(bare: BootRoot) -> None:
    bare.write("fake/uptime", "900.00 1.00\n")
    assert bare.run("install-software").returncode == 1
    assert bare.read("run/annex/reason") == "not done within 900 s: the installation\n"
    assert bare.calls("install") == []


def test_an_archive_that_cannot_be_fetched_is_asked_for_until_the_limit(bare: BootRoot) -> None:
    (bare.path / "fake/unpack").unlink()
    bare.write("fake/step-1", ":")
    bare.write("fake/step-2", "echo 900.00 1.00 >/fake/uptime")
    assert bare.run("install-software").returncode == 1
    assert bare.calls("call-aws") == [FETCH] * 3
    assert bare.read("run/annex/reason") == "the boot archive cannot be fetched\n"
    assert bare.calls("install") == []


def test_damaged_settings_install_nothing(bare: BootRoot) -> None:
    bare.write("etc/annex/annex.env", bare.read("etc/annex/annex.env").replace("=25.0", "=25.0; id"))
    assert bare.run("install-software").returncode == 1
    assert bare.read("run/annex/reason") == "invalid settings\n"
    assert bare.calls("install") == []


def test_a_failed_installation_leaves_the_group() -> None:
    unit = boot_file("annex-install.service").splitlines()
    assert "OnFailure=annex-incomplete.service" in unit
    assert {"Wants=network-online.target", "After=network-online.target"} <= set(unit)
    assert "StandardOutput=journal+console" in unit
