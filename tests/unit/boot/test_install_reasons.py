"""The reason of a failed installation: the step, and the errors of the package manager or of a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from annex_boot.installation import DIRECTORY
from tests.unit.boot.component_machine import ComponentMachine
from tests.unit.boot.stock_machine import Machine

LISTS = "reading the package lists failed"
LOCATE = "E: Unable to locate package condor"


def failing(machine: Machine, says: str, times: int = 99) -> Machine:
    machine.write("fake/manager.fails", str(times))
    machine.write("fake/manager.says", says)
    for step in (1, 2, 3):
        machine.write(f"fake/step-{step}", ":")
    return machine


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (f"Reading package lists...\n{LOCATE}\nW: a warning\n", LOCATE),
        (
            "Hit:1 http://mirror.example.edu/debian trixie InRelease\nErr:2 https://m.example.edu trixie Release\n"
            "  404  Not Found [IP: 192.0.2.1 443]\nGet:3 http://mirror.example.edu/debian trixie/main\n"
            "E: The repository 'https://m.example.edu trixie Release' does not have a Release file.\n",
            "Err:2 https://m.example.edu trixie Release 404 Not Found [IP: 192.0.2.1 443] "
            "E: The repository 'https://m.example.edu trixie Release' does not have a Release file.",
        ),
        (
            "Setting up condor ...\ndpkg: error processing package condor (--configure):\n installed condor package "
            "post-installation script subprocess returned error exit status 1\nProcessing triggers for libc-bin ...\n"
            "E: Sub-process /usr/bin/dpkg returned an error code (1)\n",
            "dpkg: error processing package condor (--configure): installed condor package post-installation script "
            "subprocess returned error exit status 1 E: Sub-process /usr/bin/dpkg returned an error code (1)",
        ),
        ("Killed\n\n", "Killed"),
        ("E: \033[31mno\033[0m \303\274 space\tleft\r\n", "E: [31mno [0m space left"),
    ],
)
def test_the_errors_of_apt_are_in_the_reason(machine: Machine, says: str, words: str) -> None:
    failing(machine, says).refused(f"{LISTS}: {words}")


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (
            "No match for argument: condor\nError: Unable to find a match: condor\n",
            "Error: Unable to find a match: condor",
        ),
        (
            "Error: \n Problem: conflicting requests\n  - nothing provides voms needed by condor-25.0.14\n"
            "(try to add '--skip-broken' to skip uninstallable packages)\n",
            "Error: Problem: conflicting requests - nothing provides voms needed by condor-25.0.14",
        ),
        (
            "Downloading Packages:\nPublic key for condor-25.0.14.rpm is not installed. Failing package is: condor\n"
            " GPG Keys are configured as: file:///key.asc\nError: GPG check FAILED\n",
            "Public key for condor-25.0.14.rpm is not installed. Failing package is: condor "
            "GPG Keys are configured as: file:///key.asc Error: GPG check FAILED",
        ),
        (
            "Errors during downloading metadata for repository 'annex-htcondor':\n"
            "  - Status code: 404 for https://m.example.edu/repodata/repomd.xml (IP: 192.0.2.1)\n"
            "Error: Failed to download metadata for repo 'annex-htcondor'\n",
            "Errors during downloading metadata for repository 'annex-htcondor': - Status code: 404 for "
            "https://m.example.edu/repodata/repomd.xml (IP: 192.0.2.1) "
            "Error: Failed to download metadata for repo 'annex-htcondor'",
        ),
    ],
)
def test_the_errors_of_dnf_are_in_the_reason(tmp_path: Path, says: str, words: str) -> None:
    failing(Machine(tmp_path).become("rocky-9"), says).refused(f"{LISTS}: {words}")


def test_the_reason_is_bounded(machine: Machine) -> None:
    failing(machine, "E: a\n" + "E: bc\n" * 1000)
    machine.install()
    reason = machine.read("fake/reason")
    assert reason.startswith(f"{LISTS}: E: a E: bc ")
    assert 390 < len(reason) <= 401


def test_the_words_are_those_of_the_last_attempt(machine: Machine) -> None:
    failing(machine, "E: first\n")
    machine.write("fake/step-3", "echo 'E: last' >/fake/manager.says")
    machine.refused(f"{LISTS}: E: last")


def test_the_output_of_a_step_is_on_the_console_once(machine: Machine) -> None:
    failing(machine, "E: only a moment\n", times=1)
    done = machine.install()
    assert done.returncode == 0
    assert done.stdout.count("E: only a moment\n") == 1


def test_the_step_that_runs_is_named_with_what_failed_before(machine: Machine) -> None:
    failing(machine, f"{LOCATE}\n", times=1)
    machine.write("fake/step-1", "cp /fake/step /fake/step-then")
    assert machine.install(STEP_FILE="/fake/step").returncode == 0
    assert machine.read("fake/step-then") == f"reading the package lists, which failed before: {LOCATE}\n"
    assert machine.read("fake/step") == "installing condor nftables curl procps\n"


@pytest.mark.parametrize(
    ("component", "family", "program", "step"),
    [
        ("cvmfs", "debian-13", "cvmfs_config", "cvmfs_config setup"),
        ("cvmfs", "debian-13", "systemctl", "enabling autofs.service"),
        ("docker", "debian-13", "usermod", "adding the user condor to the group docker"),
        ("docker", "debian-13", "chcon", "labelling the jobs' directory"),
        ("docker", "debian-13", "systemctl", "enabling docker.service"),
        ("osg", "rocky-9", "systemctl", "enabling fetch-crl.timer"),
    ],
)
def test_what_a_component_could_not_do_has_the_words_of_its_program(
    tmp_path: Path, component: str, family: str, program: str, step: str
) -> None:
    machine = ComponentMachine(tmp_path).with_component(component, family)
    (machine.path / "etc/cvmfs").mkdir()
    for each in ("cvmfs_config", "usermod", "chcon", "selinuxenabled"):
        machine.program(f"usr/sbin/{each}", "#!/bin/sh\n")
    says = f"{program}: not here"
    condition = '[ "$1" != enable ] || ' if program == "systemctl" else ""
    machine.program(f"usr/sbin/{program}", f"#!/bin/sh\n{condition}{{ echo '{says}' >&2; exit 6; }}\n")
    done = machine.run(f"{DIRECTORY}install", "25.0", component, REASON_FILE="/fake/reason")
    assert done.returncode == 1
    assert machine.read("fake/reason") == f"{step} failed: {says}\n"
    assert f"{says}\n" in done.stdout
