"""A lease with `renew_while_busy` lasts while a job runs, and ends when none runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from annex_lease.tags import TAG_BUSY, TAG_END, format_time, parse_time
from lab.jobs import Jobs
from lab.operator import Operator
from lab.site import BOOT_SILENCE_SECONDS, Site, machines, machines_progress
from lab.steps import wait_for
from tests.e2e.machines.only_group import in_group, protected, set_until, tags

SPEC = (
    '[annex.busy]\nsize = 1\nlease = "30m"\nmax_lifetime = "1h"\ndrain_before_end = "30s"\nrenew_while_busy = "10m"\n'
)
PERIOD = timedelta(minutes=10)
LIMIT = 300  # seconds, for what the machine does with its emulated CPU; no promise: it ends what hangs


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def sleep_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def test_a_lease_is_renewed_while_a_job_runs_and_ends_after_it(operator_of: Callable[[str], Operator]) -> None:
    operator = operator_of(SPEC)
    jobs = Jobs(Site().pool, operator)

    def slots() -> list[str]:
        return operator.run("condor_status", "-const", 'SlotType == "Partitionable"', "-af", "AnnexLeaseEnd").split()

    operator.cdk("deploy", "Annex-busy", "--require-approval", "never")
    operator.annex("credential", "push", "busy")
    (machine,) = wait_for("machine", 60, machines)
    wait_for("slot in the collector", BOOT_SILENCE_SECONDS, slots, 1.0, progress=machines_progress)
    time.sleep(30)  # longer than the pause between two checks of the machine
    assert protected() == [False], "it does nothing yet"

    jobs.submit(annex="busy", script="#!/bin/sh\nexec sleep 900\n", seconds=900)
    wait_for("protection of the busy instance", LIMIT, lambda: protected() == [True])
    assert TAG_BUSY not in tags(), "it does not end soon"

    end = now() + timedelta(seconds=90)  # the checker looks every 60 s
    set_until(end)
    text = wait_for("renewal", 85, lambda: tags().get(TAG_BUSY))
    renewed, _, base = text.partition("@")
    assert base == format_time(end)
    assert timedelta(0) <= now() - (parse_time(renewed) - PERIOD) < timedelta(seconds=15)
    assert tags()[TAG_END] == renewed
    wait_for("renewed end in the slot's ad", LIMIT, lambda: slots() == [str(int(parse_time(renewed).timestamp()))])
    sleep_until(end + timedelta(seconds=5))
    assert machines() == [machine]
    assert protected() == [True], "its job runs on"

    jobs.remove()
    wait_for("end of the protection", LIMIT, lambda: protected() == [False])
    end = now() + timedelta(seconds=90)
    set_until(end)
    wait_for("end in the slot's ad", 85, lambda: slots() == [str(int(end.timestamp()))])
    assert tags()[TAG_BUSY] == text, "an idle instance renews nothing"
    sleep_until(end)
    wait_for("end of the machine", 60, lambda: not machines(), progress=machines_progress)
    wait_for("empty group", LIMIT, lambda: not in_group())
    operator.cdk("destroy", "Annex-busy", "--force")
