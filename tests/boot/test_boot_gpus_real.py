"""A GPU whose driver comes late, on real HTCondor: the machine offers it as soon as no job would be disturbed."""

from __future__ import annotations

from tests.boot.boot_testbed import Bed


def test_a_gpu_is_offered_when_its_driver_has_come(testbed: Bed) -> None:
    found = testbed.run("gpus.sh")
    assert found["before"] == "0"
    assert (found["undisturbed"], found["evicted"]) == ("0", "1")
    assert found["after"] == "2"
    assert (found["status"], found["master"]) == ("0", "0"), "the machine stays"
    assert found["said"] == "annex: the driver of the GPU came late; the startd looks for it again"
    assert found["without"] == "1"
