"""An execution point that would be billed and unused, on real HTCondor."""

from __future__ import annotations

from tests.boot.boot_testbed import Bed


def test_a_claim_whose_release_was_lost_ends(testbed: Bed) -> None:
    found = testbed.run("claim.sh")
    assert (found["unused_claim"], found["run"], found["killed"], found["finished"]) == ("300", "0", "0", "0")
    assert found["kept"] == "0", "not before its time, which is 20 s here"
    assert found["ended"] == "0"
    assert 15_000 < int(found["ended_ms"]) < 30_000
    assert found["free"] == "0"


def test_an_instance_whose_startd_was_switched_off_retires(testbed: Bed) -> None:
    found = testbed.run("unused.sh")
    assert (found["joined"], found["running"], found["off"]) == ("0", "", "0")
    assert 110_000 < int(found["retires_ms"]) < 140_000
    assert found["reason"] == "the startd does not run"
    assert found["master"] == "0", "the master stays, so nothing else ends the instance"
