"""The demonstration, run as a user would run it, and observed from outside."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass, field

import pytest

from tests.demo.running_demo import RunningDemo, demonstration

SILENCE_SECONDS = 900  # longer than any step of a demonstration may wait by itself without anything new
LOOK_FOR_INSTANCES = (
    "import boto3; print(sum(i['State']['Name'] in ('pending', 'running') for r in "
    "boto3.client('ec2').describe_instances()['Reservations'] for i in r['Instances']))"
)


@dataclass
class Seen:
    """Observations of the running demonstration, second by second."""

    machines: list[int] = field(default_factory=list)
    instances: list[int] = field(default_factory=list)
    slots: set[str] = field(default_factory=set)
    job_states: set[str] = field(default_factory=set)


def look(demo: RunningDemo, seen: Seen) -> None:
    seen.machines.append(len(demo.machines()))
    seen.slots |= set(demo.inside("condor_status", "-af", "Name", "-constraint", 'AnnexName == "demo"').split())
    seen.job_states |= set(demo.inside("condor_q", "-allusers", "-af", "JobStatus").split())
    instances = demo.inside(sys.executable, "-c", LOOK_FOR_INSTANCES).strip()
    if instances:
        seen.instances.append(int(instances))
    seen.machines.append(len(demo.machines()))


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], Seen, str]:
    directory, seen = tmp_path_factory.mktemp("demo"), Seen()
    report = directory / "report.json"
    with demonstration(directory, "--report", str(report)) as demo:
        printed, until = "", time.monotonic() + SILENCE_SECONDS
        while demo.process.poll() is None:
            if demo.printed() != printed:
                printed, until = demo.printed(), time.monotonic() + SILENCE_SECONDS
            assert time.monotonic() < until, f"the demonstration does not come to an end:\n{printed}"
            look(demo, seen)
            time.sleep(6)  # each look costs a second of the processor that the machines boot with
    assert demo.process.returncode == 0, demo.printed()
    return json.loads(report.read_text()), seen, demo.printed()


def test_every_step_did_what_it_says(watched: tuple[dict[str, object], Seen, str]) -> None:
    record, _, printed = watched
    assert record["ok"] is True
    assert [step["ok"] for step in record["steps"]] == [True] * 10, printed  # type: ignore[attr-defined]
    assert record["facts"]["instances after"] == "0"  # type: ignore[index]
    assert record["facts"]["resources left"] == "0"  # type: ignore[index]
    for fact in record["facts"]:  # type: ignore[attr-defined]
        assert fact in printed


def test_an_onlooker_saw_two_machines_come_and_go(watched: tuple[dict[str, object], Seen, str]) -> None:
    _, seen, _ = watched
    assert max(seen.machines) == 2
    assert seen.machines[-1] == 0
    assert max(seen.instances) == 2
    assert seen.instances[-1] == 0


def test_an_onlooker_saw_the_slots_and_the_job(watched: tuple[dict[str, object], Seen, str]) -> None:
    _, seen, _ = watched
    machines = {name.partition("@")[2] for name in seen.slots}
    assert len(machines) == 2
    assert all(name.startswith("i-") and name.endswith(".annex-demo.pool.lab") for name in machines)
    assert "2" in seen.job_states, f"no job was seen running (2), only {seen.job_states}"
