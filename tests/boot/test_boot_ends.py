"""Ends of an execution point on real HTCondor: what a running job gets, and when it is in the queue again."""

from __future__ import annotations

import pytest

from tests.boot.boot_testbed import Bed

BACK = "1 1;1 1;"
"""Both jobs are idle, and each was started once."""


@pytest.fixture(scope="module")
def found(testbed: Bed) -> dict[str, str]:
    found = testbed.run("ends.sh")
    assert [found[f"run-{end}"] for end in ("stop", "spot", "firewall")] == ["0"] * 3
    assert found["firewall"] == "0"
    return found


def test_a_stop_of_condor_service_gives_jobs_their_signal_and_their_vacate_time(found: dict[str, str]) -> None:
    assert int(found["heeds-stop"]) < 5_000, "it exits when it gets the signal"
    assert 6_000 < int(found["ignores-stop"]) < 12_000, "7 s of vacate time"
    assert found["checkpoints-stop"] == "1"
    assert found["queue-stop"] == BACK
    assert found["resumed"] == "resumed", "from the checkpoint"
    assert found["words-stop"] == "2 Startd was shutdown"
    assert (found["master-stop"], found["left-stop"]) == ("0", "0")


def test_a_spot_interruption_sends_jobs_back_before_it(found: dict[str, str]) -> None:
    assert found["unnoticed"] == ""
    assert int(found["noticed_ms"]) < 10_000
    assert int(found["heeds-spot"]) < 12_000
    assert found["checkpoints-spot"] == "1"
    assert 15_000 < int(found["ignores-spot"]) < 25_000, "pledged 270 s, killed 25 s before the interruption in 45 s"
    assert int(found["before_deadline_ms"]) >= 20_000
    assert found["queue-spot"] == BACK + "1 0;"
    assert found["late_started"] == "1", "no new job after the notice"
    assert found["spot_reason"] == found["spot_time"]
    assert found["spot_calls"] == (
        "systemctl --no-block stop condor.service;systemctl --no-block start annex-retire.service;"
        "systemctl kill --kill-who=main --signal=QUIT condor.service;"
    )
    assert (found["master-spot"], found["left-spot"]) == ("0", "0")


def test_without_the_firewall_jobs_are_killed_at_once(found: dict[str, str]) -> None:
    assert int(found["heeds-firewall"]) < 2_000
    assert int(found["ignores-firewall"]) < 2_000, "in spite of 270 s of vacate time"
    assert found["checkpoints-firewall"] == "0", "no signal that a job could answer"
    assert found["queue-firewall"] == BACK
    assert (found["master-firewall"], found["left-firewall"]) == ("0", "0")
    assert found["firewall_calls"] == (
        "systemctl kill --kill-who=main --signal=QUIT condor.service;systemctl --no-block stop condor.service;"
        "systemd-run --quiet --on-active=10s --timer-property=AccuracySec=1s "
        "systemctl kill --signal=KILL condor.service;systemctl --no-block start annex-retire.service;"
    )
