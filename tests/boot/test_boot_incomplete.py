"""An image that lacks programs, with the rest of the image's own programs."""

from __future__ import annotations

from pathlib import Path

from lab.image import authority
from tests.boot.boot_testbed import Bed


def test_an_incomplete_image_is_named_and_leaves_without_being_replaced(testbed: Bed, tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    authority().issue(certificate, key)
    found = testbed.run("incomplete.sh", certificate=str(certificate), key=str(key))
    assert found["begin"] == "0"
    assert found["starts"] == "systemctl --no-block start annex-incomplete.service"
    assert found["reason"] == "the image lacks curl nft"
    assert found["status"] == "0"
    assert found["said"] == (
        "annex: retiring: the image lacks curl nft;"
        "annex: call-aws leave: HTTP Error 500: Internal Server Error: ;annex: retired;"
    ), "a refusal is no reason to give up"
    assert found["accepted"] == (
        "autoscaling.us-east-1.amazonaws.com InstanceId=i-0abc&ShouldDecrementDesiredCapacity=true"
        "&Action=TerminateInstanceInAutoScalingGroup&Version=2011-01-01"
    )
