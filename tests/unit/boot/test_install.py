"""The install files: a system gets what it lacks from the sources that the table names, or the reason is given."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from annex_boot import install
from annex_boot.boot_files import boot_file
from annex_boot.installation import (
    DIRECTORY,
    KEY_FINGERPRINTS,
    UPDATE_UNITS,
    check_command,
    install_command,
    install_file,
    install_files,
)
from annex_lease.components import COMPONENTS
from annex_lease.stock_images import HTCONDOR_REPOSITORIES, HTCONDOR_SERIES, IMAGE_FAMILIES
from tests.unit.boot.stock_machine import Machine

OWN = ("boot", "install", "run", "check", "clean", "series.sh", "steps.sh", "apt.sh", "dnf.sh")


def test_every_install_file_has_a_place() -> None:
    directory = Path(install.__file__).parent
    present = {path.name for path in directory.iterdir() if path.is_file()} - {"__init__.py"}
    components = [name.removeprefix("component-") for name in present if name.startswith("component-")]
    assert present | {"programs.sh"} == set(install_files(components))
    assert {name for name in present if name.endswith(".asc")} == set(KEY_FINGERPRINTS)


def test_no_placeholder_is_left() -> None:
    assert not any("@@" in text for text in install_files().values())


def test_debian_gets_htcondor_of_the_series_from_its_own_repository(machine: Machine) -> None:
    done = machine.install()
    assert done.returncode == 0, done.stdout
    source = f"deb [signed-by={DIRECTORY}key.asc] {HTCONDOR_REPOSITORIES}/debian/25.0 trixie main\n"
    assert machine.read("etc/apt/sources.list.d/annex.list") == source
    assert machine.read("etc/apt/sources.list.d/own.sources") == "of the image"
    pin = "Package: condor\nPin: version 25.0.*\nPin-Priority: 1001\n"
    assert machine.read("etc/apt/preferences.d/annex") == pin
    update, packages = machine.calls("apt-get")
    assert update.endswith(" update --error-on=any")
    assert "-o Acquire::Languages=none -o Acquire::IndexTargets::deb-src::Sources::DefaultEnabled=false" in update
    assert packages.endswith(" install --no-install-recommends condor nftables curl procps")
    assert done.stdout.endswith("annex: install: HTCondor 25.0.14 is installed\n")


def test_the_feature_series_is_pinned_too(machine: Machine) -> None:
    machine.write("fake/packages/condor_version", "#!/bin/sh\necho '$CondorVersion: 25.14.1 2026-08-30 $'\n")
    assert machine.install("25.x").returncode == 0
    assert "/debian/25.x trixie main" in machine.read("etc/apt/sources.list.d/annex.list")
    assert "Pin: version 25.*\n" in machine.read("etc/apt/preferences.d/annex")


def test_htcondor_is_not_started_by_its_package(machine: Machine) -> None:
    machine.install()
    assert machine.read("fake/policy") == "policy 101\n"
    assert not machine.exists("usr/sbin/policy-rc.d"), "other packages start their services as ever"
    assert "disable condor.service" in machine.calls("systemctl")


def test_a_policy_of_the_image_stays(machine: Machine) -> None:
    machine.write("usr/sbin/policy-rc.d", "#!/bin/sh\nexit 101\n")
    machine.install()
    assert machine.read("usr/sbin/policy-rc.d") == "#!/bin/sh\nexit 101\n"


def test_updates_are_off_before_the_installation(machine: Machine) -> None:
    machine.install()
    calls = machine.read("fake/calls").splitlines()
    first = next(number for number, call in enumerate(calls) if call.startswith("apt-get"))
    assert {f"systemctl mask {unit}" for unit in UPDATE_UNITS} <= set(calls[:first])


@pytest.mark.parametrize(
    ("family", "path"),
    [
        ("amazon-linux-2023", "25.0/amzn2023/$basearch/release"),
        ("almalinux-9", "25.0/el9/$basearch/release"),
        ("rocky-9", "25.0/el9/$basearch/release"),
    ],
)
def test_rpm_systems_verify_each_package(tmp_path: Path, family: str, path: str) -> None:
    machine = Machine(tmp_path).become(family)
    done = machine.install()
    assert done.returncode == 0, done.stdout
    written = machine.read("etc/yum.repos.d/annex.repo").splitlines()
    assert f"baseurl={HTCONDOR_REPOSITORIES}/{path}" in written
    assert {"gpgcheck=1", f"gpgkey= file://{DIRECTORY}key.asc", "priority=1"} <= set(written)
    calls = machine.calls("dnf")
    assert any(call.endswith(" epel-release") for call in calls) is IMAGE_FAMILIES[family].epel
    assert all(("--enablerepo=crb" in call) is IMAGE_FAMILIES[family].epel for call in calls)
    assert calls[-1].endswith(" condor nftables procps-ng")


def test_a_key_that_the_image_trusts_is_accepted_too(machine: Machine) -> None:
    machine.write("etc/annex/keys.d/mirror.asc", "key")
    machine.install()
    assert f"signed-by={DIRECTORY}key.asc,/etc/annex/keys.d/mirror.asc]" in machine.read(
        "etc/apt/sources.list.d/annex.list"
    )


def test_a_source_that_fails_for_a_moment_is_asked_again(machine: Machine) -> None:
    machine.write("fake/manager.fails", "3")
    for step in (1, 2, 3):
        machine.write(f"fake/step-{step}", ":")
    done = machine.install()
    assert done.returncode == 0, done.stdout
    assert machine.calls("sleep") == ["5", "15", "30"]


def test_a_source_that_keeps_failing_is_the_reason(machine: Machine) -> None:
    machine.write("fake/manager.fails", "99")
    for step in (1, 2, 3):
        machine.write(f"fake/step-{step}", ":")
    machine.refused("reading the package lists failed")


def test_packages_that_do_not_have_it_are_the_reason(machine: Machine) -> None:
    machine.write("fake/brought", "condor_version condor_master nft")
    machine.refused("the packages condor nftables curl procps do not have condor_ping")


OTHERS = [
    ("24.0.9", "25.0"),
    ("25.1.0", "25.0"),
    ("25.01.0", "25.0"),
    ("24.12.3", "25.x"),
    ("25.0.14", "25.x"),
    ("125.0.1", "25.0"),
]


def version_text(version: str) -> str:
    return f"#!/bin/sh\necho '$CondorVersion: {version} 2026-08-30 $'\n"


@pytest.mark.parametrize(("version", "series"), OTHERS)
@pytest.mark.parametrize("complete", [True, False])
def test_htcondor_of_another_series_is_refused_before_anything_is_installed(
    machine: Machine, version: str, series: str, complete: bool
) -> None:
    machine.install()
    if not complete:
        (machine.path / "usr/sbin/nft").unlink()
    machine.program("usr/sbin/condor_version", version_text(version))
    machine.write("fake/calls", "")
    machine.refused(f"HTCondor is {version}, and not of the series {series}", series)
    assert machine.calls("apt-get") == []


@pytest.mark.parametrize(("version", "series"), [("25.0.3", "25.0"), ("25.1.0", "25.x"), ("25.10.0", "25.x")])
def test_htcondor_of_the_series_stays(machine: Machine, version: str, series: str) -> None:
    machine.install()
    machine.program("usr/sbin/condor_version", version_text(version))
    machine.write("fake/calls", "")
    assert machine.install(series).returncode == 0
    assert machine.calls("apt-get") == []


@pytest.mark.parametrize(("version", "series"), OTHERS)
def test_another_series_than_the_one_that_was_asked_for_is_the_reason(
    machine: Machine, version: str, series: str
) -> None:
    machine.write("fake/packages/condor_version", version_text(version))
    machine.refused(f"HTCondor is {version}, and not of the series {series}", series)


def test_packages_without_htcondors_version_are_the_reason(machine: Machine) -> None:
    machine.write("fake/brought", "condor_master condor_ping nft")
    machine.refused("HTCondor is not installed, and not of the series 25.0")


def test_an_image_that_has_everything_needs_no_source(machine: Machine) -> None:
    assert machine.install().returncode == 0
    machine.write("fake/calls", "")
    assert machine.install().returncode == 0
    assert machine.calls("apt-get") == []


def test_a_system_without_packages_is_named(machine: Machine) -> None:
    machine.write("etc/os-release", 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12"\n')
    names = ", ".join(each.title for each in IMAGE_FAMILIES.values())
    machine.refused(f"cannot install on Debian GNU/Linux 12, only on {names}")
    assert machine.calls("apt-get") == []


def test_a_machine_without_packages_is_named(tmp_path: Path) -> None:
    machine = Machine(tmp_path).become("debian-13", "aarch64")
    machine.refused("HTCondor has no packages for arm64 on Debian 13 (test), only for x86_64")


@pytest.mark.parametrize("family", IMAGE_FAMILIES)
@pytest.mark.parametrize("series", HTCONDOR_SERIES)
def test_every_system_of_the_table_is_installed(tmp_path: Path, family: str, series: str) -> None:
    machine = Machine(tmp_path).become(family)
    machine.write("fake/packages/condor_version", version_text(series.replace("x", "1") + ".14"))
    assert machine.install(series).returncode == 0


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    for name in (*OWN, *(f"component-{each}" for each in COMPONENTS)):
        (tmp_path / name).write_text(install_file(name, comments=True))
    (tmp_path / "programs.sh").write_text(boot_file("programs.sh", comments=True))
    files = [str(path) for path in tmp_path.iterdir()]
    for shell in ("dash", "bash"):
        done = subprocess.run(["shellcheck", "-x", "-s", shell, *files], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_commands_are_quoted() -> None:
    assert install_command("25.0", ["osg"]) == f"/bin/sh {DIRECTORY}install 25.0 osg"
    assert check_command("25.x", image=True) == f"/bin/sh {DIRECTORY}check 25.x image"
