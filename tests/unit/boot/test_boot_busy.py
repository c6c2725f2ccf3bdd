"""annex-busy: protected from scale-in exactly while a job runs; AWS is asked only about a change, until it answers."""

from __future__ import annotations

import pytest

from annex_boot.boot_files import boot_file
from tests.unit.boot.boot_root import SETTINGS, BootRoot

PROTECT, RELEASE = "protect true", "protect false"
BUSY, IDLE, UNKNOWN = "0", "1", "3"
REFUSE, ACCEPT = "mv /fake/protect /fake/refusing", "mv /fake/refusing /fake/protect"
CONFIRMED = "var/lib/annex/protection"


@pytest.fixture
def point(root: BootRoot) -> BootRoot:
    root.write("etc/annex/annex.env", SETTINGS.to_env_file().replace("BUSY=0", "BUSY=1"))
    root.write("usr/sbin/pgrep", "#!/bin/sh\necho pgrep $* >>/fake/calls\nexit $(cat /fake/pgrep)\n")
    return root


def looks(point: BootRoot, *seen: str) -> list[str]:
    """Calls of AWS while the process table shows this; text after a comma is a command that runs before a check."""
    first, *others = seen
    point.write("fake/pgrep", first)
    for number, each in enumerate(others, 1):
        code, _, event = each.partition(",")
        point.write(f"fake/step-{number}", f"echo {code} > /fake/pgrep\n{event or ':'}\n")
    point.write("fake/calls", "")
    done = point.run("busy")
    assert len(point.calls("pgrep")) == len(seen), done.stdout
    for step in point.path.glob("fake/step-*"):
        step.unlink()
    return point.calls("call-aws")


def test_an_idle_machine_asks_for_nothing(point: BootRoot) -> None:
    assert looks(point, IDLE, IDLE, IDLE) == []
    assert point.calls("curl") == []


def test_protected_once_while_a_job_runs_and_released_once_after_it(point: BootRoot) -> None:
    assert looks(point, IDLE, BUSY, BUSY, BUSY) == [PROTECT]
    assert looks(point, BUSY, IDLE, IDLE, IDLE) == [RELEASE]


def test_only_roots_starters_count(point: BootRoot) -> None:
    looks(point, IDLE, IDLE)
    assert set(point.calls("pgrep")) == {"-U 0 -f ^condor_starter -f"}


def test_the_moment_between_two_jobs_changes_nothing(point: BootRoot) -> None:
    assert looks(point, BUSY, IDLE, BUSY, IDLE, BUSY) == [PROTECT]


@pytest.mark.parametrize("before", [BUSY, IDLE])
def test_a_look_that_fails_changes_nothing(point: BootRoot, before: str) -> None:
    looks(point, before, before)
    assert looks(point, UNKNOWN, UNKNOWN, UNKNOWN) == []
    assert looks(point, before, before) == []


def test_a_refused_call_is_repeated_until_it_counts(point: BootRoot) -> None:
    assert looks(point, IDLE, f"{BUSY},{REFUSE}", BUSY, f"{BUSY},{ACCEPT}", BUSY) == [PROTECT] * 3
    assert looks(point, IDLE, f"{IDLE},{REFUSE}", IDLE, f"{IDLE},{ACCEPT}", IDLE) == [RELEASE] * 3


def test_a_call_without_an_answer_may_have_worked(point: BootRoot) -> None:
    assert looks(point, IDLE, f"{BUSY},{REFUSE}", IDLE, IDLE, f"{IDLE},{ACCEPT}", IDLE)[-1] == RELEASE
    assert looks(point, IDLE, IDLE) == []


def test_a_call_that_was_cut_off_may_have_worked(point: BootRoot) -> None:
    assert looks(point, IDLE, f"{BUSY},{REFUSE}") == [PROTECT]
    assert point.read(CONFIRMED) == "unknown\n"
    assert looks(point, IDLE, f"{IDLE},{ACCEPT}", IDLE) == [RELEASE], "another run takes it back"


@pytest.mark.parametrize(
    ("confirmed", "seen", "calls"), [("busy", BUSY, []), ("busy", IDLE, [RELEASE]), ("", IDLE, [RELEASE])]
)
def test_what_was_confirmed_survives_a_reboot(point: BootRoot, confirmed: str, seen: str, calls: list[str]) -> None:
    point.write(CONFIRMED, confirmed)
    assert looks(point, seen, seen, seen) == calls


def test_a_full_disk_does_not_make_it_forget(point: BootRoot) -> None:
    (point.path / "var/lib/annex/protection").mkdir(parents=True)
    assert looks(point, BUSY, BUSY, BUSY, IDLE, IDLE, IDLE) == [PROTECT, RELEASE]


def test_nothing_runs_where_no_protection_is_wanted(root: BootRoot) -> None:
    done = root.run("busy")
    assert (done.returncode, done.stdout) == (0, "")
    assert root.read("fake/calls") == ""
    unit = boot_file("annex-busy.service").splitlines()
    assert "Restart=on-failure" in unit, "it is not restarted after it ends at once"


def test_damaged_settings_start_nothing(point: BootRoot) -> None:
    point.write("etc/annex/annex.env", SETTINGS.to_env_file().replace("BUSY=0", "BUSY=2"))
    assert point.run("busy").returncode != 0
    assert point.calls("call-aws") == []


def test_it_starts_with_the_machine() -> None:
    assert "annex-busy.service" in boot_file("annex.target")
    assert "After=annex-prepare.service" in boot_file("annex-busy.service").splitlines()
