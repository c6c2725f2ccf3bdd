"""A machine of the lab, booted once for all these tests; machine_facts.py collects the facts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab import image
from lab.machines import Machine
from lab.qemu_machine import EMULATED_CPU, KVM_CPU, accelerator, command_line

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    image.disk_image()
    result = tmp_path_factory.mktemp("machine") / "facts.json"
    program = "import sys; from lab.sandbox import run_inside; sys.exit(run_inside(sys.argv[1:]))"
    command = [sys.executable, str(Path(__file__).with_name("machine_facts.py")), str(result)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    # It ends by itself, when the machine's console has had nothing new for some minutes.
    subprocess.run([sys.executable, "-c", program, *command], check=True, env=environment)
    return json.loads(result.read_text())


def fact(facts: Any, name: str) -> str:
    found = re.search(rf"FACT {name} (.*)", facts["console"])
    assert found is not None, f"the machine did not say its {name}: {facts['console'][-3000:]}"
    return found[1].strip()


def test_user_data_runs(facts: Any) -> None:
    assert fact(facts, "the") == "end"
    print(f"the machine was up after {facts['seconds']:.1f} s")


def test_the_machine_gets_the_address_of_its_instance(facts: Any) -> None:
    assert "10.20.30.40/8" in fact(facts, "address")


def test_names_are_found(facts: Any) -> None:
    assert fact(facts, "resolver").startswith("198.18.0.1 ")


def test_cloud_init_takes_the_machine_for_an_instance_of_ec2(facts: Any) -> None:
    assert fact(facts, "platform") == "Amazon EC2"
    assert fact(facts, "source") == "aws"


def test_htcondor_waits_for_the_boot_files(facts: Any) -> None:
    assert fact(facts, "condor") == "disabled inactive"


def test_no_unit_fails(facts: Any) -> None:
    assert fact(facts, "failed") == "0"


def test_memory_is_left_for_jobs(facts: Any) -> None:
    assert int(re.sub(r"\D", "", fact(facts, "memory"))) > 600_000


def test_there_is_a_login_on_the_serial_line(facts: Any) -> None:
    assert "ttyS0" in facts["console at the end"] or "ttyS0" in facts["console"]


def test_the_power_button_switches_it_off(facts: Any) -> None:
    assert (facts["starting"], facts["running"]) == ("starting", "running")
    assert facts["off after"] < 60, facts["console at the end"]
    assert "Power down" in facts["console at the end"]


def test_nothing_of_a_machine_stays_but_its_logs(facts: Any) -> None:
    assert facts["files"] == ["console.log", "qemu.log"]
    assert not [name for name in facts["ports"] if name.startswith("i")]
    before, after = facts["descriptors"]
    assert after == before


def test_the_plug_is_pulled_when_the_button_is_not_heard(facts: Any) -> None:
    assert facts["pulled after"] < 10


def test_closing_switches_everything_off(facts: Any) -> None:
    assert facts["closed"] == "off"


def test_an_instance_has_one_machine_in_its_life(facts: Any) -> None:
    assert "i-0123456789abcdef0 was started before" in facts["twice"]


@pytest.mark.parametrize(
    ("flags", "accelerated"), [("fpu vmx sse", True), ("fpu svm", True), ("fpu sse hypervisor", False)]
)
def test_kvm_is_used_where_the_cpu_has_it(monkeypatch: pytest.MonkeyPatch, flags: str, accelerated: bool) -> None:
    monkeypatch.setattr(Path, "read_text", lambda _self: f"flags\t\t: {flags}\n")
    monkeypatch.setattr(Path, "exists", lambda _self: True)
    accelerator.cache_clear()
    assert accelerator() == (KVM_CPU if accelerated else EMULATED_CPU)
    accelerator.cache_clear()


def test_the_firmware_has_the_facts_of_ec2() -> None:
    machine = Machine("i-1", "02:00:0a:00:00:01", "10.0.0.1", "ami-1", "c6a.large")
    words = command_line(machine, directory=Path("/d"), disk=Path("/disk"), kernel=Path("/k"), port=7)
    smbios = str(words[words.index("-smbios") + 1])
    uuids = re.findall(r"(?:uuid|serial)=(ec2[0-9a-f]{5}-[0-9a-f-]{27})", smbios)
    assert len(uuids) == 2
    assert len(set(uuids)) == 1
    assert "product=c6a.large" in smbios
