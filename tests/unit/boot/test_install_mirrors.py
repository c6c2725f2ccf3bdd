"""Mirrors in place of the sources of an installation: each source, verified as before."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from annex_boot.installation import DIRECTORY
from tests.unit.boot.stock_machine import Machine


def test_a_mirror_takes_the_place_of_each_source(machine: Machine) -> None:
    mirrors = {
        "ANNEX_HTCONDOR_MIRROR": "https://m.example.edu/htcondor/",
        "ANNEX_PACKAGE_MIRROR": "http://m.example.edu",
    }
    assert machine.install(**mirrors).returncode == 0
    signed = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
    assert machine.read("etc/apt/sources.list.d/annex.list").splitlines() == [
        f"deb [signed-by={DIRECTORY}key.asc] https://m.example.edu/htcondor/debian/25.0 trixie main",
        f"deb {signed} http://m.example.edu/debian trixie main",
        f"deb {signed} http://m.example.edu/debian trixie-updates main",
        f"deb {signed} http://m.example.edu/debian-security trixie-security main",
    ]
    assert machine.exists("etc/apt/sources.list.d/own.sources.disabled")
    assert not machine.exists("etc/apt/sources.list.d/own.sources")


@pytest.mark.parametrize(("family", "manager"), [("debian-13", "apt"), ("almalinux-9", "dnf")])
def test_a_slash_at_the_end_of_a_mirror_is_not_doubled(tmp_path: Path, family: str, manager: str) -> None:
    machine = Machine(tmp_path).become(family)
    url = "https://m.example.edu"
    machine.install(ANNEX_HTCONDOR_MIRROR=f"{url}/h/", ANNEX_PACKAGE_MIRROR=f"{url}/p/")
    source = {"apt": "etc/apt/sources.list.d/annex.list", "dnf": "etc/yum.repos.d/annex.repo"}[manager]
    written = machine.read(source)
    assert f"{url}/h/" in written
    assert f"{url}/p/" in written
    assert "//" not in written.replace("://", "")


@pytest.mark.parametrize(("machine_name", "directory"), [("x86_64", "ubuntu"), ("aarch64", "ubuntu-ports")])
def test_a_mirror_of_ubuntu_has_ports_in_another_directory(tmp_path: Path, machine_name: str, directory: str) -> None:
    machine = Machine(tmp_path).become("ubuntu-24.04", machine_name)
    assert machine.install(ANNEX_PACKAGE_MIRROR="http://m.example.edu").returncode == 0
    _, *sources = machine.read("etc/apt/sources.list.d/annex.list").splitlines()
    signed = "[signed-by=/usr/share/keyrings/ubuntu-archive-keyring.gpg]"
    suites = ("noble", "noble-updates", "noble-security")
    assert sources == [
        f"deb {signed} http://m.example.edu/{directory} {each} main restricted universe" for each in suites
    ]


def test_a_mirror_of_enterprise_linux_is_verified_too(tmp_path: Path) -> None:
    machine = Machine(tmp_path).become("almalinux-9")
    assert machine.install(ANNEX_PACKAGE_MIRROR="https://m.example.edu").returncode == 0
    written = machine.read("etc/yum.repos.d/annex.repo")
    urls = re.findall("^baseurl=(.*)$", written, re.MULTILINE)
    assert urls[1:] == [
        *(
            f"https://m.example.edu/almalinux/9/{each}/$basearch/os"
            for each in ("BaseOS", "AppStream", "CRB", "extras")
        ),
        "https://m.example.edu/epel/9/Everything/$basearch",
    ]
    keys = re.findall("^gpgkey= ?(.*)$", written, re.MULTILINE)
    assert keys[1:] == ["file:///etc/pki/rpm-gpg/RPM-GPG-KEY-AlmaLinux-9"] * 4 + [
        "file:///etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-9"
    ]
    assert written.count("gpgcheck=1\n") == 6
    assert all("--disablerepo=* --enablerepo=annex-*" in call for call in machine.calls("dnf"))
