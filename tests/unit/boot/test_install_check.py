"""check and clean: what an image must have, and what it must not have."""

from __future__ import annotations

import pytest

from annex_boot.installation import DIRECTORY, UPDATE_UNITS
from tests.unit.boot.stock_machine import NO_DEFECT, Machine

SETTINGS = ("RELEASE_DIR", "LIBEXEC", "EXECUTE", "LOG")
NO_PYTHON = "cloud-init has no Python that can call AWS"
# An interpreter that fails unless it is asked for what call-aws imports beside what every Python has.
INTERPRETER = """#!/bin/sh
case "$*" in
*hashlib*hmac*json*ssl*urllib.request*) ;;
*) exit 1 ;;
esac
"""


@pytest.fixture
def installed(machine: Machine) -> Machine:
    machine.install()
    machine.write("etc/machine-id", "")
    (machine.path / "etc/annex/annex.env").unlink()
    machine.write("fake/calls", "")
    return machine


def test_an_installed_machine_has_no_defect(installed: Machine) -> None:
    assert installed.check() == installed.check("image") == [NO_DEFECT]


@pytest.mark.parametrize(
    ("program", "defect"),
    [("nft", "missing: nft"), ("condor_version", "HTCondor is not installed, and not of the series 25.0")],
)
def test_a_program_that_is_missing_is_a_defect(installed: Machine, program: str, defect: str) -> None:
    (installed.path / "usr/sbin" / program).unlink()
    assert defect in installed.check()


def test_another_series_is_a_defect(installed: Machine) -> None:
    installed.write("usr/sbin/condor_version", "#!/bin/sh\necho '$CondorVersion: 24.0.1 x $'\n")
    assert installed.check() == ["HTCondor is 24.0.1, and not of the series 25.0"]


def test_a_configuration_that_cannot_be_read_is_a_defect(installed: Machine) -> None:
    installed.write("usr/sbin/condor_config_val", "#!/bin/sh\nexit 1\n")
    found = installed.check()
    missing = [f"condor_config_val: HTCondor's configuration has no {each}" for each in SETTINGS]
    assert found == [*missing, "HTCondor lacks curl_plugin, which moves files of jobs"]


def test_a_missing_plugin_is_a_defect(installed: Machine) -> None:
    (installed.path / "opt/libexec/curl_plugin").unlink()
    assert installed.check() == ["HTCondor lacks curl_plugin, which moves files of jobs"]


def test_a_python_that_cannot_call_aws_is_a_defect(installed: Machine) -> None:
    installed.write("usr/sbin/interpreter", "#!/bin/sh\nexit 1\n")
    assert installed.check() == [NO_PYTHON]
    installed.write("usr/sbin/interpreter", INTERPRETER)
    assert installed.check() == [NO_DEFECT]
    (installed.path / "usr/sbin/cloud-init").unlink()
    assert installed.check() == [NO_PYTHON]


@pytest.mark.parametrize("state", ["enabled", "enabled-runtime"])
@pytest.mark.parametrize("unit", ["condor.service", *UPDATE_UNITS])
def test_a_unit_that_starts_by_itself_is_a_defect(installed: Machine, unit: str, state: str) -> None:
    installed.write("usr/sbin/systemctl", f'#!/bin/sh\n[ "$*" != "is-enabled {unit}" ] || echo {state}\n')
    (found,) = installed.check()
    assert found.startswith(f"{unit} is enabled: ")


LEFT = (
    "etc/condor/tokens.d/annex",
    "etc/condor/passwords.d/POOL",
    "root/.condor/tokens.d/annex",
    "root/.aws/credentials",
    "home/admin/.aws/credentials",
    "etc/ssh/ssh_host_rsa_key",
    "root/.ssh/authorized_keys",
    "home/admin/.ssh/authorized_keys",
    "var/log/condor/StartLog",
    "var/log/journal/0123456789abcdef/system.journal",
    "var/log/cloud-init.log",
    "var/log/cloud-init-output.log",
    "root/.bash_history",
    "home/admin/.bash_history",
    "var/lib/cloud/instance",
    "var/lib/cloud/instances/i-0abc/user-data.txt",
    "var/lib/cloud/data/instance-id",
    "var/lib/cloud/data/previous-hostname",
    "var/lib/cloud/sem/config_scripts_per_once.once",
    "var/lib/docker/engine-id",
    "run/annex/lease-end",
    "var/lib/annex/installed",
    "etc/annex/annex.env",
    "etc/machine-id",
)


@pytest.mark.parametrize("path", LEFT)
def test_what_an_image_must_not_have_is_a_defect_until_it_is_cleaned_away(installed: Machine, path: str) -> None:
    installed.write(path, "0123456789abcdef0123456789abcdef\n")
    assert installed.check() == [NO_DEFECT]
    (found,) = installed.check("image")
    named = found.partition(": /")[2]
    assert named
    assert path.startswith(named)
    assert installed.run(f"{DIRECTORY}clean").returncode == 0
    assert installed.check("image") == [NO_DEFECT]


def test_the_seeds_of_cloud_init_stay(installed: Machine) -> None:
    seed = "var/lib/cloud/seed/nocloud/meta-data"
    installed.write(seed, "content")
    assert installed.run(f"{DIRECTORY}clean").returncode == 0
    assert installed.read(seed) == "content"
    assert installed.check("image") == [NO_DEFECT]


def test_an_id_that_the_next_boot_makes_is_no_defect(installed: Machine) -> None:
    installed.write("etc/machine-id", "uninitialized\n")
    assert installed.check("image") == [NO_DEFECT]


@pytest.mark.parametrize(
    "path", ["var/lib/systemd/random-seed", "var/lib/dbus/machine-id", "etc/ssh/ssh_host_rsa_key.pub"]
)
def test_what_is_made_with_an_id_or_a_key_is_cleaned_away_too(installed: Machine, path: str) -> None:
    installed.write(path, "0123456789abcdef")
    assert installed.run(f"{DIRECTORY}clean").returncode == 0
    assert not installed.exists(path)
    assert installed.exists("etc/machine-id"), "the first boot mounts its id over the file"


@pytest.mark.parametrize(("manager", "call"), [("apt-get", "clean"), ("dnf", "-q clean all")])
def test_packages_that_were_fetched_are_cleaned_away(installed: Machine, manager: str, call: str) -> None:
    if manager == "dnf":
        (installed.path / "usr/sbin/apt-get").unlink()
        installed.write("fake/hidden", "apt-get\n")
    assert installed.run(f"{DIRECTORY}clean").returncode == 0
    assert installed.calls(manager) == [call]


def test_logs_of_packages_are_emptied_and_their_lists_removed(installed: Machine) -> None:
    installed.write("var/log/apt/history.log", "Start-Date: 2026-11-29\n")
    installed.write("var/lib/apt/lists/mirror_dists_trixie_main_binary-amd64_Packages", "Package: condor\n")
    assert installed.run(f"{DIRECTORY}clean").returncode == 0
    assert installed.read("var/log/apt/history.log") == ""
    assert list((installed.path / "var/lib/apt/lists").iterdir()) == []
