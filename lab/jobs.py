"""Jobs of an ordinary user: submitted on the access point, run on an annex, checked by their output."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab.operator import Operator
from lab.pool import USER, Pool
from lab.steps import StepError, wait_for

# A usual submit file; the script also tries to reach what a job must not reach.
SUBMIT = """\
executable = job.sh
output = out.$(Process)
error = err.$(Process)
log = log
should_transfer_files = yes
when_to_transfer_output = on_exit
request_cpus = 1
request_memory = 64
request_disk = 10M
allowed_execute_duration = {seconds}
My.TargetAnnexName = "{annex}"
queue {count}
"""
SCRIPT = """\
#!/bin/sh
echo "user $(id -un)"
echo "slot $_CONDOR_SLOT"
grep -E '^(AnnexName|AnnexInstanceId|AnnexLeaseEnd) ' "$_CONDOR_MACHINE_AD"
for address in 169.254.169.254 '[fd00:ec2::254]'; do
    code=$(curl -s -g -m 3 -o /dev/null -w '%{http_code}' -X PUT \\
        -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "http://$address/latest/api/token")
    echo "metadata $address $code"
done
cat /etc/condor/tokens.d/* >/dev/null 2>&1 && echo "token readable" || echo "token unreadable"
sleep 20
echo done
"""


@dataclass(frozen=True)
class JobReport:
    """Facts from a job's output: user, slot, machine, reachable secrets."""

    user: str
    annex: str
    instance: str
    metadata_codes: dict[str, str]
    token_readable: bool
    complete: bool

    @classmethod
    def parse(cls, text: str) -> JobReport:
        lines = [line.split(None, 2) for line in text.splitlines() if line.strip()]
        ad = {words[0]: words[2].strip('"') for words in lines if len(words) == 3 and words[1] == "="}
        said = {words[0]: words[1] for words in lines if len(words) == 2}
        return cls(
            user=said.get("user", ""),
            annex=ad.get("AnnexName", ""),
            instance=ad.get("AnnexInstanceId", ""),
            metadata_codes={words[1]: words[2] for words in lines if words[0] == "metadata"},
            token_readable=said.get("token") != "unreadable",
            complete=lines[-1:] == [["done"]],
        )


class Jobs:
    """One cluster of jobs of the pool's ordinary user."""

    def __init__(self, pool: Pool, operator: Operator) -> None:
        self._pool = pool
        self._operator = operator

    def submit(self, *, annex: str, count: int = 1, script: str = SCRIPT, seconds: int = 60) -> str:
        """Returns the directory of the job, as the user sees it; ``seconds`` is how long it says it may take."""
        home = f"/home/{USER}/job-{time.time_ns()}"
        self._as_user("mkdir", home)
        self._write(f"{home}/job.sub", SUBMIT.format(annex=annex, count=count, seconds=seconds))
        self._write(f"{home}/job.sh", script)
        self._as_user("sh", "-c", f"cd {home} && chmod +x job.sh && condor_submit -terse job.sub")
        return home

    def wait(self, home: str, seconds: float, *, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Waits until every job of the directory has ended; calls ``meanwhile`` every few seconds.

        Raises:
            StepError: jobs remain and nothing new came into their log for ``seconds``; the message holds that log.
        """
        wait_for("end of the jobs", seconds, lambda: meanwhile() or self._ended(home), progress=lambda: self._log(home),
                 otherwise=lambda: f"{self._log(home)}\n{self.analysis()}")  # fmt: skip

    def _ended(self, home: str) -> bool:
        try:
            self._as_user("condor_wait", "-wait", "5", f"{home}/log")
        except StepError:  # not yet
            return False
        return True

    def _log(self, home: str) -> str:
        return self.read(f"{home}/log")

    def remove(self) -> None:
        """Removes every job of the user."""
        self._as_user("condor_rm", USER)

    def report(self, home: str, process: int = 0) -> JobReport:
        return JobReport.parse(self.read(f"{home}/out.{process}"))

    def read(self, path: str) -> str:
        return Path(f"{self._pool.root}{path}").read_text(errors="replace")

    def analysis(self) -> str:
        return self._operator.run(*self._pool.as_user("condor_q", "-better-analyze"), check=False)

    def _as_user(self, *words: str) -> str:
        return self._operator.run(*self._pool.as_user(*words))

    def _write(self, path: str, text: str) -> None:
        self._operator.run(*self._pool.as_user("sh", "-c", f"cat >{path}"), stdin=text)
