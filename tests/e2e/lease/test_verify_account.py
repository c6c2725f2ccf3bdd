"""`scripts/verify-account` against the lab's cloud: its findings, and that nothing is left, also after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from annex_lease.tags import TAG_NAME
from lab.operator import REPOSITORY, Operator
from lab.site import processes
from lab.steps import wait_for
from tests.e2e.aws_clients import client
from verify.outcome import ALL_HELD, INCOMPLETE
from verify.run import MARK, STACK_MARK

DEPLOY_SECONDS, CLEAN_SECONDS = 240.0, 240.0
HELD = (1, 2, 4, 10, 12, 15)  # what the lab's cloud has an answer to, and no long wait for


@dataclass
class Started:
    """A run of the command."""

    process: subprocess.Popen[bytes]
    output: Path
    report: Path

    @property
    def log(self) -> Path:
        """File of the watchdog's messages."""
        return self.report.with_suffix(".watchdog.log")

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def data(self) -> Any:
        return json.loads(self.report.with_suffix(".json").read_text())

    def end(self, seconds: float) -> int:
        code = self.process.wait(seconds)
        print(self.said())
        return code


Start = Callable[..., Started]


@pytest.fixture
def start(operator_of: Callable[[str], Operator], tmp_path: Path) -> Iterator[Start]:
    operator = operator_of("")
    started: list[Started] = []

    def run(*words: str) -> Started:
        report = tmp_path / f"report-{len(started)}.md"
        output = tmp_path / f"output-{len(started)}"
        # Without `ip netns exec` around it, which would take the signals; this process is in the cloud's namespace.
        command = [sys.executable, "-m", "verify", "--report", str(report), *words]
        with output.open("wb") as file:
            process = subprocess.Popen(command, env=operator.environment(), cwd=REPOSITORY, stdout=file, stderr=file)
        started.append(Started(process, output, report))
        return started[-1]

    yield run
    for each in started:
        each.process.kill()
        each.process.wait()


def names() -> list[str]:
    """Names of all stacks of the account but the CDK's own."""
    found = [each["StackName"] for each in client("cloudformation").describe_stacks()["Stacks"]]
    return [name for name in found if name != "CDKToolkit"]


def living() -> list[str]:
    """Ids of all instances of the account that may still be billed."""
    alive = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
    found = client("ec2").describe_instances(Filters=alive)["Reservations"]
    return [instance["InstanceId"] for reservation in found for instance in reservation["Instances"]]


def assert_nothing_is_left() -> None:
    assert names() == []
    assert living() == []
    tagged = client("resourcegroupstaggingapi")
    for key in (TAG_NAME, MARK, STACK_MARK):
        assert tagged.get_resources(TagFilters=[{"Key": key}])["ResourceTagMappingList"] == []
    assert client("secretsmanager").list_secrets()["SecretList"] == []


def of_the_run() -> list[str]:
    """Commands of processes that a run started."""
    return [" ".join(words) for _, words in processes() if "verify.watchdog" in words or "/cdk" in " ".join(words)]


def test_the_experiments_run_and_nothing_is_left(start: Start) -> None:
    run = start("--yes", "--only", ",".join(map(str, HELD)), "--watch-seconds", "20")
    assert run.end(600) == ALL_HELD
    data = run.data()
    assert {each["number"]: each["verdict"] for each in data["experiments"]} == dict.fromkeys(HELD, "held")
    assert (data["emulated"], data["left"], data["exit_code"]) == (True, [], ALL_HELD)
    report = run.report.read_text()
    assert report.count("seen in an emulator: ") == 2 * len(HELD)
    assert "000000000000" not in report
    assert "htcondor-annex-verify = RUN" in report
    assert_nothing_is_left()
    assert of_the_run() == []


def killed(run: Started, *, watched: bool) -> None:
    """Kill a run in an experiment, and its watchdog too if it is not to be watched, as if the machine had died."""
    wait_for("experiment that waits", DEPLOY_SECONDS, lambda: "  3 alarm" in run.said(), otherwise=run.said)
    watchdogs = [] if watched else [pid for pid, words in processes() if str(run.log) in words]
    assert watched or len(watchdogs) == 1
    for pid in (*watchdogs, run.process.pid):
        os.kill(pid, signal.SIGKILL)
    run.process.wait()


def test_killed_during_an_experiment_it_leaves_nothing(start: Start) -> None:
    words = ("--yes", "--only", "10,3", "--watch-seconds", "600")
    watched, unwatched = start(*words), start(*words)
    killed(unwatched, watched=False)
    killed(watched, watched=True)
    wait_for("end of the watchdog", CLEAN_SECONDS, lambda: watched.log.exists() and "done" in watched.log.read_text())
    print(watched.log.read_text())
    assert len(names()) == len(living()) == 1, "a watchdog cleans up after its own run only"
    assert names()[0].split("-")[2] in unwatched.said()
    # A run that is found later, by its name and its tag, and not by a name alone.
    group = {"GroupName": "of-a-user", "Description": "of a user"}
    kept = client("ec2").create_security_group(**group)["GroupId"]
    client("ec2").create_tags(Resources=[kept], Tags=[{"Key": TAG_NAME, "Value": "verify-mine"}])
    assert start("--clean").end(CLEAN_SECONDS) == ALL_HELD
    assert client("ec2").describe_security_groups(GroupIds=[kept])["SecurityGroups"]
    client("ec2").delete_security_group(GroupId=kept)
    client("ec2").delete_tags(Resources=[kept], Tags=[{"Key": TAG_NAME}])
    assert_nothing_is_left()
    wait_for("end of all processes", 60, lambda: not of_the_run())


def test_ended_during_a_deployment_it_leaves_nothing(start: Start) -> None:
    run = start("--yes", "--only", "10")
    wait_for("stack", DEPLOY_SECONDS, names, otherwise=run.said)
    run.process.send_signal(signal.SIGTERM)
    assert run.end(CLEAN_SECONDS) == INCOMPLETE
    data = run.data()
    assert (data["interrupted"], data["left"]) == (True, [])
    assert [each["seen"] for each in data["experiments"]] == ["not reached"]
    assert_nothing_is_left()
    assert of_the_run() == []
