"""An instance of a stock image whose installation fails: why is on its console, and it leaves without a replacement."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from annex_boot.archive import boot_archive
from annex_boot.installation import install_files
from annex_boot.user_data import render_user_data
from lab.image import authority, stock_root
from tests.boot.boot_testbed import SETTINGS, Bed

LEAVES = (
    "autoscaling.us-east-1.amazonaws.com InstanceId=i-0abc&ShouldDecrementDesiredCapacity=true"
    "&Action=TerminateInstanceInAutoScalingGroup&Version=2011-01-01"
)


def test_the_reason_is_on_the_console_and_the_instance_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "user-data").write_text(render_user_data(dataclasses.replace(SETTINGS, htcondor="25.x")))
    (tmp_path / "archive").write_bytes(boot_archive())
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    authority().issue(certificate, key)
    given = {"certificate": certificate, "key": key}
    bed = Bed(stock_root(), tmp_path / "user-data", tmp_path / "archive")
    found = bed.run("installation.sh", **{name: str(path) for name, path in given.items()})

    assert found["begin"] == "0"
    assert found["starts"] == "systemctl --no-block start annex-install.service"
    assert (found["changed_status"], found["changed_unpacked"]) == ("1", "")
    assert found["changed_last"] == "annex: the boot archive cannot be fetched"
    assert found["changed_said"] == "annex: retiring: the boot archive cannot be fetched;annex: retired;"
    assert found["unreachable_status"] == "1"
    assert set(found["unreachable_unpacked"].split()) == {f"./{name}" for name in install_files(script="")}
    reason = found["unreachable_last"].removeprefix("annex: install: ")
    # The host has no address: apt says which one, and why.
    assert reason.startswith("reading the package lists failed: Err:")
    assert "Temporary failure resolving 'htcss-downloads.chtc.wisc.edu'" in reason
    assert found["unreachable_said"] == f"annex: retiring: {reason};annex: retired;"
    requests = found["accepted"].split(";")
    assert f"s3.us-east-1.amazonaws.com /{SETTINGS.archive}" in requests
    assert requests.count(LEAVES) == 2
