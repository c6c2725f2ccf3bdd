"""Network of the lab from each of its sides; network_facts.py collects the facts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.network import mac_address

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    result = tmp_path_factory.mktemp("network") / "facts.json"
    program = "import sys; from lab.sandbox import run_inside; sys.exit(run_inside(sys.argv[1:]))"
    command = [sys.executable, str(Path(__file__).with_name("network_facts.py")), str(result)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, "-c", program, *command], check=True, timeout=600, env=environment)
    return json.loads(result.read_text())


@pytest.mark.parametrize("side", ["pool", "one"])
@pytest.mark.parametrize(
    ("name", "addresses"),
    [
        ("secretsmanager.us-east-1.amazonaws.com", ["198.18.0.1"]),
        ("bucket.s3.us-east-1.amazonaws.com", ["198.18.0.1"]),
        ("cm.pool.lab", ["198.18.0.10"]),
        ("example.org", ["no such name"]),
    ],
)
def test_names_are_answered_at_once(facts: Any, side: str, name: str, addresses: list[str]) -> None:
    found, seconds = facts["names"][side][name]
    assert found == addresses
    assert seconds < 1


@pytest.mark.parametrize(
    ("way", "result"),
    [
        ("instance to api", "open"),
        ("instance to metadata", "open"),
        ("instance to pool", "open"),
        ("instance to instance", "unreachable"),
        ("pool to api", "open"),
        ("pool to instance", "unreachable"),
        ("pool to the world", "unreachable"),
    ],
)
def test_paths_through_the_network(facts: Any, way: str, result: str) -> None:
    assert facts["reach"][way] == result


def test_a_machines_port_is_isolated_and_ends_with_its_machine(facts: Any) -> None:
    assert facts["plugged"] == {"isolated": True, "name": "i3456789abcdef0", "left": False}


def test_the_bridge_keeps_its_address_when_ports_come_and_go(facts: Any) -> None:
    assert facts["bridge"] == "02:00:0a:ff:ff:fe"


def test_the_sandbox_knows_its_own_name(facts: Any) -> None:
    assert facts["own name"] == "127.0.0.1"


def test_a_mac_address_holds_the_ip_address() -> None:
    assert mac_address("10.1.2.254") == "02:00:0a:01:02:fe"
