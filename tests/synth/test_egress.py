"""Ports of access points, DNS servers and a proxy: keys of the spec, parameters of the constructs, rules of egress."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from annex_constructs import Pool
from annex_lease import egress
from annex_spec import SpecError, load
from stacks import AnnexStack
from tests.synth.templates import only
from tests.synth.test_fleet_terms import POOL, fleet_with, point_with

USUAL = {("tcp", 80, 80), ("tcp", 443, 443), ("tcp", 9618, 9618)}


Rules = dict[str, set[tuple[str, int, int]]]


def egress_of(stack: Stack) -> Rules:
    """Protocol and ports by the network that they are open to."""
    found: Rules = {}
    group = only(Template.from_stack(stack).to_json()["Resources"], "AWS::EC2::SecurityGroup")
    for rule in group["SecurityGroupEgress"]:
        network = rule.get("CidrIp") or rule["CidrIpv6"]
        found.setdefault(network, set()).add((rule["IpProtocol"], rule["FromPort"], rule["ToPort"]))
    return found


def rules_of(**changes: Any) -> Rules:
    stack = Stack()
    fleet_with(stack, ec2.Vpc(stack, "Vpc"), execution_point=point_with(**changes))
    return egress_of(stack)


def test_without_any_of_them() -> None:
    assert rules_of() == {"0.0.0.0/0": USUAL, "::/0": USUAL}


def test_ports_of_access_points() -> None:
    found = rules_of(pool=Pool(**POOL, access_point_ports=["9700", "20000-20100", "9618"]))
    expected = USUAL | {("tcp", 9700, 9700), ("tcp", 20000, 20100)}
    assert found == {"0.0.0.0/0": expected, "::/0": expected}


def test_dns_servers() -> None:
    found = rules_of(dns_servers=["192.0.2.53", "2001:db8::53"])
    assert found.pop("192.0.2.53/32") == found.pop("2001:db8::53/128") == {("tcp", 53, 53), ("udp", 53, 53)}
    assert found == {"0.0.0.0/0": USUAL, "::/0": USUAL}, "to no other server"


@pytest.mark.parametrize(
    ("proxy", "port"),
    [
        ("http://proxy.example.edu:3128", 3128),
        ("http://proxy", 80),
        ("https://192.0.2.1", 443),
        ("http://[2001:db8::1]:8080/", 8080),
    ],
)
def test_a_proxy(proxy: str, port: int) -> None:
    expected = USUAL | {("tcp", port, port)}
    assert rules_of(proxy=proxy) == {"0.0.0.0/0": expected, "::/0": expected}
    assert egress.proxy_port(proxy) == port


@pytest.mark.parametrize(
    "proxy", ["proxy:3128", "http://user:secret@proxy:3128", "http://proxy:0", "", "ftp://proxy", 5]
)
def test_what_is_no_proxy(proxy: Any) -> None:
    with pytest.raises(ValueError, match="ExecutionPoint proxy: received"):
        point_with(proxy=proxy)


@pytest.mark.parametrize(
    "servers", [["dns.example.edu"], ["192.0.2.0/24"], ["::g"], ["1.2.3.4"] * 5, "192.0.2.53", [53], 5]
)
def test_what_is_no_dns_server(servers: Any) -> None:
    with pytest.raises(ValueError, match="ExecutionPoint dns_servers: received"):
        point_with(dns_servers=servers)


@pytest.mark.parametrize("ports", [["0"], ["65536"], ["2-1"], ["a"], ["1-2-3"], "9700", [9700], ["1"] * 17, 5])
def test_what_is_no_port_of_an_access_point(ports: Any) -> None:
    with pytest.raises(ValueError, match="Pool access_point_ports: received"):
        Pool(**POOL, access_point_ports=ports)


KEYS = """[pool]
collector = "cm.example.edu"
trust_domain = "example.edu"
access_point_ports = [9700, "20000-20100"]

[annex.demo]
region = "us-east-1"
image = "ami-0123456789abcdef0"
size = 2
lease = "8h"
instance_types = ["c6a.large"]
dns_servers = ["192.0.2.53"]
proxy = "http://proxy.example.edu:3128"
"""


def test_the_keys_of_the_spec_reach_the_template(tmp_path: Path) -> None:
    file = tmp_path / "annexes.toml"
    file.write_text(KEYS)
    spec = load(file)
    stack = AnnexStack(App(), pool=spec.pool, annex=spec.annexes["demo"])
    found = egress_of(stack)
    assert found.pop("192.0.2.53/32") == {("tcp", 53, 53), ("udp", 53, 53)}
    expected = USUAL | {("tcp", 9700, 9700), ("tcp", 20000, 20100), ("tcp", 3128, 3128)}
    assert found == {"0.0.0.0/0": expected, "::/0": expected}
    assert "ANNEX_PROXY=http://proxy.example.edu:3128" in json.dumps(Template.from_stack(stack).to_json())


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("[9700,", "[0,"),
        ("[9700,", "[true,"),
        ("20000-20100", "20100-20000"),
        ('["192.0.2.53"]', '["::g"]'),
        ('["192.0.2.53"]', '"192.0.2.53"'),
        ("http://proxy", "http://user:secret@proxy"),
    ],
)
def test_a_wrong_key_is_a_problem_of_the_spec(tmp_path: Path, right: str, wrong: str) -> None:
    file = tmp_path / "annexes.toml"
    file.write_text(KEYS.replace(right, wrong))
    with pytest.raises(SpecError, match="1 problem"):
        load(file)
