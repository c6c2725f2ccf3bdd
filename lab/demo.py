"""The demonstration: an annex is deployed, used, extended, ended by its lease and removed; each step is checked."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from annex_lease.tags import format_time, parse_time
from lab.inventory import everything, instances
from lab.jobs import JobReport, Jobs
from lab.site import BOOT_SILENCE_SECONDS, Site, machines, machines_progress
from lab.steps import StepError, Steps, wait_for

ANNEX = "demo"
STACK = f"Annex-{ANNEX}"
# From the lease's end: the checker keeps it to the second, or else its next run is at most 60 s away; the machines then
# get their shutdown.
END_WITHIN = 60 + 75
ANSWER_SECONDS = 180  # no promise: for what hangs
# What the job says it may take. It needs 5 s, and 20 more for those who want to see it run; on a slow machine more,
# and how slow it is, the boot has shown: of an idle one it took 60 to 90 s.
JOB_SECONDS, JOB_OF_BOOT = 30, 0.35
DRAIN = timedelta(seconds=30)  # of lab/annexes.toml: a job must end before it
SLACK = timedelta(seconds=10)
MORE_TIME = timedelta(seconds=80)


class Demo:
    """The steps in their order; each raises StepError if its result is not the expected one."""

    def __init__(self, site: Site, steps: Steps) -> None:
        self.site = site
        self.steps = steps
        self.jobs = Jobs(site.pool, site.operator)
        self.declared_end = self.end_now = datetime.min.replace(tzinfo=UTC)
        self.before: set[str] = set()
        self.size = 0
        self.job_seconds = JOB_SECONDS

    def run(self, *, keep: bool = False) -> None:
        self.bootstrap()
        self.deploy()
        self.join()
        self.run_job()
        # Long enough to see the annex live on after its declared end: a moment, or more where everything takes longer.
        self.extend(timedelta(hours=1) if keep else timedelta(seconds=self.job_seconds / 2))
        if keep:
            return
        self.outlive_declared_end()
        self.end()
        self.destroy()

    def bootstrap(self) -> None:
        with self.steps.step("cdk bootstrap: prepare the account, once"):
            self.site.operator.bootstrap()
            self.before = everything()

    def deploy(self) -> None:
        with self.steps.step(f"cdk deploy {STACK}: the stack, the lease, no instance yet") as step:
            self.site.operator.cdk("deploy", STACK, "--require-approval", "never")
            status = self.status()
            expect(status["instances"] == [], f"instances before a credential: {status['instances']}")
            self.size = status["size"]
            self.declared_end = self.end_now = parse_time(status["lease"]["effective_end"])
            step.result = f"lease until {self.declared_end:%H:%M:%S}Z"
        self.steps.facts["deployed in"] = f"{step.took:.1f} s"
        with self.steps.step(f"annex credential push {ANNEX}: now the lease checker may start instances") as step:
            self.site.operator.annex("credential", "push", ANNEX)
            wait_for("instance", 30, lambda: self.status()["instances"])
            step.result = f"{self.size} granted"

    def join(self) -> None:
        with self.steps.step(f"{self.size} machines boot and join the pool") as step:
            wait_for(f"{self.size} slots in the collector", BOOT_SILENCE_SECONDS, self.all_joined, 1.0,
                     progress=machines_progress)  # fmt: skip
            self.job_seconds = max(JOB_SECONDS, int(JOB_OF_BOOT * (time.monotonic() - step.began)))
            self.keep_time_for_jobs()
            if self.end_now != self.declared_end:
                step.result = f"slow machine: lease extended until {self.end_now:%H:%M:%S}Z"
        self.steps.facts["joined after"] = f"{self.steps.done[-1].took:.1f} s (from the credential)"

    def all_joined(self) -> bool:
        # The lease runs while a slow machine boots.
        self.keep_time_for_jobs()
        return len(self.slots()) >= self.size

    def keep_time_for_jobs(self) -> None:
        """Extends the lease when a slow machine has used up what a job needs of it to start."""
        needed = now() + timedelta(seconds=self.job_seconds) + DRAIN + SLACK
        if needed > self.end_now:
            self.extend_until(needed + MORE_TIME)

    def extend_until(self, end: datetime) -> None:
        expect(now() < self.end_now, "the lease ended before it could be extended")
        self.site.operator.annex("extend", ANNEX, "--until", format_time(end))
        self.end_now = parse_time(self.status()["lease"]["effective_end"])
        expect(self.end_now == end, f"the lease ends at {self.end_now}, not {end}")

    def run_job(self) -> None:
        with self.steps.step("an ordinary user's jobs run on the annex") as step:
            home = self.jobs.submit(annex=ANNEX, count=self.size, seconds=self.job_seconds)
            self.jobs.wait(home, ANSWER_SECONDS, meanwhile=self.keep_time_for_jobs)
            for process in range(self.size):
                check_job(self.jobs.report(home, process))
            report = self.jobs.report(home)
            step.result = f"{report.user} on {report.instance}, metadata service out of reach"
        self.steps.facts["job output"] = step.result

    def extend(self, by: timedelta) -> None:
        # A slow machine may have used up most of the lease: then extend from now instead.
        wanted = max(self.end_now + by, now() + timedelta(seconds=60)).replace(microsecond=0)
        with self.steps.step(f"annex extend {ANNEX} --until {format_time(wanted)}") as step:
            self.extend_until(wanted)
            end = int(wanted.timestamp())
            wait_for("new end in every slot's ad", ANSWER_SECONDS, lambda: self.slots() and all(
                slot["AnnexLeaseEnd"] == end for slot in self.slots()))  # fmt: skip
            step.result = "and every slot has the new end"
        self.steps.facts["lease extended"] = f"{self.declared_end:%H:%M:%S}Z to {self.end_now:%H:%M:%S}Z"

    def outlive_declared_end(self) -> None:
        with self.steps.step(f"the declared end {self.declared_end:%H:%M:%S}Z passes, the annex continues"):
            sleep_until(self.declared_end + timedelta(seconds=3))
            alive = [i for i in self.status()["instances"] if i["state"] == "InService"]
            expect(len(alive) == self.size, f"{len(alive)} of {self.size} instances in service")

    def end(self) -> None:
        with self.steps.step(f"the lease ends at {self.end_now:%H:%M:%S}Z") as step:
            sleep_until(self.end_now)
            wait_for("empty annex", END_WITHIN, lambda: not self.billed())
            late = (datetime.now(UTC) - self.end_now).total_seconds()
            expect(self.status()["instances"] == [], "the group still lists instances")
            step.result = f"zero instances {late:.0f} s later"
        self.steps.facts["lease ended at"] = f"{self.end_now:%H:%M:%S}Z, last instance gone {late:.0f} s later"
        self.steps.facts["instances after"] = str(len(self.billed()))

    def destroy(self) -> None:
        with self.steps.step(f"cdk destroy {STACK}") as step:
            self.site.operator.cdk("destroy", STACK, "--force")
            left = sorted(everything() - self.before)
            expect(not left, f"left behind: {left}")
            expect(not machines(), f"machines still run: {machines()}")
            step.result = "nothing left"
        self.steps.facts["resources left"] = str(len(left))

    def status(self) -> dict[str, Any]:
        return self.site.operator.status(ANNEX)

    def slots(self) -> list[dict[str, Any]]:
        """The annex's slots in the collector, by HTCondor's own tool."""
        said = self.site.operator.run("condor_status", "-json", "-attributes", "Name,AnnexLeaseEnd,AnnexInstanceId",
                                      "-constraint", f'AnnexName == "{ANNEX}" && SlotType != "Dynamic"')  # fmt: skip
        found: list[dict[str, Any]] = json.loads(said or "[]")
        return found

    def billed(self) -> list[str]:
        """Instances that AWS would bill, listed by EC2, not by `annex status`."""
        return sorted(instances() - self.before)


def check_job(report: JobReport) -> None:
    expect(report.complete, f"the job did not finish: {report}")
    expect(report.annex == ANNEX, f"the job ran elsewhere: {report}")
    expect(report.user not in ("root", "condor"), f"the job ran as {report.user}")
    expect(not report.token_readable, "the job could read the pool credential")
    expect(set(report.metadata_codes.values()) == {"000"}, f"the job reached the metadata service: {report}")


def expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise StepError(otherwise)


def now() -> datetime:
    """The moment, in whole seconds as a lease is written down."""
    return datetime.now(UTC).replace(microsecond=0)


def sleep_until(moment: datetime) -> None:
    time.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()))


def write_report(steps: Steps, path: Path, error: str | None) -> None:
    """Result of the run as JSON, for the test that runs the demonstration."""
    record = {
        "ok": error is None,
        "error": error,
        "steps": [{"title": s.title, "began": s.began - steps.began, "took": s.took, "ok": s.ok, "result": s.result}
                  for s in steps.done],
        "facts": steps.facts,
    }  # fmt: skip
    path.write_text(json.dumps(record, indent=1))
