"""An annex of a stock image: its machine fetches the install files, installs HTCondor, joins and runs a job."""

from __future__ import annotations

import time
from collections.abc import Callable

from lab import sandbox
from lab.jobs import JobReport, Jobs
from lab.machines import STOCK_IMAGE_ID
from lab.operator import Operator
from lab.package_server import HOSTS
from lab.site import BOOT_SILENCE_SECONDS, Site, machines, machines_progress
from lab.steps import wait_for
from tests.e2e.aws_clients import client
from tests.e2e.machines.only_group import in_group

SPEC = """\
[annex.stock]
size = 1
image = "debian-13"
htcondor = "25.x"
lease = "1h"
max_lifetime = "2h"
join_timeout = "30m"
"""
LIMIT = 300  # seconds, for what the machine does with its emulated CPU; no promise: it ends what hangs


def console() -> str:
    (log,) = sandbox.directory().glob("machines/*/console.log")
    return log.read_text(errors="replace")


def test_a_stock_image_becomes_an_execution_point_at_boot(operator_of: Callable[[str], Operator]) -> None:
    operator = operator_of(SPEC)
    jobs = Jobs(Site().pool, operator)

    def slots() -> list[str]:
        wanted = ("condor_status", "-const", 'SlotType == "Partitionable"', "-af", "AnnexName", "CondorVersion")
        return operator.run(*wanted).splitlines()

    operator.cdk("deploy", "Annex-stock", "--require-approval", "never")
    operator.annex("credential", "push", "stock")
    wait_for("machine", 60, machines)
    began = time.monotonic()
    (instance,) = in_group()
    (reservation,) = client("ec2").describe_instances(InstanceIds=[instance])["Reservations"]
    assert reservation["Instances"][0]["ImageId"] == STOCK_IMAGE_ID, "the public parameter's"
    (slot,) = wait_for("slot in the collector", BOOT_SILENCE_SECONDS, slots, 1.0, progress=machines_progress)
    print(f"from the start of the machine to its slot: {time.monotonic() - began:.0f} s")
    assert slot.startswith("stock $CondorVersion: 25.")

    said = console()
    assert "annex: install: Debian GNU/Linux 13 (trixie) lacks condor_master" in said
    assert f"HTCondor 25.x comes from https://{HOSTS[0]}/repo" in said
    assert "annex: install: HTCondor 25." in said

    home = jobs.submit(annex="stock")
    jobs.wait(home, LIMIT)
    report = JobReport.parse(jobs.read(f"{home}/out.0"))
    assert (report.annex, report.instance, report.complete) == ("stock", instance, True)
    assert report.metadata_codes == {"169.254.169.254": "000", "[fd00:ec2::254]": "000"}, "the firewall is on"
    operator.cdk("destroy", "Annex-stock", "--force")
    wait_for("end of the machine", LIMIT, lambda: not machines(), progress=machines_progress)
