"""annex-watch and a spot interruption: notices of every kind, and a metadata service that is away."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from tests.unit.boot.boot_root import BootRoot

NOTICE = "spot_instance-action"
STOP, RETIRE = "--no-block stop condor.service", "--no-block start annex-retire.service"
KILL = "kill --kill-who=main --signal=QUIT condor.service"


@pytest.fixture
def running(root: BootRoot) -> BootRoot:
    root.write("run/annex/lease-end", "4070908800\n")
    root.write("run/annex/shutdown-at", "4070909400\n")
    root.write("fake/step-1", ":")
    root.write("fake/step-2", ":")
    return root


def notice(left: float, action: str = "terminate") -> str:
    at = datetime.fromtimestamp(time.time() + left, UTC)
    return f'{{"action": "{action}", "time": "{at:%Y-%m-%dT%H:%M:%SZ}"}}'


def left_at(root: BootRoot) -> int:
    return int(root.read("run/annex/interruption")) - int(time.time())


@pytest.mark.parametrize("action", ["terminate", "stop", "hibernate"])
def test_a_notice_ends_new_jobs_and_gives_running_ones_their_signal(running: BootRoot, action: str) -> None:
    running.set_fact(NOTICE, notice(110, action))
    done = running.run("watch")
    assert running.calls("systemctl") == [STOP, RETIRE]
    reason = running.read("run/annex/reason")
    assert reason.startswith("spot interruption at 20")
    assert f"annex: {reason}" in done.stdout
    assert 100 < left_at(running) <= 110


def test_no_notice_changes_nothing(running: BootRoot) -> None:
    running.run("watch")
    assert running.calls("systemctl") == []
    assert "/latest/meta-data/spot/instance-action" in running.read("fake/calls"), "it is looked for"
    assert not running.exists("run/annex/reason")


@pytest.mark.parametrize(("left", "killed"), [(22, True), (60, False)])
def test_jobs_that_still_run_25_s_before_are_killed(running: BootRoot, left: int, killed: bool) -> None:
    running.set_fact(NOTICE, notice(left))
    running.run("watch")
    assert (KILL in running.calls("systemctl")) == killed


@pytest.mark.parametrize(("left", "killed"), [(25, True), (28, False)])
def test_the_bound_is_25_s(running: BootRoot, left: int, killed: bool) -> None:
    given = f". /usr/local/lib/annex/interruption.sh\ninterrupted=$(($(date +%s) + {left}))\n"
    running.write("bound", f"{given}bound_vacate_time\n")
    running.run("/bound")
    assert running.calls("systemctl") == ([KILL] if killed else [])


def test_a_repeated_notice_is_followed_once(running: BootRoot) -> None:
    running.set_fact(NOTICE, notice(110))
    for step in (3, 4, 5):
        running.write(f"fake/step-{step}", ":")
    running.run("watch")
    assert running.calls("systemctl") == [STOP, RETIRE]
    assert {*running.calls("sleep")} == {"1"}, "the seconds count"
    running.write("fake/calls", "")
    running.run("watch")
    assert running.calls("systemctl") == [], "a watch that was restarted knows it"
    assert len(running.calls("sleep")) > 2


def test_a_notice_that_vanishes_at_once_is_none(running: BootRoot) -> None:
    running.set_fact(NOTICE, notice(110))
    running.write("fake/step-1", f"rm '/fake/imds/{NOTICE}'")
    running.run("watch")
    assert running.calls("systemctl") == []


def test_a_notice_that_vanishes_later_is_followed_to_the_end(running: BootRoot) -> None:
    running.set_fact(NOTICE, notice(26))
    running.write("fake/step-2", f"rm '/fake/imds/{NOTICE}'; /usr/bin/sleep 3")
    running.write("fake/step-3", ":")
    running.run("watch")
    assert running.calls("systemctl")[:3] == [STOP, RETIRE, KILL]


@pytest.mark.parametrize(
    "text",
    [
        '{"action": "terminate"}',
        '{"action": "terminate", "time": "soon"}',
        '{"action": "terminate", "time": "2026-13-01T00:00:00Z"}',
        '{"action": "terminate", "time": "2098-01-01T00:00:00Z"}',
        '{"action": "terminate", "time": ""',
    ],
)
def test_a_notice_without_a_time_that_can_be_means_two_minutes(running: BootRoot, text: str) -> None:
    running.set_fact(NOTICE, text)
    running.run("watch")
    assert running.calls("systemctl") == [STOP, RETIRE]
    assert 100 < left_at(running) <= 120


def test_a_notice_that_comes_late_has_jobs_killed_at_once(running: BootRoot) -> None:
    running.set_fact(NOTICE, notice(-60))
    running.run("watch")
    assert running.calls("systemctl") == [STOP, RETIRE, KILL]


@pytest.mark.parametrize("text", ["", "<html>", "null", '{"time": "2098-01-01T00:00:00Z"}', "late"])
def test_what_is_no_notice_ends_no_healthy_machine(running: BootRoot, text: str) -> None:
    text = notice(-3600) if text == "late" else text
    running.set_fact(NOTICE, text)
    for step in (3, 4):
        running.write(f"fake/step-{step}", ":")
    done = running.run("watch")
    assert running.calls("systemctl") == []
    assert not running.exists("run/annex/interruption")
    assert done.stdout.count("no notice of a coming spot interruption") == (1 if text else 0), "said once"


def test_the_reason_of_an_end_that_has_begun_stays(running: BootRoot) -> None:
    running.write("run/annex/reason", "idle\n")
    running.set_fact(NOTICE, notice(110))
    running.run("watch")
    assert running.read("run/annex/reason") == "idle\n"


def test_a_metadata_service_that_is_away_is_asked_for_a_session_only(running: BootRoot) -> None:
    (running.path / "fake/imds").rename(running.path / "fake/away")
    done = running.run("watch")
    assert "sleep 5" in running.read("fake/calls"), "no busy loop"
    assert running.calls("systemctl") == []
    assert "spot" not in running.read("fake/calls"), "each call can take 5 s"
    assert "lease" not in done.stdout


@pytest.mark.parametrize("before", ["", "idle\n"])
@pytest.mark.parametrize(("passed", "retires"), [(119, False), (120, True)])
def test_without_a_startd_the_machine_retires(running: BootRoot, passed: int, retires: bool, before: str) -> None:
    running.write("run/annex/joined", "")
    if before:
        running.write("run/annex/reason", before)
    running.write("fake/pgrep.fails", "9")
    running.write("fake/uptime", "1000.00 1.00\n")
    running.write("fake/step-1", f"echo {1000 + passed}.00 1.00 >/proc/uptime")
    running.run("watch")
    assert running.calls("pgrep")[0] == "-x -U 0 condor_startd"
    assert (RETIRE in running.calls("systemctl")) == retires
    assert running.exists("run/annex/reason") == bool(retires or before)
    if retires or before:
        assert running.read("run/annex/reason") == (before or "the startd does not run\n")


def test_a_startd_that_is_restarted_ends_nothing(running: BootRoot) -> None:
    running.write("run/annex/joined", "")
    running.write("fake/pgrep.fails", "1")
    running.write("fake/step-1", "echo 1200.00 1.00 >/proc/uptime")
    running.write("fake/step-2", "echo 1 >/fake/pgrep.fails; echo 1400.00 1.00 >/proc/uptime")
    running.write("fake/step-3", ":")
    running.run("watch")
    assert running.calls("systemctl") == []


def test_a_process_table_that_cannot_be_read_ends_nothing(running: BootRoot) -> None:
    running.write("run/annex/joined", "")
    running.program("usr/sbin/pgrep", "#!/bin/sh\n. /usr/sbin/record\nexit 3\n")
    running.write("fake/step-1", "echo 1200.00 1.00 >/proc/uptime")
    running.run("watch")
    assert len(running.calls("pgrep")) > 1
    assert running.calls("systemctl") == []


def test_a_machine_that_has_not_joined_needs_no_startd(running: BootRoot) -> None:
    running.run("watch")
    assert running.calls("pgrep") == []
