"""The first boot: boot archive and installation, once, before the execution point starts, within the time."""

from __future__ import annotations

import dataclasses

import pytest

from annex_boot.boot_files import boot_file
from annex_boot.installation import DIRECTORY
from tests.unit.boot.boot_root import SETTINGS, BootRoot

INSTALL, START = "--no-block start annex-install.service", "--no-block start annex.target"
LEAVE = "--no-block start annex-incomplete.service"
FETCH = f"unpack {SETTINGS.archive} {SETTINGS.archive_digest} /"


@pytest.fixture
def bare(root: BootRoot) -> BootRoot:
    """An instance of a stock image, whose boot archive has the install files; `install` here does what a test says."""
    settings = dataclasses.replace(
        SETTINGS,
        htcondor="25.0",
        components="cvmfs,osg",
        package_mirror="http://m.example.edu",
    )
    root.write("etc/annex/annex.env", settings.to_env_file())
    root.write(f"{DIRECTORY}install", 'echo "install $*" >>/fake/calls\nenv >/fake/environment\n. /fake/installation\n')
    root.write("fake/installation", "exit 0\n")
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
    bare.write("fake/installation", "install -m 755 /fake/condor_master /usr/sbin\n")
    assert bare.run("install-software").returncode == 0
    assert bare.calls("call-aws") == [FETCH]
    assert bare.calls("install") == ["25.0 cvmfs osg"]
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
    assert bare.calls("install") == []
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
    environment = bare.read("fake/environment").splitlines()
    wanted = {"ANNEX_PACKAGE_MIRROR=http://m.example.edu", "https_proxy=http://proxy.example.edu:3128"}
    assert wanted <= set(environment)


@pytest.mark.parametrize(
    ("installation", "reason"),
    [
        ("echo 'no packages' >$REASON_FILE; exit 1", "no packages"),
        ("exit 3", "HTCondor cannot be installed"),
        ("exec tail -f /dev/null", "HTCondor was not installed within 900 s"),
    ],
)
def test_a_failure_leaves_its_reason_and_starts_nothing(bare: BootRoot, installation: str, reason: str) -> None:
    bare.write("fake/installation", installation)
    bare.program(
        "usr/sbin/timeout", '#!/bin/sh\necho "timeout $1" >>/fake/calls\nshift\nexec /usr/bin/timeout 1 "$@"\n'
    )
    assert bare.run("install-software").returncode == 1
    assert "timeout 880" in bare.read("fake/calls"), "the time to join, less what has passed since the boot"
    assert bare.read("run/annex/reason") == f"{reason}\n"
    assert START not in bare.calls("systemctl")
    assert not bare.exists("var/lib/annex/installed")


def test_without_time_left_nothing_is_installed(bare: BootRoot) -> None:
    bare.write("fake/uptime", "900.00 1.00\n")
    assert bare.run("install-software").returncode == 1
    assert bare.read("run/annex/reason") == "no time is left to install HTCondor\n"
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
