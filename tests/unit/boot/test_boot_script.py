"""The annex's own script: it runs once at boot, after the components and before HTCondor starts."""

from __future__ import annotations

import dataclasses

import pytest

from annex_boot.archive import boot_archive
from annex_boot.installation import DIRECTORY
from tests.unit.boot.boot_root import SETTINGS
from tests.unit.boot.stock_machine import Machine
from tests.unit.boot.test_boot_archive import unpacked
from tests.unit.boot.test_boot_install import HANGS, START, TIMEOUT


def prepare(machine: Machine, script: str, htcondor: str = "25.0") -> Machine:
    """A machine that fetched the boot archive with a script."""
    settings = dataclasses.replace(SETTINGS, htcondor=htcondor)
    machine.write("etc/annex/annex.env", settings.to_env_file())
    machine.write(f"{DIRECTORY}script", script)
    return machine


def reason(machine: Machine) -> str:
    """Boot, which must fail. Return the reason, whose words are on the console too."""
    done = machine.run("install-software")
    assert done.returncode == 1
    assert START not in machine.calls("systemctl")
    assert not machine.exists("var/lib/annex/installed")
    found = machine.read("run/annex/reason").rstrip("\n")
    assert all(each in done.stdout for each in found.split("; "))
    return found


def test_it_is_in_the_archive_as_it_was_written() -> None:
    script = "#!/bin/bash\n\n# a comment\necho '@@SYSTEMS@@'\n"
    assert unpacked(boot_archive(["osg"], script))[DIRECTORY + "script"] == ("0644", script)
    assert unpacked(boot_archive(["osg"]))[DIRECTORY + "script"] == ("0644", ""), "in place of that of an image"
    assert len({boot_archive(), boot_archive((), "a"), boot_archive((), "b")}) == 3


def test_it_runs_after_the_installation_and_before_htcondor(machine: Machine) -> None:
    prepare(machine, "condor_version >/fake/seen\nid -u >>/fake/seen\necho $HOME >>/fake/seen\necho said here\n")
    done = machine.run("install-software")
    assert done.returncode == 0, done.stdout
    assert machine.read("fake/seen").splitlines()[1:] == ["0", "/root"]
    assert "25.0.14" in machine.read("fake/seen")
    lines = done.stdout.splitlines()
    installed = lines.index("annex: install: HTCondor 25.0.14 is installed")
    assert installed < lines.index("said here") < lines.index("annex: check: HTCondor 25.0.14, no defect")
    assert machine.calls("systemctl")[-1] == START


@pytest.mark.parametrize("interpreter", ["#!/bin/bash", "#! /usr/bin/env -S bash -e"])
def test_its_first_line_names_the_interpreter(machine: Machine, interpreter: str) -> None:
    prepare(machine, f"{interpreter}\necho ${{BASH_VERSION:+bash}} >/fake/seen\n")
    assert machine.run("install-software").returncode == 0
    assert machine.read("fake/seen") == "bash\n"


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo one\necho no space left >&2\nexit 3\n", "the own script failed with status 3: no space left"),
        ("exit 4\n", "the own script failed with status 4"),
        ("printf 'a\\033[31m\\tb \\303\\274\\n\\n'\nexit 1\n", "the own script failed with status 1: a [31m b"),
        ("#!/no/interpreter\n", "the own script failed with status 127: "),
        ("kill -9 $$\n", "the own script failed with status 137"),
        ("printf %01000d 7\nexit 1\n", "the own script failed with status 1: 000"),
    ],
)
def test_a_failure_is_the_reason(machine: Machine, script: str, expected: str) -> None:
    found = reason(prepare(machine, script))
    assert found.startswith(expected)
    assert found.isascii()
    assert found.isprintable()
    assert len(found) <= 400
    if not expected.endswith((": ", "000")):
        assert found == expected


def test_what_it_leaves_running_does_not_hold_up_the_start(machine: Machine) -> None:
    prepare(machine, "/usr/bin/sleep 30 &\necho started\n")
    done = machine.run("install-software")
    assert done.returncode == 0
    assert "started" in done.stdout.splitlines()


def test_one_that_hangs_is_named(machine: Machine) -> None:
    machine.install()
    machine.program("usr/sbin/timeout", TIMEOUT)
    found = reason(prepare(machine, HANGS.partition("; ")[2], "image"))
    assert found == "not done within 900 s: the own script"


def test_with_the_htcondor_of_the_image_it_runs_alone(machine: Machine) -> None:
    machine.install()
    machine.write("fake/calls", "")
    machine.write("usr/sbin/condor_version", "#!/bin/sh\necho '$CondorVersion: 9.0.1 x $'\n")
    prepare(machine, "echo ran >/fake/seen\n", "image")
    machine.run("begin")
    assert machine.calls("systemctl")[-1] == "--no-block start annex-install.service"
    done = machine.run("install-software")
    assert done.returncode == 0, done.stdout
    assert machine.read("fake/seen") == "ran\n"
    assert machine.calls("apt-get") == []
    assert done.stdout.endswith("annex: check: HTCondor of the image, no defect\n")


@pytest.mark.parametrize("brings", [True, False])
def test_it_may_bring_what_the_image_lacks(machine: Machine, brings: bool) -> None:
    machine.install()
    (machine.path / "usr/sbin/nft").unlink()
    prepare(machine, "cp /fake/packages/nft /usr/sbin/nft\n" if brings else "true\n", "image")
    if brings:
        assert machine.run("install-software").returncode == 0
    else:
        assert reason(machine) == "missing: nft"


def test_the_defects_that_it_makes_are_the_reason(machine: Machine) -> None:
    script = "rm /usr/sbin/nft\nprintf '#!/bin/sh\\nexit 1\\n' >/usr/sbin/condor_version\n"
    assert reason(prepare(machine, script)) == ("missing: nft; HTCondor is not installed, and not of the series 25.0")


def test_the_reason_of_many_defects_is_bounded(machine: Machine) -> None:
    script = "printf '#!/bin/sh\\necho enabled\\n' >/usr/sbin/systemctl\n"
    found = reason(prepare(machine, script))
    assert found.startswith("condor.service is enabled: ")
    assert 390 < len(found) <= 400


def test_what_is_asked_of_an_image_alone_is_not_asked_at_boot(machine: Machine) -> None:
    machine.write("etc/machine-id", "0123456789abcdef0123456789abcdef\n")
    machine.write("etc/ssh/ssh_host_rsa_key", "key")
    machine.write("var/lib/cloud/instances/i-0abc/user-data.txt", "")
    assert prepare(machine, "true\n").run("install-software").returncode == 0
