"""annex-retire, annex-join and the firewall: out of the group first, and off in any case."""

from __future__ import annotations

import dataclasses
import time

import pytest

from annex_boot.boot_files import boot_file
from tests.unit.boot.boot_root import RULES, SETTINGS, BootRoot

LEAVE = "leave"


def test_leaves_the_group_once(root: BootRoot) -> None:
    done = root.run("retire")
    assert done.returncode == 0
    assert root.calls("call-aws") == [LEAVE]
    assert "annex: retired\n" in done.stdout


def test_gives_up_after_three_refusals(root: BootRoot) -> None:
    (root.path / "fake/leave").unlink()
    done = root.run("retire")
    assert done.returncode == 0
    assert root.calls("call-aws") == [LEAVE] * 3
    assert "annex: Auto Scaling did not confirm termination; powering off anyway\n" in done.stdout


def test_however_it_ends_the_machine_powers_off() -> None:
    unit = boot_file("annex-retire.service").splitlines()
    assert {"SuccessAction=poweroff", "FailureAction=poweroff", "TimeoutStartSec=8min"} <= set(unit)


@pytest.mark.parametrize("unit", ["annex-firewall.service", "annex-prepare.service", "condor-annex.conf"])
def test_a_unit_that_fails_leads_to_the_retirement(unit: str) -> None:
    lines = boot_file(unit).splitlines()
    assert "OnFailure=annex-retire.service" in lines
    assert unit == "condor-annex.conf" or any(line.startswith("TimeoutStartSec=") for line in lines)


@pytest.mark.parametrize("fails", [0, 9])
def test_a_reload_of_the_firewall_that_fails_ends_jobs_at_once(root: BootRoot, fails: int) -> None:
    """A wall that cannot be put up again. `stop` alone would leave jobs their vacate time."""
    (command,) = [line for line in boot_file("annex-firewall.service").splitlines() if line.startswith("ExecReload=")]
    root.write("fake/nft.fails", str(fails))
    root.write("reload", command.removeprefix("ExecReload=/bin/sh -c ").join(("eval ", "\n")))
    assert root.run("/reload").returncode == 0
    expected = [
        "kill --kill-who=main --signal=QUIT condor.service",
        "--no-block stop condor.service",
        "--no-block start annex-retire.service",
    ]
    assert root.calls("systemctl") == (expected if fails else [])
    assert root.exists("run/annex/reason") == bool(fails)


def test_jobs_are_killed_by_the_kernel_if_there_is_no_timer_for_it(root: BootRoot) -> None:
    root.write("fake/systemd-run.fails", "1")
    root.write("now", ". /usr/local/lib/annex/firewall.sh\nend_jobs_now\n")
    root.run("/now")
    assert "kill --signal=KILL condor.service" in root.calls("systemctl")


def test_a_stop_of_htcondor_is_graceful_and_has_a_reason(root: BootRoot) -> None:
    lines = boot_file("condor-annex.conf").splitlines()
    assert "KillSignal=SIGTERM" in lines
    assert not any(line.startswith("TimeoutStopSec=") for line in lines), "that of `configure` counts"
    (command,) = [line for line in lines if line.startswith("ExecStop=")]
    root.write("stop", command.removeprefix("ExecStop=-/bin/sh -c ").join(("eval ", "\n")))
    root.run("/stop")
    assert not root.exists("run/annex/reason"), "the master has exited of itself: idle"
    root.run("/stop", MAINPID="17")
    assert root.read("run/annex/reason") == "HTCondor was stopped\n"
    root.write("run/annex/reason", "the lease ended\n")
    root.run("/stop", MAINPID="17")
    assert root.read("run/annex/reason") == "the lease ended\n"


@pytest.mark.parametrize(("drain", "vacate"), [(10, 7), (120, 90), (3600, 3570)])
def test_htcondor_and_systemd_wait_for_the_vacate_time(root: BootRoot, drain: int, vacate: int) -> None:
    """HTCondor's own limit is half an hour, and systemd's for the package 150 s: less than the longest drain."""
    times = {**SETTINGS.times, "drain_before_end": drain}
    root.write("etc/annex/annex.env", dataclasses.replace(SETTINGS, times=times).to_env_file())
    assert root.run("prepare").returncode == 0
    config = root.read("etc/condor/config.d/91-annex-instance").splitlines()
    assert f"MachineMaxVacateTime = {vacate}" in config
    limit = int(next(line for line in config if line.startswith("SHUTDOWN_GRACEFUL_TIMEOUT =")).split()[-1])
    assert vacate + 30 < limit, "KILLING_TIMEOUT"
    assert root.read("run/systemd/system/condor.service.d/annex-stop.conf") == (
        f"[Service]\nTimeoutStopSec={limit + 30}\n"
    )
    assert "daemon-reload" in root.calls("systemctl")


@pytest.mark.parametrize(("left", "waits"), [(40, True), (-45, True), (-60, False)])
def test_ec2_ends_an_instance_that_it_interrupts(root: BootRoot, left: int, waits: bool) -> None:
    """The instance neither leaves the group, which replaces it, nor ends before EC2 could, if there is time."""
    root.write("run/annex/reason", "spot interruption at 2026-01-31T08:00:00Z\n")
    root.write("run/annex/interruption", f"{int(time.time()) + left}\n")
    root.write("fake/step-1", ":")
    root.write("fake/step-2", "echo 0 >/run/annex/interruption; kill $PPID")
    done = root.run("retire")
    assert done.stdout.startswith("annex: retiring: spot interruption at 2026-01-31T08:00:00Z\n")
    assert root.calls("call-aws") == []
    assert ("powering off" in done.stdout) is not waits
    assert len(root.calls("sleep")) == (2 if waits else 0)


def test_htcondor_waits_for_the_firewall_and_the_preparation() -> None:
    lines = boot_file("condor-annex.conf").splitlines()
    for key in ("Requires", "After"):
        assert f"{key}=annex-firewall.service annex-prepare.service" in lines
    assert "OnSuccess=annex-retire.service" in lines
    assert "Restart=no" in lines


@pytest.mark.parametrize(
    ("environment", "reason", "why"),
    [
        ({"MONITOR_UNIT": "condor.service", "MONITOR_SERVICE_RESULT": "success"}, "", "idle"),
        (
            {"MONITOR_UNIT": "condor.service", "MONITOR_SERVICE_RESULT": "signal"},
            "",
            "condor.service failed (signal)",
        ),
        ({}, "", "did not join in time"),
        ({"MONITOR_UNIT": "annex-prepare.service", "MONITOR_SERVICE_RESULT": "exit-code"}, "the lease ended", None),
    ],
)
def test_says_why(root: BootRoot, environment: dict[str, str], reason: str, why: str | None) -> None:
    if reason:
        root.write("run/annex/reason", reason)
    assert root.run("retire", **environment).stdout.startswith(f"annex: retiring: {why or reason}\n")


def test_joined_when_the_collector_accepts_the_token(root: BootRoot) -> None:
    root.write("fake/condor_ping.fails", "2")
    root.write("var/log/condor/.startd_address", "<10.0.0.1:9618>\n")
    done = root.run("join")
    assert len(root.calls("condor_ping")) == 3
    assert root.calls("systemctl") == ["stop annex-join-timeout.timer"]
    assert root.exists("run/annex/joined")
    assert "annex: joined" in done.stdout


def test_joined_when_one_of_several_collectors_accepts_the_token(root: BootRoot) -> None:
    collectors = ("cm1.example.edu:9618?sock=collector", "[2001:db8::1]:9618", "cm3.example.edu:9618")
    changed = dataclasses.replace(SETTINGS, collector=",".join(collectors))
    root.write("etc/annex/annex.env", changed.to_env_file())
    root.write("fake/condor_ping.fails", "4")
    root.write("var/log/condor/.startd_address", "<10.0.0.1:9618>\n")
    root.write("2:9618", "a file whose name the second address would match as a pattern of the shell")
    root.run("join")
    asked = [f"-quiet -pool {each} -type COLLECTOR ADVERTISE_STARTD" for each in collectors]
    assert root.calls("condor_ping") == [*asked, *asked[:2]], "each in turn, until one accepts"
    assert root.exists("run/annex/joined")


def test_not_joined_without_a_startd(root: BootRoot) -> None:
    root.write("fake/step-1", ":")
    root.run("join")
    assert root.calls("condor_ping") == root.calls("systemctl") == []


def test_the_rules_are_those_that_the_proof_counts() -> None:
    """Both addresses are closed to jobs on the machine and in containers; one rule less is found at boot."""
    rules = [line for line in boot_file("firewall.nft").splitlines() if "reject" in line]
    assert [sum(address in rule for rule in rules) for address in ("169.254.169.254", "fd00:ec2::254")] == [2, 2]
    assert f'grep -c reject)" -eq {len(rules)} ]' in boot_file("firewall.sh")


@pytest.mark.parametrize(
    ("rules", "curl", "load_fails", "code"),
    [(RULES, 7, 0, 0), (RULES, 28, 0, 0), (RULES, 0, 0, 1), ("reject\n", 7, 0, 1), ("", 7, 0, 1), (RULES, 7, 1, 1)],
)
def test_the_firewall_is_proved(root: BootRoot, rules: str, curl: int, load_fails: int, code: int) -> None:
    root.write("fake/nft", rules)
    root.write("fake/nft.fails", str(load_fails))
    root.write("fake/curl-unprivileged", str(curl))
    assert root.run("firewall").returncode == code
