"""The demonstration itself, run as a person would run it, and watched from outside while it runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOOK_FOR_INSTANCES = (
    "import boto3; print(sum(i['State']['Name'] in ('pending', 'running') for r in "
    "boto3.client('ec2').describe_instances()['Reservations'] for i in r['Instances']))"
)


def traces() -> dict[str, set[str]]:
    """What a lab could leave on a machine, as the host sees it."""
    listing = {
        "interfaces": ["ip", "-o", "-br", "link"],
        "namespaces": ["ip", "netns", "list"],
        "mounts": ["cat", "/proc/self/mounts"],
        "temporary files": ["find", "/tmp", "/run", "-maxdepth", "1", "-name", "*annex*"],
    }
    found = {k: set(subprocess.run(v, capture_output=True, text=True, check=True).stdout.splitlines())
             for k, v in listing.items()}  # fmt: skip
    found["processes"] = {str(pid) for pid in our_processes()}
    return found


def left_since(before: dict[str, set[str]]) -> dict[str, set[str]]:
    """What is there now and was not before. What a killed lab left (its state file) may well be gone now."""
    return {kind: now - before[kind] for kind, now in traces().items() if now - before[kind]}


def our_processes() -> list[int]:
    """Machines, daemons and clouds: what the lab starts."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace") if entry.name.isdigit() else ""
        except OSError:
            continue
        if any(word in words for word in ("qemu-system", "condor_", "lab.cloud", "dnsmasq")):
            found.append(int(entry.name))
    return found


@dataclass
class Seen:
    """What an onlooker saw of the running demonstration, second by second."""

    machines: list[int] = field(default_factory=list)
    instances: list[int] = field(default_factory=list)
    slots: set[str] = field(default_factory=set)
    job_states: set[str] = field(default_factory=set)


def look(seen: Seen) -> None:
    machines = [pid for pid in our_processes() if "qemu-system" in Path(f"/proc/{pid}/cmdline").read_text()]
    seen.machines.append(len(machines))
    seen.slots |= set(inside("condor_status", "-af", "Name", "-constraint", 'AnnexName == "demo"').split())
    seen.job_states |= set(inside("condor_q", "-allusers", "-af", "JobStatus").split())
    instances = inside(sys.executable, "-c", LOOK_FOR_INSTANCES).strip()
    if instances:
        seen.instances.append(int(instances))


def inside(*words: str) -> str:
    """What a command on the pool's host printed; empty while there is no pool, or no answer yet."""
    done = subprocess.run([sys.executable, "-m", "lab", "exec", "--", *words], cwd=ROOT, capture_output=True,
                          text=True, check=False, stdin=subprocess.DEVNULL, timeout=60)  # fmt: skip
    return done.stdout if done.returncode == 0 else ""


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], Seen, str]:
    report = tmp_path_factory.mktemp("demo") / "report.json"
    before, seen = traces(), Seen()
    words = [sys.executable, "-m", "lab", "demo", "--report", str(report)]
    demo = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env={**os.environ, "COLUMNS": "160"})  # fmt: skip
    try:
        until = time.monotonic() + 1500
        while demo.poll() is None:
            assert time.monotonic() < until, "the demonstration does not come to an end"
            look(seen)
            time.sleep(6)  # each look costs a second of the processor that the machines boot with
    finally:
        demo.terminate()
        printed = demo.communicate(timeout=120)[0]
    assert demo.returncode == 0, printed
    assert left_since(before) == {}
    return json.loads(report.read_text()), seen, printed


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


def test_keep_leaves_it_running_and_its_hints_work() -> None:
    before = traces()
    demo = subprocess.Popen([sys.executable, "-m", "lab", "demo", "--keep"], cwd=ROOT, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)  # fmt: skip
    lines: list[str] = []
    try:
        for line in demo.stdout or []:
            lines.append(line)
            if "Ctrl-C here" in line:
                break
        hints = [line.strip() for line in lines if "python -m lab exec" in line]
        assert [hint.split(" -- ")[1].split()[0] for hint in hints] == ["condor_status", "annex", "cdk", "bash"], lines
        said = {}
        for hint in hints:
            done = subprocess.run(["bash", "-c", hint], cwd=ROOT, capture_output=True, text=True, check=False, input="")
            assert done.returncode == 0, (hint, done.stdout, done.stderr)
            said[hint.split(" -- ")[1].split()[0]] = done.stdout + done.stderr
        assert said["condor_status"].count(".annex-demo.pool.lab") >= 2
        assert "active" in said["annex"]
        assert "no differences" in said["cdk"].lower()
    finally:
        demo.send_signal(signal.SIGTERM)
        rest = demo.communicate(timeout=120)[0]
    assert demo.returncode == 0, rest
    assert left_since(before) == {}


def test_ctrl_c_leaves_nothing() -> None:
    before = traces()
    demo = subprocess.Popen([sys.executable, "-m", "lab", "demo"], cwd=ROOT, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, start_new_session=True)  # fmt: skip
    for line in demo.stdout or []:
        if "cdk bootstrap" in line:
            break
    demo.send_signal(signal.SIGINT)
    printed = demo.communicate(timeout=60)[0]
    assert demo.returncode != 0
    assert "interrupted" in printed
    assert left_since(before) == {}
